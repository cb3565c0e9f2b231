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

// call is what one caller asks for.
type call struct {
	do     string // create, update, delete, get, list or count
	id     int64
	update cohort.GroupUpdate // of an update; a create begins with nothing
	filter cohort.GroupFilter
	page   cohort.Page
	leaves bool // the caller does not wait for the answer
}

var everything = cohort.Page{Number: 1, Size: 1000}

// beginning is what a store has when its callers come, and end is what shows
// how they have left it.
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

// callsTo generates calls that do one of these. Ids are so few that callers
// meet.
func callsTo(do ...string) *rapid.Generator[call] {
	return rapid.Custom(func(t *rapid.T) call {
		return call{
			do: rapid.SampledFrom(do).Draw(t, "do"),
			id: rapid.Int64Range(1, 4).Draw(t, "id"),
			update: cohort.GroupUpdate{
				Name:      rapid.SampledFrom([]*string{new("x"), new("x"), new("x"), nil, new("")}).Draw(t, "name"),
				IsDefault: maybe(t, rapid.Bool(), "default"), IsGroupForGuests: maybe(t, rapid.Bool(), "guests"),
			},
			filter: cohort.GroupFilter{
				IsDefault:        rapid.SampledFrom([]*bool{nil, nil, nil, new(true), new(false)}).Draw(t, "is default"),
				IsGroupForGuests: rapid.SampledFrom([]*bool{nil, nil, nil, new(true), new(false)}).Draw(t, "is for guests"),
			},
			page:   rapid.SampledFrom([]cohort.Page{everything, everything, {Number: 1, Size: 2}, {Number: 2, Size: 2}}).Draw(t, "page"),
			leaves: rapid.SampledFrom([]bool{false, false, false, false, false, false, true}).Draw(t, "leaves"),
		}
	})
}

// notEmpty makes an update that changes nothing one that does.
func (c call) notEmpty() call {
	if c.update.IsEmpty() {
		c.update.IsDefault = new(true)
	}
	return c
}

// answer is what a caller gets; of groups, what can differ between them.
type answer struct {
	groups []known
	count  int64
	err    string
}

type known struct {
	id                 int64
	name               string
	isDefault, isGuest bool
}

// The errors that a caller may get.
const (
	invalid  = "invalid"
	notFound = "not found"
	left     = "left" // nothing was done
	unknown  = "left when it had begun"
)

func knownOf(g cohort.Group) known { return known{g.ID, g.Name, g.IsDefault, g.IsGroupForGuests} }

// on makes the call.
func (c call) on(svc *service.Service, store string) answer {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	if c.leaves {
		go leave()
	}
	switch c.do {
	case "create":
		g, err := svc.CreateGroup(ctx, store, c.update.Apply(cohort.Group{}))
		return answerOf(err, g)
	case "update":
		g, err := svc.UpdateGroup(ctx, store, c.id, c.update)
		return answerOf(err, g)
	case "delete":
		return answerOf(svc.DeleteGroup(ctx, store, c.id))
	case "get":
		g, err := svc.Group(ctx, store, c.id)
		return answerOf(err, g)
	case "list":
		groups, err := svc.ListGroups(ctx, store, c.filter, c.page)
		return answerOf(err, groups...)
	}
	n, err := svc.CountGroups(ctx, store, c.filter)
	a := answerOf(err)
	a.count = n
	return a
}

func answerOf(err error, groups ...cohort.Group) (a answer) {
	switch {
	case errors.Is(err, context.Canceled) && strings.Contains(err.Error(), "unknown"):
		return answer{err: unknown}
	case errors.Is(err, context.Canceled):
		return answer{err: left}
	case cohort.KindOf(err) == cohort.KindInvalid:
		return answer{err: invalid}
	case cohort.KindOf(err) == cohort.KindNotFound:
		return answer{err: notFound}
	case err != nil:
		return answer{err: err.Error()}
	}
	for _, g := range groups {
		a.groups = append(a.groups, knownOf(g))
	}
	return a
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
	if c.leaves {
		text += ", and leaves"
	}
	return text
}

// state is what a store holds. It is never changed in place.
type state struct {
	given  []int64 // ids, in their order
	groups []known // by id
}

