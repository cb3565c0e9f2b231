package service_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCreateGroupReturnsWhatIsKept(t *testing.T) {
	given := cohort.Group{
		ID: 99, Name: "  VIP ", IsDefault: true, IsGroupForGuests: true,
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{3, 1, 3}},
		DiscountRules:  []cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 5), percentOff(cohort.RuleProduct, 7, 10)},
		DateCreated:    t0.AddDate(-1, 0, 0), DateModified: t0.AddDate(-1, 0, 0), // not the caller's to choose
	}
	want := given
	want.ID, want.Name, want.CategoryAccess.Categories = 1, "VIP", []int64{3, 1}
	want.DateCreated, want.DateModified = t0, t0
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		got := mustCreate(t, svc, "a", given)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("returned (-want +got):\n%s", diff)
		}
		wantGroups(t, svc, "a", want)
	})
}

func TestInvalidGroupsChangeNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		first := mustCreate(t, svc, "a", cohort.Group{Name: "first", IsDefault: true})
		second := mustCreate(t, svc, "a", cohort.Group{Name: "second"})

		_, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: " ", IsDefault: true})
		wantKind(t, err, cohort.KindInvalid)
		// Each update has a part that is valid, which must not be kept alone.
		for _, u := range []cohort.GroupUpdate{
			{Name: new(""), IsDefault: new(true)},
			{Name: new("new"), CategoryAccess: &cohort.CategoryAccess{Type: cohort.AccessSpecific}},
			{Name: new("new"), DiscountRules: &[]cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 101)}},
		} {
			_, err := svc.UpdateGroup(t.Context(), "a", second.ID, u)
			wantKind(t, err, cohort.KindInvalid)
		}
		wantGroups(t, svc, "a", first, second)

		if third := mustCreate(t, svc, "a", cohort.Group{Name: "third"}); third.ID != 3 {
			t.Errorf("the group after a refused one has the id %d", third.ID)
		}
	})
}

func TestGroupsThatDoNotExist(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		g := mustCreate(t, svc, "a", cohort.Group{Name: "x"})
		for _, at := range []struct {
			store string
			id    int64
		}{{"a", g.ID + 1}, {"a", 0}, {"a", -1}, {"b", g.ID}, {"none", g.ID}} {
			_, err := svc.Group(t.Context(), at.store, at.id)
			wantKind(t, err, cohort.KindNotFound)
			_, err = svc.UpdateGroup(t.Context(), at.store, at.id, cohort.GroupUpdate{Name: new("y")})
			wantKind(t, err, cohort.KindNotFound)
			_, err = svc.UpdateGroup(t.Context(), at.store, at.id, cohort.GroupUpdate{})
			wantKind(t, err, cohort.KindNotFound)
			wantKind(t, svc.DeleteGroup(t.Context(), at.store, at.id), cohort.KindNotFound)
		}
		wantGroups(t, svc, "a", g)

		if err := svc.DeleteGroup(t.Context(), "a", g.ID); err != nil {
			t.Fatal(err)
		}
		wantKind(t, svc.DeleteGroup(t.Context(), "a", g.ID), cohort.KindNotFound)
		wantGroups(t, svc, "a")
	})
}

func TestCreateGroupInAStoreThatIsGone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		if g, err := svc.CreateGroup(t.Context(), "gone", cohort.Group{Name: "x"}); err == nil {
			t.Errorf("got %v", g)
		}
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "gone"}); err != nil {
			t.Fatal(err)
		}
		wantGroups(t, svc, "gone")
	})
}

