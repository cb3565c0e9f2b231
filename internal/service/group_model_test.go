package service_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestGroupsAgainstModel runs random sequential histories on a service and on a map, and
// compares every result.
func TestGroupsAgainstModel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, nil, service.WithClock(c.Now))
		histories := 0
		rapid.Check(t, func(t *rapid.T) {
			histories++
			m := &model{svc: svc, clock: c, store: fmt.Sprint("s", histories), groups: map[int64]cohort.Group{}, consecutive: d.SeesAllWrites()}
			c.Set(t0)
			if _, err := svc.CreateStore(context.Background(), cohort.Store{Hash: m.store}); err != nil {
				t.Fatal(err)
			}
			t.Repeat(rapid.StateMachineActions(m))
		})
	})
}

// model is the expected state of a store's groups. Its exported methods are the actions
// of the state machine.
type model struct {
	svc    *service.Service
	clock  *clock
	store  string
	lastID int64
	groups map[int64]cohort.Group
	// consecutive: a rejected create takes no id. On PostgreSQL it does.
	consecutive bool
	dirty       bool // a write was attempted since the last Check
}

// Names that differ in case or surrounding spaces, and invalid ones.
var names = rapid.SampledFrom([]string{"VIP", "vip", " VIP ", "Ärzte", "ärzte & co", "x", "", " ", strings.Repeat("x", 256)})

var access = rapid.SampledFrom([]cohort.CategoryAccess{
	{}, {Type: cohort.AccessAll}, {Type: cohort.AccessNone, Categories: []int64{1}},
	{Type: cohort.AccessSpecific, Categories: []int64{2, 1, 2}}, {Type: cohort.AccessSpecific}, {Type: "some"},
})

var rules = rapid.SampledFrom([][]cohort.DiscountRule{
	nil, {}, {percentOff(cohort.RuleAll, 0, 5)}, {percentOff(cohort.RuleProduct, 2, 5), percentOff(cohort.RuleCategory, 2, 7)},
	{{Type: cohort.RulePriceList, TargetID: 3}}, {percentOff(cohort.RuleAll, 0, 101)}, {percentOff(cohort.RuleAll, 0, 1), percentOff(cohort.RuleAll, 0, 1)},
})

// maybe draws a value, or nil.
func maybe[V any](t *rapid.T, g *rapid.Generator[V], label string) *V {
	return rapid.Ptr(g, true).Draw(t, label)
}

func drawUpdate(t *rapid.T) cohort.GroupUpdate {
	return cohort.GroupUpdate{
		Name: maybe(t, names, "name"), CategoryAccess: maybe(t, access, "access"), DiscountRules: maybe(t, rules, "rules"),
		IsDefault: maybe(t, rapid.Bool(), "default"), IsGroupForGuests: maybe(t, rapid.Bool(), "guests"),
	}
}

// drawID draws the id of an existing, deleted or future group.
func (m *model) drawID(t *rapid.T) int64 { return rapid.Int64Range(0, m.lastID+1).Draw(t, "id") }

// put stores a group in the model and clears its flags on the other groups.
func (m *model) put(g cohort.Group) {
	for id, other := range m.groups {
		if id == g.ID {
			continue
		}
		loses := g.IsDefault && other.IsDefault || g.IsGroupForGuests && other.IsGroupForGuests
		other.IsDefault = other.IsDefault && !g.IsDefault
		other.IsGroupForGuests = other.IsGroupForGuests && !g.IsGroupForGuests
		if loses {
			other.DateModified = m.clock.Now()
		}
		m.groups[id] = other
	}
	m.groups[g.ID] = g
}

// hasName reports whether another group has the name of g.
func (m *model) hasName(g cohort.Group) bool {
	for id, other := range m.groups {
		if id != g.ID && db.Fold(other.Name) == db.Fold(g.Name) {
			return true
		}
	}
	return false
}

func (m *model) Create(t *rapid.T) {
	m.dirty = true
	want := drawUpdate(t).Apply(cohort.Group{})
	got, err := m.svc.CreateGroup(context.Background(), m.store, want)
	if want.Validate() != nil || m.hasName(want) {
		m.wantError(t, err, cohort.KindInvalid)
		return
	}
	m.lastID++
	if !m.consecutive {
		m.lastID = max(m.lastID, got.ID)
	}
	want.ID, want.DateCreated, want.DateModified = m.lastID, m.clock.Now(), m.clock.Now()
	m.wantGroup(t, want, got, err)
	m.put(want)
}

