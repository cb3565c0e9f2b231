package db_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestGroupRoundTrip(t *testing.T) {
	none := newGroup(2, "none")
	none.CategoryAccess.Type = cohort.AccessNone
	list := newGroup(3, "price list")
	list.DiscountRules = []cohort.DiscountRule{{Type: cohort.RulePriceList, TargetID: 5}}
	old := newGroup(4, "before 1970")
	old.DateCreated, old.DateModified = time.UnixMilli(-1).UTC(), time.UnixMilli(-62_000_000_000_000).UTC()
	groups := []cohort.Group{fullGroup(1), none, list, old, newGroup(math.MaxInt64, "x")}

	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", groups...)
		wantGroups(t, d, "a", groups...)
		for _, want := range groups {
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.Group("a", want.ID)
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				return err
			})
		}
	})
}

func TestReadGroupsAfter(t *testing.T) {
	tests := []struct {
		store string
		after int64
		limit int
		want  []int64
	}{
		{"a", 0, 100, []int64{1, 2, 3, 5, 6, 7, 8, 9, 10}}, // 4 is deleted
		{"a", math.MinInt64, 2, []int64{1, 2}},
		{"a", 2, 3, []int64{3, 5, 6}},
		{"a", 3, 3, []int64{5, 6, 7}},
		{"a", 8, 3, []int64{9, 10}},
		{"a", 9, 1, []int64{10}},
		{"a", 10, 3, nil},
		{"a", math.MaxInt64, 3, nil},
		{"a", 0, 0, nil},
		{"a", 0, math.MaxInt, []int64{1, 2, 3, 5, 6, 7, 8, 9, 10}},
		{"b", 0, 100, []int64{1}},
		{"none", 0, 100, nil},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addOldGroups(t, d, "a", groupsToFilter()...)
		addGroups(t, d, "b", newGroup(1, "of b"))
		update(t, d, func(tx *db.Tx) error { return tx.DeleteGroup("a", 4) })
		all := listGroups(t, d, "a", allGroups, onePage)
		for _, tt := range tests {
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.ListGroups(tt.store, allGroups, cohort.Page{Number: 1, Size: tt.limit, After: strconv.FormatInt(tt.after, 10)})
				if !slices.Equal(groupIDs(got), tt.want) {
					t.Errorf("store %s, %d after %d: got %v, want %v", tt.store, tt.limit, tt.after, groupIDs(got), tt.want)
				}
				if len(got) == len(all) {
					if diff := cmp.Diff(all, got); diff != "" {
						t.Errorf("(-ListGroups +got):\n%s", diff)
					}
				}
				return err
			})
		}
	})
}

func TestReadGroupsByID(t *testing.T) {
	vip := cohort.GroupFilter{NameLike: "vip"}
	tests := []struct {
		store  string
		filter cohort.GroupFilter
		ids    []int64
		want   []int64
	}{
		{"a", allGroups, nil, nil},
		{"a", allGroups, []int64{1, 5, 10}, []int64{1, 5, 10}},
		{"a", allGroups, []int64{0, 2, 4, 11, math.MaxInt64}, []int64{2}}, // 4 is deleted
		{"a", vip, []int64{1, 2, 3}, []int64{1, 2}},                       // 3 does not pass
		{"a", cohort.GroupFilter{Name: new("vip"), IsDefault: new(true)}, []int64{1, 2, 3}, []int64{2}},
		{"a", cohort.GroupFilter{IsDefault: new(false)}, []int64{1, 2, 3}, []int64{1, 3}},
		{"b", vip, []int64{1, 2}, nil}, // of another store
		{"none", allGroups, []int64{1}, nil},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addOldGroups(t, d, "a", groupsToFilter()...)
		addGroups(t, d, "b", newGroup(1, "of b"))
		update(t, d, func(tx *db.Tx) error { return tx.DeleteGroup("a", 4) })
		for _, tt := range tests {
			view(t, d, func(tx *db.Tx) error {
				var got []cohort.Group
				err := tx.ReadGroupsByID(tt.store, tt.filter, tt.ids, func(g cohort.Group) bool {
					got = append(got, g)
					return true
				})
				if !slices.Equal(groupIDs(got), tt.want) {
					t.Errorf("store %s, filter %+v, %v: got %v, want %v", tt.store, tt.filter, tt.ids, groupIDs(got), tt.want)
				}
				for _, g := range got {
					if one, err := tx.Group(tt.store, g.ID); err != nil || cmp.Diff(one, g) != "" {
						t.Errorf("got %+v, but Group returns %+v, error %v", g, one, err)
					}
				}
				return err
			})
		}
	})
}

func TestEachGroup(t *testing.T) {
	full := fullGroup(11)
	full.IsDefault, full.IsGroupForGuests = false, false
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		groups := append(groupsToFilter(), full)
		slices.Reverse(groups) // they are ordered by id, not by insertion
		addOldGroups(t, d, "a", groups...)
		addGroups(t, d, "b", newGroup(1, "of b"))
		var want []cohort.Group
		for _, g := range listGroups(t, d, "a", allGroups, onePage) {
			g.CategoryAccess, g.DiscountRules = cohort.CategoryAccess{}, nil
			want = append(want, g)
		}
		for _, limit := range []int{0, 1, 10, 11, 12, math.MaxInt} {
			var got []cohort.Group
			view(t, d, func(tx *db.Tx) error {
				return tx.EachGroup("a", limit, func(g cohort.Group) { got = append(got, g) })
			})
			if diff := cmp.Diff(want[:min(limit, len(want))], got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("limit %d (-want +got):\n%s", limit, diff)
			}
		}
		view(t, d, func(tx *db.Tx) error {
			return tx.EachGroup("none", 10, func(g cohort.Group) { t.Errorf("a store that does not exist has group %+v", g) })
		})
	})
}

