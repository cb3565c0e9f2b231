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

func TestCreateGroupReturnsStoredState(t *testing.T) {
	given := cohort.Group{
		ID: 99, Name: "  VIP ", IsDefault: true, IsGroupForGuests: true,
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{3, 1, 3}},
		DiscountRules:  []cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 5), percentOff(cohort.RuleProduct, 7, 10)},
		DateCreated:    t0.AddDate(-1, 0, 0), DateModified: t0.AddDate(-1, 0, 0), // ignored
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
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		first := mustCreate(t, svc, "a", cohort.Group{Name: "first", IsDefault: true})
		second := mustCreate(t, svc, "a", cohort.Group{Name: "second"})

		_, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: " ", IsDefault: true})
		wantKind(t, err, cohort.KindInvalid)
		// Each update has a valid part, which must not be stored.
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
			t.Errorf("the group after a rejected one has the id %d, want 3", third.ID)
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

func TestCreateGroupInUnknownStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		if g, err := svc.CreateGroup(t.Context(), "unknown", cohort.Group{Name: "x"}); err == nil {
			t.Errorf("created %v in a store that does not exist", g)
		}
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "unknown"}); err != nil {
			t.Fatal(err)
		}
		wantGroups(t, svc, "unknown")
	})
}

func TestDates(t *testing.T) {
	const minute = time.Minute
	tests := []struct {
		name   string
		after  time.Duration // from the creation to the update, by the clock
		update cohort.GroupUpdate
		want   time.Duration // from the creation to the modification date
	}{
		{"later", minute, cohort.GroupUpdate{Name: new("new")}, minute},
		{"at the same time", 0, cohort.GroupUpdate{Name: new("new")}, 0},
		{"the same values again", minute, cohort.GroupUpdate{Name: new("first"), IsDefault: new(false)}, minute},
		{"empty", minute, cohort.GroupUpdate{}, 0},
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

// When a flag moves, the modification date of the group that loses it changes.
func TestDateOfGroupThatLosesFlag(t *testing.T) {
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
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		for name, takeFlags := range take {
			for by, after := range map[string]time.Duration{"later": time.Minute, "clock-back": -time.Minute} {
				t.Run(name+" "+by, func(t *testing.T) {
					c, store := newClock(), name+"-"+by
					svc := newService(t, d, []string{store}, service.WithClock(c.Now))
					loser := mustCreate(t, svc, store, both.Apply(cohort.Group{Name: "old"}))
					bystander := mustCreate(t, svc, store, cohort.Group{Name: "bystander"})
					c.Set(t0.Add(after))
					winner := takeFlags(t, svc, store)

					loser.IsDefault, loser.IsGroupForGuests = false, false
					loser.DateModified = t0.Add(max(after, 0)) // never back
					wantGroups(t, svc, store, loser, bystander, winner)
				})
			}
		}
	})
}

// Setting a flag on the group that has it, or clearing it, changes no other group.
func TestFlagsThatDoNotMove(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
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
			t.Error("the flag is not cleared")
		}
	})
}

// The clock has a higher resolution than the stored dates. A write must return the dates
// that the next read returns.
func TestDatesAreReturnedAsStored(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		c.Set(t0.Add(123456 * time.Nanosecond).In(time.FixedZone("", 3600)))
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		created := mustCreate(t, svc, "a", cohort.Group{Name: "x"})
		wantGroups(t, svc, "a", created)
		c.Set(c.Now().Add(time.Hour))
		wantGroups(t, svc, "a", mustUpdate(t, svc, "a", created.ID, cohort.GroupUpdate{Name: new("y")}))
		if created.DateCreated.Location() != time.UTC {
			t.Errorf("the date is in %v, want UTC", created.DateCreated.Location())
		}
	})
}

// A group may have been stored with more categories than MaxCategoriesOfGroup, before
// the limit was introduced. Other fields of it can still be changed.
func TestGroupWithTooManyCategories(t *testing.T) {
	large := cohort.Group{ID: 1, Name: "large", CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific}, DateCreated: t0, DateModified: t0}
	for id := range int64(cohort.MaxCategoriesOfGroup + 1) {
		large.CategoryAccess.Categories = append(large.CategoryAccess.Categories, id+1)
	}
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		if err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertGroup("a", large) }); err != nil {
			t.Fatal(err)
		}
		wantGroups(t, svc, "a", large)

		want := large
		want.Name = "renamed"
		got, err := svc.UpdateGroup(t.Context(), "a", large.ID, cohort.GroupUpdate{Name: &want.Name})
		if err != nil {
			t.Fatal(err)
		}
		wantGroups(t, svc, "a", got)
		if got.Name != want.Name || len(got.CategoryAccess.Categories) != len(large.CategoryAccess.Categories) {
			t.Errorf("the renamed group is %q with %d categories", got.Name, len(got.CategoryAccess.Categories))
		}

		_, err = svc.UpdateGroup(t.Context(), "a", large.ID, cohort.GroupUpdate{CategoryAccess: &large.CategoryAccess})
		wantKind(t, err, cohort.KindInvalid)
	})
}
