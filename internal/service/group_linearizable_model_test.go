package service_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"
)

// call is one call of a history.
type call struct {
	do     string // create, update, delete, get, list or count
	id     int64
	update cohort.GroupUpdate // of an update, or applied to an empty group by a create
	filter cohort.GroupFilter
	page   cohort.Page
	cancel bool // the caller cancels the call
}

var everything = cohort.Page{Number: 1, Size: 1000}

// beginning sets up a store before the concurrent calls, and end reads it after them.
var (
	beginning = []call{
		{do: "create", update: cohort.GroupUpdate{Name: new("first"), IsDefault: new(true)}},
		{do: "create", update: cohort.GroupUpdate{Name: new("second"), IsGroupForGuests: new(true)}},
	}
	end = []call{
		{do: "list", page: everything}, {do: "count"},
		{do: "list", page: everything, filter: cohort.GroupFilter{IsDefault: new(true)}},
		{do: "list", page: everything, filter: cohort.GroupFilter{IsGroupForGuests: new(true)}},
		{do: "get", id: 1}, {do: "get", id: 2}, {do: "get", id: 3},
	}
)

// callsTo generates calls of these kinds. They use few ids, so that callers collide.
func callsTo(do ...string) *rapid.Generator[call] {
	return rapid.Custom(func(t *rapid.T) call {
		return call{
			do: rapid.SampledFrom(do).Draw(t, "do"),
			id: rapid.Int64Range(1, 4).Draw(t, "id"),
			update: cohort.GroupUpdate{
				Name:      rapid.SampledFrom([]*string{new("x"), new("x"), new("x"), new("shared"), new("SHARED"), nil, new("")}).Draw(t, "name"),
				IsDefault: maybe(t, rapid.Bool(), "default"), IsGroupForGuests: maybe(t, rapid.Bool(), "guests"),
			},
			filter: cohort.GroupFilter{
				IsDefault:        rapid.SampledFrom([]*bool{nil, nil, nil, new(true), new(false)}).Draw(t, "is default"),
				IsGroupForGuests: rapid.SampledFrom([]*bool{nil, nil, nil, new(true), new(false)}).Draw(t, "is for guests"),
			},
			page:   rapid.SampledFrom([]cohort.Page{everything, everything, {Number: 1, Size: 2}, {Number: 2, Size: 2}}).Draw(t, "page"),
			cancel: rapid.SampledFrom([]bool{false, false, false, false, false, false, true}).Draw(t, "cancel"),
		}
	})
}

// notEmpty adds a field to an empty update.
func (c call) notEmpty() call {
	if c.update.IsEmpty() {
		c.update.IsDefault = new(true)
	}
	return c
}

// result is the result of a call, with the fields of groups that the calls change.
type result struct {
	groups []groupState
	count  int64
	err    string
}

type groupState struct {
	id                 int64
	name               string
	isDefault, isGuest bool
}

// The allowed values of result.err.
const (
	invalid   = "invalid"
	notFound  = "not found"
	cancelled = "cancelled" // the call had no effect
	unknown   = "cancelled, with unknown outcome"
)

func stateOf(g cohort.Group) groupState {
	return groupState{g.ID, g.Name, g.IsDefault, g.IsGroupForGuests}
}

// on makes the call.
func (c call) on(svc *service.Service, store string) result {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if c.cancel {
		go cancel()
	}
	switch c.do {
	case "create":
		g, err := svc.CreateGroup(ctx, store, c.update.Apply(cohort.Group{}))
		return resultOf(err, g)
	case "update":
		g, err := svc.UpdateGroup(ctx, store, c.id, c.update)
		return resultOf(err, g)
	case "delete":
		return resultOf(svc.DeleteGroup(ctx, store, c.id))
	case "get":
		g, err := svc.Group(ctx, store, c.id)
		return resultOf(err, g)
	case "list":
		groups, err := svc.ListGroups(ctx, store, c.filter, c.page)
		return resultOf(err, groups...)
	}
	n, err := svc.CountGroups(ctx, store, c.filter)
	r := resultOf(err)
	r.count = n
	return r
}

func resultOf(err error, groups ...cohort.Group) (r result) {
	switch {
	case errors.Is(err, context.Canceled) && strings.Contains(err.Error(), "unknown"):
		return result{err: unknown}
	case errors.Is(err, context.Canceled):
		return result{err: cancelled}
	case cohort.KindOf(err) == cohort.KindInvalid:
		return result{err: invalid}
	case cohort.KindOf(err) == cohort.KindNotFound:
		return result{err: notFound}
	case err != nil:
		return result{err: err.Error()}
	}
	for _, g := range groups {
		r.groups = append(r.groups, stateOf(g))
	}
	return r
}