func (m *model) Update(t *rapid.T) {
	m.dirty = true
	id, u := m.drawID(t), drawUpdate(t)
	got, err := m.svc.UpdateGroup(context.Background(), m.store, id, u)
	before, exists := m.groups[id]
	want := u.Apply(before)
	switch {
	case !exists:
		m.wantError(t, err, cohort.KindNotFound)
		return
	case want.Validate() != nil || m.hasName(want):
		m.wantError(t, err, cohort.KindInvalid)
		return
	case !u.IsEmpty():
		want.DateModified = m.clock.Now()
	}
	m.wantGroup(t, want, got, err)
	m.put(want)
}

func (m *model) Delete(t *rapid.T) {
	m.dirty = true
	id := m.drawID(t)
	err := m.svc.DeleteGroup(context.Background(), m.store, id)
	if _, exists := m.groups[id]; !exists {
		m.wantError(t, err, cohort.KindNotFound)
	} else if err != nil {
		t.Fatal(err)
	}
	delete(m.groups, id)
}

func (m *model) Get(t *rapid.T) {
	id := m.drawID(t)
	got, err := m.svc.Group(context.Background(), m.store, id)
	if want, exists := m.groups[id]; exists {
		m.wantGroup(t, want, got, err)
	} else {
		m.wantError(t, err, cohort.KindNotFound)
	}
}

// List compares a page and the count of a random filter.
func (m *model) List(t *rapid.T) {
	f := drawFilter(t)
	page := cohort.Page{Number: rapid.IntRange(1, 4).Draw(t, "page"), Size: rapid.IntRange(1, 4).Draw(t, "size")}
	var want []cohort.Group
	for _, id := range slices.Sorted(maps.Keys(m.groups)) {
		if matches(f, m.groups[id]) {
			want = append(want, m.groups[id])
		}
	}
	n, err := m.svc.CountGroups(context.Background(), m.store, f)
	if err != nil || n != int64(len(want)) {
		t.Fatalf("CountGroups returned %d, error %v, want %d", n, err, len(want))
	}
	from := min(int(page.Offset()), len(want))
	want = want[from:min(from+page.Size, len(want))]
	got, err := m.svc.ListGroups(context.Background(), m.store, f, page)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Fatalf("error %v (-want +got):\n%s", err, diff)
	}
}

func drawFilter(t *rapid.T) cohort.GroupFilter {
	moment := rapid.Map(rapid.IntRange(0, 20), func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) })
	timeRange := rapid.Custom(func(t *rapid.T) (s cohort.TimeRange) {
		if from := maybe(t, moment, "from"); from != nil {
			s.From = *from
		}
		if until := maybe(t, moment, "until"); until != nil {
			s.Until = *until
		}
		return s
	})
	return cohort.GroupFilter{
		Name: maybe(t, names, "name is"), NameLike: rapid.SampledFrom([]string{"", "", "I", "ÄR", "te & ", "%", "y"}).Draw(t, "name like"),
		IsDefault: maybe(t, rapid.Bool(), "is default"), IsGroupForGuests: maybe(t, rapid.Bool(), "is for guests"),
		DateCreated: timeRange.Draw(t, "created"), DateModified: timeRange.Draw(t, "modified"),
	}
}

func matches(f cohort.GroupFilter, g cohort.Group) bool {
	within := func(s cohort.TimeRange, at time.Time) bool {
		return (s.From.IsZero() || !at.Before(s.From)) && (s.Until.IsZero() || at.Before(s.Until))
	}
	return (f.Name == nil || *f.Name == g.Name) &&
		strings.Contains(strings.ToUpper(g.Name), strings.ToUpper(f.NameLike)) &&
		(f.IsDefault == nil || *f.IsDefault == g.IsDefault) &&
		(f.IsGroupForGuests == nil || *f.IsGroupForGuests == g.IsGroupForGuests) &&
		within(f.DateCreated, g.DateCreated) && within(f.DateModified, g.DateModified)
}

// Tick moves the clock.
func (m *model) Tick(t *rapid.T) {
	m.clock.Set(m.clock.Now().Add(time.Duration(rapid.IntRange(1, 3).Draw(t, "seconds")) * time.Second))
}

// Check compares all groups after each attempted write.
func (m *model) Check(t *rapid.T) {
	if !m.dirty {
		return
	}
	m.dirty = false
	var want []cohort.Group
	for _, id := range slices.Sorted(maps.Keys(m.groups)) {
		want = append(want, m.groups[id])
	}
	wantGroups(t, m.svc, m.store, want...)
}

func (m *model) wantGroup(t *rapid.T, want, got cohort.Group, err error) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Fatalf("error %v (-want +got):\n%s", err, diff)
	}
}

func (m *model) wantError(t *rapid.T, err error, kind cohort.Kind) {
	t.Helper()
	if err == nil || cohort.KindOf(err) != kind {
		t.Fatalf("got error %v, want kind %v", err, kind)
	}
}
