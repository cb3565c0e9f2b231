package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"
)

var flags = []string{"is_default", "is_group_for_guests"}

// ledger records what a store has returned to all of its clients.
type ledger struct {
	store, token string

	mu    sync.Mutex
	ids   map[string]map[int64]bool // every id ever returned
	last  map[string]int64          // the highest
	moves []move                    // of flags, since the last check
}

func newLedger(store, token string) *ledger {
	l := &ledger{
		store: store, token: token, last: map[string]int64{},
		ids: map[string]map[int64]bool{aGroup: {}, aCustomer: {}},
	}
	l.beginMoves(nil)
	return l
}

// highest returns the highest known id of a kind.
func (l *ledger) highest(kind string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last[kind]
}

// enter records a change that was made.
func (l *ledger) enter(ch *change, got thing) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := ch.id
	if id == 0 {
		id = got.id()
		if id <= ch.floor {
			return fmt.Errorf("got id %d, but %d was known before the request", id, ch.floor)
		}
		if l.ids[ch.kind][id] {
			return fmt.Errorf("got id %d, which was used before", id)
		}
		l.ids[ch.kind][id] = true
		l.last[ch.kind] = max(l.last[ch.kind], id)
	}
	if ch.kind != aGroup {
		return nil
	}
	for _, flag := range flags {
		if to, said := ch.body[flag]; said || ch.body == nil {
			l.moves = append(l.moves, move{flag: flag, group: id, sets: to == "true", sent: ch.sent, answered: ch.answered})
		}
	}
	return nil
}

// move is a change that sets a flag of a group, or clears it if the group has
// it.
type move struct {
	flag           string
	group          int64 // 0 with sets: no group has the flag
	sets           bool
	sent, answered int64
}

// beginMoves forgets all moves except those that gave these groups their flags.
func (l *ledger) beginMoves(holders map[string]int64) {
	l.moves = nil
	for _, flag := range flags {
		l.moves = append(l.moves, move{flag: flag, group: holders[flag], sets: true})
	}
}

// mayHave reports whether a group can have a flag after all moves. The last
// move that sets the flag decides; that can be any move that no other one
// certainly followed.
func (l *ledger) mayHave(flag string, group int64) bool {
	for _, last := range l.moves {
		if last.flag != flag || !last.sets {
			continue
		}
		followed := slices.ContainsFunc(l.moves, func(m move) bool { return m.flag == flag && m.sets && m.sent > last.answered })
		if followed {
			continue
		}
		// Its client sends one request at a time, so these are in order.
		takenBack := slices.ContainsFunc(l.moves, func(m move) bool {
			return m.flag == flag && !m.sets && m.group == last.group && m.sent > last.sent
		})
		if takenBack && group == 0 || !takenBack && group == last.group {
			return true
		}
	}
	return false
}

// differs compares a thing with its expected state, except for what other
// clients may have done: take a flag away, which also changes the modification
// time, or delete the group of a customer. has reports whether a group exists.
func differs(want, got thing, has func(group int64) bool) string {
	want = maps.Clone(want)
	for _, flag := range flags {
		if want[flag] != "true" || got[flag] != "false" {
			continue
		}
		want[flag] = "false"
		want["date_modified"] = max(want["date_modified"], got["date_modified"])
	}
	if got["customer_group_id"] == "0" && !has(want.number("customer_group_id")) {
		want["customer_group_id"] = "0"
	}
	return cmp.Diff(want, got)
}

// check compares the responses of all clients with the content of the server,
// while no request is under way. Afterwards the content counts as acknowledged.
func (h *history) check(when string) {
	h.t.Helper()
	for _, l := range h.ledgers {
		found := map[string]map[int64]thing{aGroup: h.list(l, aGroup), aCustomer: h.list(l, aCustomer)}
		for _, c := range h.clients {
			if c.ledger == l {
				c.settleDoubt(found)
			}
		}
		for _, kind := range []string{aGroup, aCustomer} {
			h.checkKept(when, l, kind, found)
			h.checkIDs(when, l, kind, found[kind])
		}
		h.checkFlags(when, l, found[aGroup])
	}
	if h.t.Failed() {
		h.t.FailNow()
	}
}