func (c call) String() string {
	show := func(what string, flag *bool) string {
		if flag == nil {
			return ""
		}
		return fmt.Sprint(", ", what, " ", *flag)
	}
	text := fmt.Sprint(c.do, " ", c.id)
	switch c.do {
	case "create", "update":
		if c.update.Name != nil {
			text += fmt.Sprintf(", name %q", *c.update.Name)
		}
		text += show("default", c.update.IsDefault) + show("guests", c.update.IsGroupForGuests)
	case "list", "count":
		text = fmt.Sprint(c.do, show("default", c.filter.IsDefault), show("guests", c.filter.IsGroupForGuests), ", page ", c.page)
	}
	if c.cancel {
		text += ", cancelled"
	}
	return text
}

// state is the state of a store. It is immutable.
type state struct {
	ids    []int64      // all that were used, ascending
	groups []groupState // by id
}

// sequentialModel is the model of a store with sequential calls. On SQLite ids are
// consecutive. On PostgreSQL they are unique, but a call with a higher id may take
// effect before one with a lower id.
func sequentialModel(d *db.DB) porcupine.Model {
	step := state.stepConsecutive
	if !d.SeesAllWrites() {
		step = state.stepUnique
	}
	return porcupine.Model{
		Init: func() any { return state{} },
		Step: func(before, input, output any) (bool, any) {
			return step(before.(state), input.(call), output.(result))
		},
		Equal: func(a, b any) bool {
			return slices.Equal(a.(state).ids, b.(state).ids) && slices.Equal(a.(state).groups, b.(state).groups)
		},
	}
}

// stepConsecutive reports whether a call can have a result, with consecutive ids.
func (s state) stepConsecutive(c call, got result) (bool, any) {
	if got.err == cancelled {
		return c.cancel, s
	}
	nextID := int64(1)
	if n := len(s.ids); n > 0 {
		nextID = s.ids[n-1] + 1
	}
	want, after := s.after(c, nextID)
	if got.err == unknown {
		return c.cancel, after
	}
	return reflect.DeepEqual(want, got), after
}

// stepUnique is stepConsecutive with ids in any order. A call never ends with unknown
// outcome there: a commit that has begun is not cancelled.
func (s state) stepUnique(c call, got result) (bool, any) {
	if got.err == cancelled {
		return c.cancel, s
	}
	id := int64(0)
	if c.do == "create" && len(got.groups) == 1 {
		if id = got.groups[0].id; id < 1 || slices.Contains(s.ids, id) {
			return false, s
		}
	}
	want, after := s.after(c, id)
	return reflect.DeepEqual(want, got), after
}

// after returns the result of a call and the state after it. A new group gets the id.
func (s state) after(c call, id int64) (result, state) {
	switch c.do {
	case "create":
		return s.put(groupState{id: id}, c.update)
	case "list":
		return result{groups: pageOf(s.matching(c.filter), c.page)}, s
	case "count":
		return result{count: int64(len(s.matching(c.filter)))}, s
	}
	i := slices.IndexFunc(s.groups, func(g groupState) bool { return g.id == c.id })
	switch {
	case i < 0:
		return result{err: notFound}, s
	case c.do == "update":
		return s.put(s.groups[i], c.update)
	case c.do == "delete":
		return result{}, state{s.ids, slices.Delete(slices.Clone(s.groups), i, i+1)}
	}
	return result{groups: []groupState{s.groups[i]}}, s
}

// put stores a group with an update applied, and clears its flags on the other groups.
func (s state) put(g groupState, u cohort.GroupUpdate) (result, state) {
	if u.Name != nil {
		g.name = *u.Name
	}
	if g.name == "" || s.hasName(g) {
		return result{err: invalid}, s
	}
	if u.IsDefault != nil {
		g.isDefault = *u.IsDefault
	}
	if u.IsGroupForGuests != nil {
		g.isGuest = *u.IsGroupForGuests
	}
	next := state{ids: s.ids}
	if at, had := slices.BinarySearch(s.ids, g.id); !had {
		next.ids = slices.Insert(slices.Clone(s.ids), at, g.id)
	}
	for _, other := range s.groups {
		other.isDefault = other.isDefault && !g.isDefault
		other.isGuest = other.isGuest && !g.isGuest
		if other.id != g.id {
			next.groups = append(next.groups, other)
		}
	}
	next.groups = append(next.groups, g)
	slices.SortFunc(next.groups, func(a, b groupState) int { return int(a.id - b.id) })
	return result{groups: []groupState{g}}, next
}

// hasName reports whether another group has the name of g.
func (s state) hasName(g groupState) bool {
	return slices.ContainsFunc(s.groups, func(other groupState) bool {
		return other.id != g.id && strings.EqualFold(other.name, g.name)
	})
}

func (s state) matching(f cohort.GroupFilter) (groups []groupState) {
	for _, g := range s.groups {
		if (f.IsDefault == nil || *f.IsDefault == g.isDefault) && (f.IsGroupForGuests == nil || *f.IsGroupForGuests == g.isGuest) {
			groups = append(groups, g)
		}
	}
	return groups
}

// pageOf returns a page of groups; nil if it has none, as in a result.
func pageOf(groups []groupState, p cohort.Page) []groupState {
	from := min(int(p.Offset()), len(groups))
	return slices.Concat(groups[from:min(from+p.Size, len(groups))])
}
