package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
)

// setting reads a number from an environment variable.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// Nine clients write to one database while its server is killed repeatedly at
// random moments. Afterwards every acknowledged change is there, and each
// change without a response was made completely or not at all.
//
// COHORT_CRASH_KILLS is the number of kills, COHORT_CRASH_SEED the seed of the
// random numbers.
func TestKilledWhileWriting(t *testing.T) {
	each(t, testKilledWhileWriting)
}

func testKilledWhileWriting(t *testing.T, url string) {
	kills := setting(t, "COHORT_CRASH_KILLS", testenv.Times[uint64](8, 2))
	seed := setting(t, "COHORT_CRASH_SEED", rand.Uint64())
	t.Logf("COHORT_CRASH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 1<<32))
	h := newHistory(t, url, seed)
	for n := range kills {
		stop := h.sent.Load() + h.acknowledged.Load() + 1 + rng.Int64N(400)
		h.work(func() bool { return h.sent.Load()+h.acknowledged.Load() >= stop }, h.kill)
		if rng.IntN(3) == 0 {
			h.killAtStart(rng.IntN(40_000))
		}
		h.restart(fmt.Sprint("after kill ", n+1))
	}
	t.Logf("%d acknowledged, %d in doubt, of which %d were made, over %d kills", h.acknowledged.Load(), h.inDoubt, h.doneInDoubt, kills)
	h.kill()
	h.checkDatabase()
}

// killAtStart kills a server while it starts on the database of the one before.
// The number of looks at a file sets how far the start gets.
func (h *history) killAtStart(looks int) {
	p := start(h.t, "--db", h.db)
	for range looks {
		_, _ = os.Stat(binary)
	}
	p.kill(h.t)
	awaitNoConnections(h.t, h.db)
}

// checkDatabase compares the database after the end of the server with the
// responses that the clients got.
func (h *history) checkDatabase() {
	d := openDB(h.t, h.db)
	defer d.Close()
	for _, l := range h.ledgers {
		err := d.View(h.t.Context(), func(tx *db.Tx) error { return h.checkStore(tx, l) })
		if err != nil {
			h.t.Error(err)
		}
	}
}

func (h *history) checkStore(tx *db.Tx, l *ledger) error {
	kept := map[string]map[int64]thing{aGroup: {}, aCustomer: {}}
	for _, c := range h.clients {
		for kind := range kept {
			for id, th := range c.kept[kind] {
				if c.ledger == l {
					kept[kind][id] = th
				}
			}
		}
	}
	all := cohort.Page{Number: 1, Size: 1 << 20}
	groups, err := tx.ListGroups(l.store, cohort.GroupFilter{}, all)
	if err != nil {
		return err
	}
	for _, g := range groups {
		th := kept[aGroup][g.ID]
		if strconv.Quote(g.Name) != th["name"] || fmt.Sprint(g.IsDefault, g.IsGroupForGuests) != th["is_default"]+" "+th["is_group_for_guests"] {
			h.t.Errorf("%s: in the database, group %d is %+v, want %v", l.store, g.ID, g, th)
		}
	}
	customers, err := dbtest.Customers(tx, l.store, cohort.CustomerFilter{}, all)
	if err != nil {
		return err
	}
	members := map[int64]int64{}
	for _, c := range customers {
		th := kept[aCustomer][c.ID]
		if strconv.Quote(c.Email) != th["email"] || c.GroupID != th.number("customer_group_id") {
			h.t.Errorf("%s: in the database, customer %d is %+v, want %v", l.store, c.ID, c, th)
		}
		members[c.GroupID]++
	}
	if len(groups) != len(kept[aGroup]) || len(customers) != len(kept[aCustomer]) {
		h.t.Errorf("%s: in the database are %d groups and %d customers, want %d and %d",
			l.store, len(groups), len(customers), len(kept[aGroup]), len(kept[aCustomer]))
	}
	counts, err := tx.MemberCounts(l.store)
	for _, g := range groups {
		if counts[g.ID] != members[g.ID] {
			h.t.Errorf("%s: in the database, group %d counts %d members and has %d", l.store, g.ID, counts[g.ID], members[g.ID])
		}
	}
	return err
}