// list returns all things of a kind. It compares their number with the count.
func (h *history) list(l *ledger, kind string) map[int64]thing {
	h.t.Helper()
	found := map[int64]thing{}
	highest := int64(0)
	for page := 1; ; page++ {
		path := fmt.Sprintf("/%s?limit=250&page=%d", kind, page)
		a, err := h.send(l, "GET", path, nil)
		if err == nil && a.status == 204 {
			break
		}
		var things []thing
		if err == nil {
			err = json.Unmarshal([]byte(a.body), &things)
		}
		if err != nil || a.status != 200 {
			h.t.Fatalf("%s%s: %d %.300s, error %v", l.store, path, a.status, a.body, err)
		}
		for _, th := range things {
			if th.id() <= highest {
				h.t.Errorf("%s%s: %d comes after %d", l.store, path, th.id(), highest)
			}
			highest = th.id()
			found[highest] = th
		}
	}
	if got, want := h.get(l, "/"+kind+"/count", 200), fmt.Sprintf(`{"count":%d}`, len(found)); got != want {
		h.t.Errorf("%s/%s: %d listed, the count is %s", l.store, kind, len(found), got)
	}
	return found
}

// checkKept checks that the things of all clients are there as acknowledged,
// and nothing else.
func (h *history) checkKept(when string, l *ledger, kind string, found map[string]map[int64]thing) {
	exists := func(group int64) bool { return found[aGroup][group] != nil }
	kept := map[int64]bool{}
	for _, c := range h.clients {
		if c.ledger != l {
			continue
		}
		for id, want := range c.kept[kind] {
			kept[id] = true
			got := found[kind][id]
			if got == nil {
				h.t.Errorf("%s: %s/%s/%d was acknowledged and is lost: %v", when, l.store, kind, id, want)
				continue
			}
			if diff := differs(want, got, exists); diff != "" {
				h.t.Errorf("%s: %s/%s/%d is not as acknowledged (-want +got):\n%s", when, l.store, kind, id, diff)
			}
			c.kept[kind][id] = got
		}
	}
	for id, got := range found[kind] {
		if !kept[id] {
			h.t.Errorf("%s: %s/%s/%d exists, but no client created it: %v", when, l.store, kind, id, got)
		}
		if group := got.number("customer_group_id"); group != 0 && !exists(group) {
			h.t.Errorf("%s: %s/%s/%d is in group %d, which does not exist", when, l.store, kind, id, group)
		}
	}
}

// checkIDs checks that ids were given out without gaps where there is a single
// writer. It also reads the highest existing and the highest deleted id.
func (h *history) checkIDs(when string, l *ledger, kind string, found map[int64]thing) {
	if n := int64(len(l.ids[kind])); n > l.last[kind] || n < l.last[kind] && isFile(h.db) {
		h.t.Errorf("%s: %s/%s: %d ids, the last is %d", when, l.store, kind, n, l.last[kind])
	}
	there, gone := int64(0), l.last[kind]
	for id := range found {
		there = max(there, id)
	}
	for gone > 0 && found[gone] != nil {
		gone--
	}
	if gone > 0 {
		h.get(l, fmt.Sprintf("/%s/%d", kind, gone), 404)
	}
	if there == 0 {
		return
	}
	got := decode(h.t, h.get(l, fmt.Sprintf("/%s/%d", kind, there), 200))
	if diff := cmp.Diff(found[there], got); diff != "" {
		h.t.Errorf("%s: %s/%s/%d is not as in the list (-list +get):\n%s", when, l.store, kind, there, diff)
	}
}

// checkFlags checks that at most one group has each flag, and that it is a
// group that may have it.
func (h *history) checkFlags(when string, l *ledger, groups map[int64]thing) {
	holders := map[string]int64{}
	for _, flag := range flags {
		var has []string
		for id, g := range groups {
			if g[flag] == "true" {
				has = append(has, fmt.Sprint(id))
				holders[flag] = id
			}
		}
		if len(has) > 1 {
			h.t.Errorf("%s: %s: groups %[4]s have the flag %[3]s", when, l.store, flag, strings.Join(has, ", "))
		}
		if !l.mayHave(flag, holders[flag]) {
			h.t.Errorf("%s: %s: %s of group %d (0 is none) does not follow from the moves: %+v", when, l.store, flag, holders[flag], l.moves)
		}
	}
	l.beginMoves(holders)
}