// oneCaller is a store as one caller alone knows it. On SQLite he gets one id
// after the other. Where many write at a time each gets one that nobody has had,
// but who has the higher one may be done first.
func oneCaller(d *db.DB) porcupine.Model {
	step := state.inTurn
	if !d.SeesAllWrites() {
		step = state.inAnyTurn
	}
	return porcupine.Model{
		Init: func() any { return state{} },
		Step: func(before, input, output any) (bool, any) {
			return step(before.(state), input.(call), output.(answer))
		},
		Equal: func(a, b any) bool {
			return slices.Equal(a.(state).given, b.(state).given) && slices.Equal(a.(state).groups, b.(state).groups)
		},
	}
}

// inTurn reports whether a call can get an answer, with ids one after the other.
func (s state) inTurn(c call, got answer) (bool, any) {
	if got.err == left {
		return c.leaves, s
	}
	nextID := int64(1)
	if n := len(s.given); n > 0 {
		nextID = s.given[n-1] + 1
	}
	want, after := s.after(c, nextID)
	if got.err == unknown {
		return c.leaves, after
	}
	return reflect.DeepEqual(want, got), after
}

// inAnyTurn is inTurn with ids in any order. Nobody is told there that he left
// when his call had begun: who has begun stays.
func (s state) inAnyTurn(c call, got answer) (bool, any) {
	if got.err == left {
		return c.leaves, s
	}
	id := int64(0)
	if c.do == "create" && len(got.groups) == 1 {
		if id = got.groups[0].id; id < 1 || slices.Contains(s.given, id) {
			return false, s
		}
	}
	want, after := s.after(c, id)
	return reflect.DeepEqual(want, got), after
}

// after is the answer to a call, and what the store holds then. A new group gets
// the id.
func (s state) after(c call, id int64) (answer, state) {
	switch c.do {
	case "create":
		return s.put(known{id: id}, c.update)
	case "list":
		return answer{groups: pageOf(s.matching(c.filter), c.page)}, s
	case "count":
		return answer{count: int64(len(s.matching(c.filter)))}, s
	}
	i := slices.IndexFunc(s.groups, func(g known) bool { return g.id == c.id })
	switch {
	case i < 0:
		return answer{err: notFound}, s
	case c.do == "update":
		return s.put(s.groups[i], c.update)
	case c.do == "delete":
		return answer{}, state{s.given, slices.Delete(slices.Clone(s.groups), i, i+1)}
	}
	return answer{groups: []known{s.groups[i]}}, s
}

// put keeps a group with an update in it, and takes its flags from the others.
func (s state) put(g known, u cohort.GroupUpdate) (answer, state) {
	if u.Name != nil {
		g.name = *u.Name
	}
	if g.name == "" {
		return answer{err: invalid}, s
	}
	if u.IsDefault != nil {
		g.isDefault = *u.IsDefault
	}
	if u.IsGroupForGuests != nil {
		g.isGuest = *u.IsGroupForGuests
	}
	next := state{given: s.given}
	if at, had := slices.BinarySearch(s.given, g.id); !had {
		next.given = slices.Insert(slices.Clone(s.given), at, g.id)
	}
	for _, other := range s.groups {
		other.isDefault = other.isDefault && !g.isDefault
		other.isGuest = other.isGuest && !g.isGuest
		if other.id != g.id {
			next.groups = append(next.groups, other)
		}
	}
	next.groups = append(next.groups, g)
	slices.SortFunc(next.groups, func(a, b known) int { return int(a.id - b.id) })
	return answer{groups: []known{g}}, next
}

func (s state) matching(f cohort.GroupFilter) (groups []known) {
	for _, g := range s.groups {
		if (f.IsDefault == nil || *f.IsDefault == g.isDefault) && (f.IsGroupForGuests == nil || *f.IsGroupForGuests == g.isGuest) {
			groups = append(groups, g)
		}
	}
	return groups
}

// pageOf returns nil for a page without groups, as an answer has none then.
func pageOf(groups []known, p cohort.Page) []known {
	from := min(int(p.Offset()), len(groups))
	return slices.Concat(groups[from:min(from+p.Size, len(groups))])
}
