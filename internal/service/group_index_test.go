package service_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// someFilter is a filter that the group index is used for.
var someFilter = cohort.GroupFilter{NameLike: "group"}

// inBubble runs a test on an empty SQLite database in a synctest bubble, where it can
// wait for the load of a group index. On PostgreSQL there is no group index.
func inBubble(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	synctest.Test(t, func(t *testing.T) { fn(t, url) })
}

// noDeadline hides the method Deadline, which rapid must not call in a bubble.
type noDeadline struct{ *testing.T }

// loadIndex loads the group index of the store "a".
func loadIndex(t testing.TB, svc *service.Service) {
	t.Helper()
	svc.HasIndex("a", someFilter, 0)
	synctest.Wait()
	if !svc.HasIndex("a", someFilter, 0) || !svc.HasIndex("a", cohort.GroupFilter{}, service.MinIndexOffset) {
		t.Fatal("the group index is not loaded")
	}
}

// addMany adds groups without the service.
func addMany(t testing.TB, d *db.DB, store string, n int) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		for i := range n {
			id, err := tx.NextID(store, "customer_group")
			if err != nil {
				return err
			}
			at := t0.Add(time.Duration(i%7) * time.Second)
			g := cohort.Group{ID: id, Name: fmt.Sprintf("Group %d, number %d", i%11, i), DateCreated: at, DateModified: at.Add(time.Duration(i%5) * time.Second)}
			if err := tx.InsertGroup(store, g.Normalized()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fromDatabase returns a page and a count from the database, without the service.
func fromDatabase(t rapid.TB, d *db.DB, store string, f cohort.GroupFilter, p cohort.Page) (groups []cohort.Group, n int64) {
	t.Helper()
	err := d.View(context.Background(), func(tx *db.Tx) (err error) {
		if groups, err = tx.ListGroups(store, f, p); err != nil {
			return err
		}
		n, err = tx.CountGroups(store, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return groups, n
}

// wantAsDatabase fails unless the service returns the same page and count as the
// database.
func wantAsDatabase(t rapid.TB, svc *service.Service, d *db.DB, f cohort.GroupFilter, p cohort.Page) {
	t.Helper()
	want, wantN := fromDatabase(t, d, "a", f, p)
	got, err := svc.ListGroups(context.Background(), "a", f, p)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Fatalf("page %+v of %+v: error %v (-database +got):\n%s", p, f, err, diff)
	}
	if n, err := svc.CountGroups(context.Background(), "a", f); n != wantN || err != nil {
		t.Fatalf("count of %+v: got %d, error %v, want %d", f, n, err, wantN)
	}
}

// With a group index, lists and counts are the same as those of the database, for any
// filter and page and after any changes.
func TestIndexEqualsDatabase(t *testing.T) {
	const groups = service.MinIndexOffset + 150
	inBubble(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		c := newClock()
		svc := newService(t, d, []string{"a", "b"}, service.WithClock(c.Now))
		addMany(t, d, "a", groups)
		addMany(t, d, "b", 10)
		loadIndex(t, svc)
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				changeGroup(t, svc, c, groups)
			}
			f := rapid.OneOf(rapid.Custom(drawFilter), rapid.Custom(drawCondition), rapid.Just(cohort.GroupFilter{})).Draw(t, "filter")
			size := rapid.SampledFrom([]int{1, 7, 50, 250, 1000, math.MaxInt}).Draw(t, "size")
			number := rapid.OneOf(rapid.IntRange(1, 3), rapid.IntRange(1, groups), rapid.Just(math.MaxInt)).Draw(t, "number")
			wantAsDatabase(t, svc, d, f, cohort.Page{Number: number, Size: size})
		})
		if !svc.HasIndex("a", someFilter, 0) {
			t.Error("the group index was dropped during the test")
		}
	})
}

// drawCondition draws a filter with one condition that many groups pass.
func drawCondition(t *rapid.T) cohort.GroupFilter {
	moment := t0.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "moment")) * time.Second)
	return rapid.SampledFrom([]cohort.GroupFilter{
		someFilter, {NameLike: "group 1,"}, {Name: new("Group 1, number 1")}, {IsDefault: new(false)}, {IsGroupForGuests: new(false)}, {IsDefault: new(true)}, {IsGroupForGuests: new(true)},
		{DateCreated: cohort.TimeRange{From: moment}}, {DateCreated: cohort.TimeRange{Until: moment}},
		{DateModified: cohort.TimeRange{From: moment}}, {DateModified: cohort.TimeRange{Until: moment}},
	}).Draw(t, "condition")
}