func TestUpdateGroup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "first"), newGroup(2, "second"))

		changed := fullGroup(1)
		changed.DateCreated = t0.AddDate(1, 0, 0) // an update does not change it
		update(t, d, func(tx *db.Tx) error { return tx.UpdateGroup("a", newGroup(1, "first"), changed) })

		want := changed
		want.DateCreated = t0
		wantGroups(t, d, "a", want, newGroup(2, "second"))
		// The case-folded name has changed with the name.
		if n := countGroups(t, d, "a", cohort.GroupFilter{NameLike: "first"}); n != 0 {
			t.Error("the old name is still found")
		}
		if n := countGroups(t, d, "a", cohort.GroupFilter{NameLike: "SÖHNE"}); n != 1 {
			t.Error("the new name is not found")
		}

		update(t, d, func(tx *db.Tx) error { return tx.UpdateGroup("a", changed, newGroup(1, "first")) })
		wantGroups(t, d, "a", newGroup(1, "first"), newGroup(2, "second"))
	})
}

func TestDeleteGroup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "x"), newGroup(2, "y"))
		update(t, d, func(tx *db.Tx) error { return tx.DeleteGroup("a", 1) })
		wantGroups(t, d, "a", newGroup(2, "y"))
	})
}

func TestGroupNotFound(t *testing.T) {
	methods := map[string]func(tx *db.Tx, store string, id int64) error{
		"get": func(tx *db.Tx, store string, id int64) error { _, err := tx.Group(store, id); return err },
		"update": func(tx *db.Tx, store string, id int64) error {
			return tx.UpdateGroup(store, newGroup(id, "x"), newGroup(id, "y"))
		},
		"delete": func(tx *db.Tx, store string, id int64) error { return tx.DeleteGroup(store, id) },
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addGroups(t, d, "a", newGroup(1, "x"))
		for name, method := range methods {
			for _, id := range []int64{0, -1, 2, math.MaxInt64} {
				wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error { return method(tx, "a", id) }), cohort.KindNotFound)
			}
			for _, store := range []string{"b", "none", "A", ""} {
				if err := d.Update(t.Context(), func(tx *db.Tx) error { return method(tx, store, 1) }); cohort.KindOf(err) != cohort.KindNotFound {
					t.Errorf("%s in store %q: %v", name, store, err)
				}
			}
		}
		wantGroups(t, d, "a", newGroup(1, "x"))
	})
}

func TestGroupFlagsAndIDsAreUnique(t *testing.T) {
	isDefault := newGroup(2, "default")
	isDefault.IsDefault = true
	forGuests := newGroup(3, "guests")
	forGuests.IsGroupForGuests = true
	plain := newGroup(4, "plain")
	tests := map[string]func(tx *db.Tx) error{
		"a second default": func(tx *db.Tx) error { g := isDefault; g.ID, g.Name = 5, "another"; return tx.InsertGroup("a", g) },
		"a second group for guests": func(tx *db.Tx) error {
			g := forGuests
			g.ID, g.Name = 5, "another"
			return tx.InsertGroup("a", g)
		},
		"the same id": func(tx *db.Tx) error { g := plain; g.Name = "another"; return tx.InsertGroup("a", g) },
		"default by an update": func(tx *db.Tx) error {
			g := plain
			g.IsDefault = true
			return tx.UpdateGroup("a", plain, g)
		},
		"guests by an update": func(tx *db.Tx) error {
			g := plain
			g.IsGroupForGuests = true
			return tx.UpdateGroup("a", plain, g)
		},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", isDefault, forGuests, plain)
		for name, fn := range tests {
			if err := d.Update(t.Context(), fn); cohort.KindOf(err) != cohort.KindConflict {
				t.Errorf("%s: got error %v, want KindConflict", name, err)
			}
		}
		wantGroups(t, d, "a", isDefault, forGuests, plain)
	})
}

func TestInsertGroupNeedsStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertGroup("none", newGroup(1, "x")) }); err == nil {
			t.Error("inserted a group of a store that does not exist: foreign keys are off")
		}
		if err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.NextID("none", "customer_group"); return err }); err == nil {
			t.Error("inserted a counter of a store that does not exist: foreign keys are off")
		}
	})
}

// TestIDsAreNotReused: the id of a deleted group is never used again, even if it
// was the highest one and the server has been restarted since.
func TestIDsAreNotReused(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		nextID := func(d *db.DB, store string) (id int64) {
			update(t, d, func(tx *db.Tx) (err error) {
				if id, err = tx.NextID(store, "customer_group"); err != nil {
					return err
				}
				return tx.InsertGroup(store, newGroup(id, fmt.Sprint("group ", id)))
			})
			return id
		}
		deleteAll := func(d *db.DB, store string) {
			for _, g := range listGroups(t, d, store, allGroups, onePage) {
				update(t, d, func(tx *db.Tx) error { return tx.DeleteGroup(store, g.ID) })
			}
		}

		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		addStores(t, d, "a", "b")
		got := []int64{nextID(d, "a"), nextID(d, "a"), nextID(d, "b")}
		deleteAll(d, "a")
		got = append(got, nextID(d, "a"))
		deleteAll(d, "a")
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}

		d = dbtest.Open(t, url)
		got = append(got, nextID(d, "a"), nextID(d, "b"))
		if want := []int64{1, 2, 1, 3, 4, 2}; !slices.Equal(got, want) {
			t.Errorf("got the ids %v, want %v", got, want)
		}
	})
}