func TestDates(t *testing.T) {
	const minute = time.Minute
	tests := []struct {
		name   string
		after  time.Duration // how far the clock has moved when update runs
		update cohort.GroupUpdate
		want   time.Duration // by how much the modification date has
	}{
		{"later", minute, cohort.GroupUpdate{Name: new("new")}, minute},
		{"at once", 0, cohort.GroupUpdate{Name: new("new")}, 0},
		{"the same values again", minute, cohort.GroupUpdate{Name: new("first"), IsDefault: new(false)}, minute},
		{"nothing", minute, cohort.GroupUpdate{}, 0},
		{"the clock went back", -minute, cohort.GroupUpdate{Name: new("new")}, 0},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for i, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				c, store := newClock(), string(rune('a'+i))
				svc := newService(t, d, []string{store}, service.WithClock(c.Now))
				first := mustCreate(t, svc, store, cohort.Group{Name: "first"})
				other := mustCreate(t, svc, store, cohort.Group{Name: "other"})
				if !first.DateCreated.Equal(t0) || !first.DateModified.Equal(t0) {
					t.Errorf("created at %v, modified at %v, want both at %v", first.DateCreated, first.DateModified, t0)
				}

				c.Set(t0.Add(tt.after))
				want := tt.update.Apply(first)
				want.DateModified = t0.Add(tt.want)
				got := mustUpdate(t, svc, store, first.ID, tt.update)
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("returned (-want +got):\n%s", diff)
				}
				wantGroups(t, svc, store, want, other)
			})
		}
	})
}

// A group that loses a flag is modified by that, though nobody named it.
func TestDateOfTheGroupThatLosesAFlag(t *testing.T) {
	both := cohort.GroupUpdate{IsDefault: new(true), IsGroupForGuests: new(true)}
	take := map[string]func(*testing.T, *service.Service, string) cohort.Group{
		"created": func(t *testing.T, svc *service.Service, store string) cohort.Group {
			return mustCreate(t, svc, store, both.Apply(cohort.Group{Name: "new"}))
		},
		"updated": func(t *testing.T, svc *service.Service, store string) cohort.Group {
			g := mustCreate(t, svc, store, cohort.Group{Name: "new"})
			return mustUpdate(t, svc, store, g.ID, both)
		},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, taken := range take {
			for by, after := range map[string]time.Duration{"later": time.Minute, "clock-back": -time.Minute} {
				t.Run(name+" "+by, func(t *testing.T) {
					c, store := newClock(), name+"-"+by
					svc := newService(t, d, []string{store}, service.WithClock(c.Now))
					loser := mustCreate(t, svc, store, both.Apply(cohort.Group{Name: "old"}))
					bystander := mustCreate(t, svc, store, cohort.Group{Name: "bystander"})
					c.Set(t0.Add(after))
					winner := taken(t, svc, store)

					loser.IsDefault, loser.IsGroupForGuests = false, false
					loser.DateModified = t0.Add(max(after, 0)) // never back
					wantGroups(t, svc, store, loser, bystander, winner)
				})
			}
		}
	})
}

// To set a flag on the group that has it touches no other, and a flag that goes
// off goes to nobody.
func TestFlagsThatDoNotMove(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		guests := mustCreate(t, svc, "a", cohort.Group{Name: "guests", IsGroupForGuests: true})
		g := mustCreate(t, svc, "a", cohort.Group{Name: "default", IsDefault: true})
		c.Set(t0.Add(time.Hour))
		g = mustUpdate(t, svc, "a", g.ID, cohort.GroupUpdate{IsDefault: new(true)})
		wantGroups(t, svc, "a", guests, g)
		g = mustUpdate(t, svc, "a", g.ID, cohort.GroupUpdate{IsDefault: new(false)})
		wantGroups(t, svc, "a", guests, g)
		if g.IsDefault {
			t.Error("the flag is still on")
		}
	})
}

// A clock has more digits than a database keeps. What a call returns must be
// what the next one reads.
func TestDatesAreReturnedAsKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		c.Set(t0.Add(123456 * time.Nanosecond).In(time.FixedZone("", 3600)))
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		created := mustCreate(t, svc, "a", cohort.Group{Name: "x"})
		wantGroups(t, svc, "a", created)
		c.Set(c.Now().Add(time.Hour))
		wantGroups(t, svc, "a", mustUpdate(t, svc, "a", created.ID, cohort.GroupUpdate{Name: new("y")}))
		if created.DateCreated.Location() != time.UTC {
			t.Errorf("the date is in %v", created.DateCreated.Location())
		}
	})
}