// changeGroup makes one random write to the store "a".
func changeGroup(t *rapid.T, svc *service.Service, c *clock, groups int64) {
	ctx := context.Background()
	c.Set(t0.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "now")) * time.Second))
	id := rapid.Int64Range(1, groups+20).Draw(t, "id")
	var err error
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		err = svc.DeleteGroup(ctx, "a", id)
	case 1, 2:
		_, err = svc.CreateGroup(ctx, "a", drawNumbered(t).Apply(cohort.Group{Name: drawNumberedName(t)}))
	default:
		_, err = svc.UpdateGroup(ctx, "a", id, drawNumbered(t))
	}
	if kind := cohort.KindOf(err); err != nil && kind != cohort.KindNotFound && kind != cohort.KindInvalid {
		t.Fatal(err)
	}
}

// drawNumbered draws an update whose name, if it has one, is rarely taken.
func drawNumbered(t *rapid.T) cohort.GroupUpdate {
	u := drawUpdate(t)
	if u.Name != nil && *u.Name != "" {
		u.Name = new(drawNumberedName(t))
	}
	return u
}

func drawNumberedName(t *rapid.T) string {
	return fmt.Sprintf("Group %d, number %d", rapid.IntRange(0, 2).Draw(t, "kind of name"), rapid.IntRange(0, 1<<30).Draw(t, "number"))
}

// loadedModel is the model of group_model_test.go with further actions, which load and
// drop the group index.
type loadedModel struct{ *model }

// Load loads the index and waits for it.
func (m loadedModel) Load(t *rapid.T) {
	m.svc.HasIndex(m.store, someFilter, 0)
	synctest.Wait()
	if !m.svc.HasIndex(m.store, someFilter, 0) {
		t.Fatal("the group index is not loaded")
	}
}

// BeginLoad begins to load the index and does not wait.
func (m loadedModel) BeginLoad(*rapid.T) { m.svc.HasIndex(m.store, someFilter, 0) }

// Forget drops the index, in one of four calls.
func (m loadedModel) Forget(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "forget") == 0 {
		m.svc.ForgetIndexes()
	}
}

func TestGroupsAgainstModelWithIndex(t *testing.T) {
	inBubble(t, func(t *testing.T, url string) {
		c := newClock()
		svc := newService(t, dbtest.Open(t, url), nil, service.WithClock(c.Now))
		histories := 0
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			histories++
			m := loadedModel{&model{svc: svc, clock: c, store: fmt.Sprint("s", histories), groups: map[int64]cohort.Group{}, consecutive: true}}
			c.Set(t0)
			if _, err := svc.CreateStore(context.Background(), cohort.Store{Hash: m.store}); err != nil {
				t.Fatal(err)
			}
			t.Repeat(rapid.StateMachineActions(m))
		})
	})
}

// A client reads page after page while earlier groups are deleted. Each page shows the
// current state, and the pages end.
func TestDeepPagesDuringDeletion(t *testing.T) {
	const groups, size = 3 * service.MinIndexOffset, 50
	inBubble(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		svc := newService(t, d, []string{"a"})
		addMany(t, d, "a", groups)
		loadIndex(t, svc)
		rng := rand.New(rand.NewPCG(1, 2))
		deleted := 0
		for number := 1; ; number++ {
			p := cohort.Page{Number: number, Size: size}
			wantAsDatabase(t, svc, d, cohort.GroupFilter{}, p)
			page, err := svc.ListGroups(t.Context(), "a", cohort.GroupFilter{}, p)
			if err != nil {
				t.Fatal(err)
			}
			if left := groups - deleted - int(p.Offset()); len(page) != max(0, min(left, size)) {
				t.Fatalf("page %d has %d groups, but %d remain from its offset", number, len(page), left)
			}
			if len(page) == 0 {
				break
			}
			for range 10 {
				if svc.DeleteGroup(t.Context(), "a", 1+rng.Int64N(groups)) == nil {
					deleted++
				}
			}
		}
		for _, number := range []int{100, 1_000_000, math.MaxInt} {
			wantAsDatabase(t, svc, d, cohort.GroupFilter{}, cohort.Page{Number: number, Size: size})
		}
	})
}
