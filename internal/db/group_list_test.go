package db_test

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestReadGroupsAfter(t *testing.T) {
	tests := []struct {
		store string
		after int64
		limit int
		want  []int64
	}{
		{"a", 0, 100, []int64{1, 2, 3, 5, 6, 7, 8, 9, 10}}, // 4 is gone
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
		addGroups(t, d, "a", groupsToFilter()...)
		addGroups(t, d, "b", newGroup(1, "of b"))
		update(t, d, func(tx *db.Tx) error { return tx.DeleteGroup("a", 4) })
		all := listGroups(t, d, "a", everything, onePage)
		for _, tt := range tests {
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.ListGroups(tt.store, everything, cohort.Page{Number: 1, Size: tt.limit, After: strconv.FormatInt(tt.after, 10)})
				if !slices.Equal(idsOf(got), tt.want) {
					t.Errorf("store %s, %d after %d: got %v, want %v", tt.store, tt.limit, tt.after, idsOf(got), tt.want)
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
		{"a", everything, nil, nil},
		{"a", everything, []int64{1, 5, 10}, []int64{1, 5, 10}},
		{"a", everything, []int64{0, 2, 4, 11, math.MaxInt64}, []int64{2}}, // 4 is gone
		{"a", vip, []int64{1, 2, 3}, []int64{1, 2}},                        // 3 does not pass
		{"a", cohort.GroupFilter{Name: new("vip"), IsDefault: new(true)}, []int64{1, 2, 3}, []int64{2}},
		{"a", cohort.GroupFilter{IsDefault: new(false)}, []int64{1, 2, 3}, []int64{1, 3}},
		{"b", vip, []int64{1, 2}, nil}, // of another store
		{"none", everything, []int64{1}, nil},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addGroups(t, d, "a", groupsToFilter()...)
		addGroups(t, d, "b", newGroup(1, "of b"))
		update(t, d, func(tx *db.Tx) error { return tx.DeleteGroup("a", 4) })
		for _, tt := range tests {
			view(t, d, func(tx *db.Tx) error {
				var got []cohort.Group
				err := tx.ReadGroupsByID(tt.store, tt.filter, tt.ids, func(g cohort.Group) bool {
					got = append(got, g)
					return true
				})
				if !slices.Equal(idsOf(got), tt.want) {
					t.Errorf("store %s, filter %+v, %v: got %v, want %v", tt.store, tt.filter, tt.ids, idsOf(got), tt.want)
				}
				for _, g := range got {
					if one, err := tx.Group(tt.store, g.ID); err != nil || cmp.Diff(one, g) != "" {
						t.Errorf("got %+v, and alone %+v, error %v", g, one, err)
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
		slices.Reverse(groups) // they come by id, not as they were inserted
		addGroups(t, d, "a", groups...)
		addGroups(t, d, "b", newGroup(1, "of b"))
		var want []cohort.Group
		for _, g := range listGroups(t, d, "a", everything, onePage) {
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
			return tx.EachGroup("none", 10, func(g cohort.Group) { t.Errorf("a store that is not there has %+v", g) })
		})
	})
}
