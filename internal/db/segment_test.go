package db_test

import (
	"errors"
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// segmentUUID and profileUUID return the ids of the fixtures.
func segmentUUID(n int64) string { return fmt.Sprintf("5e900000-0000-4000-8000-%012d", n) }
func profileUUID(n int64) string { return fmt.Sprintf("90f11e00-0000-4000-8000-%012d", n) }

// addSegments adds n segments to a store that has none.
func addSegments(t testing.TB, d *db.DB, store string, n int64) {
	t.Helper()
	var list []cohort.Segment
	for i := range n {
		list = append(list, cohort.Segment{ID: segmentUUID(i + 1), Name: fmt.Sprint("Segment ", i+1), Description: "ünd", DateCreated: t0, DateModified: t0})
	}
	update(t, d, func(tx *db.Tx) error {
		_, err := tx.CreateSegments(store, list)
		return err
	})
}

// addProfiles adds profiles of customers, whose numbers are used in their ids.
func addProfiles(t testing.TB, d *db.DB, store string, customers ...int64) {
	t.Helper()
	var list []cohort.ShopperProfile
	for _, id := range customers {
		list = append(list, cohort.ShopperProfile{ID: profileUUID(id), CustomerID: id, DateCreated: t0, DateModified: t0})
	}
	update(t, d, func(tx *db.Tx) error {
		_, err := tx.CreateShopperProfiles(store, list)
		return err
	})
}

// join makes profiles members of a segment.
func join(t testing.TB, d *db.DB, store string, segment int64, profiles ...int64) {
	t.Helper()
	var ids []string
	for _, n := range profiles {
		ids = append(ids, profileUUID(n))
	}
	update(t, d, func(tx *db.Tx) error {
		to, err := tx.SegmentEpoch(store, segmentUUID(segment))
		if err != nil {
			return err
		}
		held, err := tx.HoldShopperProfiles(store, ids)
		if err != nil {
			return err
		}
		var list []cohort.ShopperProfile
		for _, id := range ids {
			list = append(list, held[id])
		}
		return tx.AddMembers(store, to, list)
	})
}

// segmented fills a store with customers 1 to 5, profiles of all but 5, and segments 1 to
// 3: 1 with profiles 1, 2, 3; 2 with 2; 3 without members.
func segmented(t testing.TB, d *db.DB, store string) {
	t.Helper()
	addMembers(t, d, store, 0, 1, 5)
	addSegments(t, d, store, 3)
	addProfiles(t, d, store, 1, 2, 3, 4)
	join(t, d, store, 1, 1, 2, 3)
	join(t, d, store, 2, 2)
}

// wantSegmented checks the profiles and segments of customers 1 to 5, by number.
func wantSegmented(t testing.TB, d *db.DB, store string, profiles []int64, segments map[int64][]int64) {
	t.Helper()
	wantProfiles, wantSegments := map[int64]string{}, map[int64][]string{}
	for _, n := range profiles {
		wantProfiles[n] = profileUUID(n)
	}
	members := map[string][]int64{}
	for customer, list := range segments {
		for _, n := range list {
			wantSegments[customer] = append(wantSegments[customer], segmentUUID(n))
		}
	}
	for customer := range int64(6) {
		for _, n := range segments[customer] {
			members[segmentUUID(n)] = append(members[segmentUUID(n)], customer)
		}
	}
	customers := []int64{1, 2, 3, 4, 5}
	view(t, d, func(tx *db.Tx) error {
		gotProfiles, err := tx.ShopperProfilesOfCustomers(store, customers)
		if diff := cmp.Diff(wantProfiles, gotProfiles); diff != "" {
			t.Errorf("profiles of customers (-want +got):\n%s", diff)
		}
		gotSegments, err2 := tx.SegmentsOfCustomers(store, customers)
		if diff := cmp.Diff(wantSegments, gotSegments); diff != "" {
			t.Errorf("segments of customers (-want +got):\n%s", diff)
		}
		n, err3 := tx.CountShopperProfiles(store)
		if n != int64(len(profiles)) {
			t.Errorf("%d profiles, want %d", n, len(profiles))
		}
		return errors.Join(err, err2, err3, wantLists(t, tx, store, members))
	})
}

// wantLists checks the members of every segment, which are ids of customers, as the lists
// of both sides have them.
func wantLists(t testing.TB, tx *db.Tx, store string, members map[string][]int64) error {
	t.Helper()
	page := cohort.Page{Number: 1, Size: 100}
	segments, err := collect(func(fn func(cohort.Segment) bool) error { return tx.ReadSegments(store, nil, page, fn) })
	if err != nil {
		return err
	}
	of := map[string][]string{}
	for _, s := range segments {
		e, err := tx.SegmentEpoch(store, s.ID)
		if err != nil {
			return err
		}
		got, err := collect(func(fn func(cohort.ShopperProfile) bool) error { return tx.ReadMembers(store, e, page, fn) })
		if err != nil {
			return err
		}
		var customers []int64
		for _, p := range got {
			customers = append(customers, p.CustomerID)
			of[p.ID] = append(of[p.ID], s.ID)
		}
		if diff := cmp.Diff(members[s.ID], customers); diff != "" {
			t.Errorf("members of %s (-want +got):\n%s", s.Name, diff)
		}
		if n, err := tx.CountMembers(store, e); n != int64(len(got)) || err != nil {
			t.Errorf("%s has %d members, %v", s.Name, n, err)
		}
	}
	profiles, err := collect(func(fn func(cohort.ShopperProfile) bool) error { return tx.ReadShopperProfiles(store, page, fn) })
	if err != nil {
		return err
	}
	for _, p := range profiles {
		got, err := collect(func(fn func(cohort.Segment) bool) error { return tx.ReadSegmentsOfProfile(store, p.Number, page, fn) })
		if err != nil {
			return err
		}
		var ids []string
		for _, s := range got {
			ids = append(ids, s.ID)
		}
		if diff := cmp.Diff(of[p.ID], ids); diff != "" {
			t.Errorf("segments of profile %d (-want +got):\n%s", p.CustomerID, diff)
		}
		if n, err := tx.CountSegmentsOfProfile(store, p.Number); n != int64(len(got)) || err != nil {
			t.Errorf("profile %d is in %d segments, %v", p.CustomerID, n, err)
		}
	}
	return nil
}

// collect returns the rows that read passes to its function.
func collect[T any](read func(fn func(T) (more bool)) error) (list []T, err error) {
	err = read(func(v T) bool { list = append(list, v); return true })
	return list, err
}

// sweepSegments sweeps in the smallest batches until nothing is left.
func sweepSegments(t testing.TB, d *db.DB) (steps int) {
	t.Helper()
	for more := true; more; steps++ {
		update(t, d, func(tx *db.Tx) (err error) {
			more, err = tx.SweepSegments(1)
			return err
		})
	}
	return steps
}

// wantRows checks the number of rows of the tables, whether or not they exist for readers.
func wantRows(t testing.TB, d *db.DB, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	view(t, d, func(tx *db.Tx) error {
		for name := range want {
			got[name] = len(tx.Dump(t, name))
		}
		return nil
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestSegmentDeletions checks that each deletion is complete at its commit, before and
// after the sweep, and that another store with the same ids keeps everything.
func TestSegmentDeletions(t *testing.T) {
	all := map[int64][]int64{1: {1}, 2: {1, 2}, 3: {1}}
	for name, test := range map[string]struct {
		do       func(tx *db.Tx) error
		profiles []int64
		segments map[int64][]int64
		rows     map[string]int // after the sweep, with the 10 of the other store
	}{
		"nothing": {
			func(*db.Tx) error { return nil },
			[]int64{1, 2, 3, 4}, all, map[string]int{"segments": 6, "shopper_profiles": 8, "segment_members": 8},
		},
		"one segment": {
			func(tx *db.Tx) error { return tx.DeleteSegments("a", []string{segmentUUID(1), segmentUUID(77)}) },
			[]int64{1, 2, 3, 4},
			map[int64][]int64{2: {2}},
			map[string]int{"segments": 5, "shopper_profiles": 8, "segment_members": 5},
		},
		"all segments": {
			func(tx *db.Tx) error { return tx.DeleteSegments("a", nil) },
			[]int64{1, 2, 3, 4}, nil, map[string]int{"segments": 3, "shopper_profiles": 8, "segment_members": 4},
		},
		"the members of a segment": {
			func(tx *db.Tx) error { return tx.EmptySegments("a", []string{segmentUUID(1)}) },
			[]int64{1, 2, 3, 4},
			map[int64][]int64{2: {2}},
			map[string]int{"segments": 6, "shopper_profiles": 8, "segment_members": 5},
		},
		"two members of a segment": {
			func(tx *db.Tx) error {
				e, err := tx.SegmentEpoch("a", segmentUUID(1))
				return errors.Join(err, tx.RemoveMembers("a", e, []string{profileUUID(2), profileUUID(3), profileUUID(4), profileUUID(77)}))
			},
			[]int64{1, 2, 3, 4},
			map[int64][]int64{1: {1}, 2: {2}},
			map[string]int{"segments": 6, "shopper_profiles": 8, "segment_members": 6},
		},
		"a profile": {
			func(tx *db.Tx) error { return tx.DeleteShopperProfiles("a", []string{profileUUID(2)}) },
			[]int64{1, 3, 4},
			map[int64][]int64{1: {1}, 3: {1}},
			map[string]int{"segments": 6, "shopper_profiles": 7, "segment_members": 6},
		},
		"all profiles": {
			func(tx *db.Tx) error { return tx.DeleteAllShopperProfiles("a") },
			nil, nil, map[string]int{"segments": 6, "shopper_profiles": 4, "segment_members": 4},
		},
		"a customer": {
			func(tx *db.Tx) error { return tx.DeleteCustomer("a", newCustomer(2, 0)) },
			[]int64{1, 3, 4},
			map[int64][]int64{1: {1}, 3: {1}},
			map[string]int{"segments": 6, "shopper_profiles": 7, "segment_members": 6},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				addStores(t, d, "a", "b")
				segmented(t, d, "a")
				segmented(t, d, "b")
				update(t, d, test.do)
				wantSegmented(t, d, "a", test.profiles, test.segments)
				sweepSegments(t, d)
				wantSegmented(t, d, "a", test.profiles, test.segments)
				wantSegmented(t, d, "b", []int64{1, 2, 3, 4}, all)
				wantRows(t, d, test.rows)
				wantRows(t, d, map[string]int{"departed_members": 0})
			})
		})
	}
}

// TestProfilesOfNextGeneration checks that profiles and memberships that are created
// after all profiles are deleted, and before the sweep, outlive it.
func TestProfilesOfNextGeneration(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		segmented(t, d, "a")
		for range 2 {
			update(t, d, func(tx *db.Tx) error { return tx.DeleteAllShopperProfiles("a") })
		}
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.CreateShopperProfiles("a", []cohort.ShopperProfile{{ID: profileUUID(5), CustomerID: 5, DateCreated: t0, DateModified: t0}})
			return err
		})
		join(t, d, "a", 1, 5)
		wantSegmented(t, d, "a", []int64{5}, map[int64][]int64{5: {1}})
		if steps := sweepSegments(t, d); steps < 8 { // 4 memberships and 4 profiles, one by one
			t.Errorf("%d steps", steps)
		}
		wantSegmented(t, d, "a", []int64{5}, map[int64][]int64{5: {1}})
		wantRows(t, d, map[string]int{"shopper_profiles": 1, "segment_members": 1, "departed_members": 0})
	})
}

// TestUpdateSegmentsExchangesNames checks that segments can exchange their names, and that
// a name of another segment is a conflict.
func TestUpdateSegmentsExchangesNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addSegments(t, d, "a", 3)
		rename := func(names ...string) error {
			return d.Update(t.Context(), func(tx *db.Tx) error {
				found, err := tx.SegmentsByID("a", []string{segmentUUID(1), segmentUUID(2)})
				if err != nil {
					return err
				}
				var list []cohort.Segment
				for i, name := range names {
					s := found[segmentUUID(int64(i+1))]
					s.Name = name
					list = append(list, s)
				}
				return tx.UpdateSegments("a", list)
			})
		}
		if err := rename("Segment 2", "Segment 1"); err != nil {
			t.Error(err)
		}
		wantKind(t, rename("Segment 3"), cohort.KindConflict)
		want := map[string]string{"Segment 1": segmentUUID(2), "Segment 2": segmentUUID(1), "Segment 3": segmentUUID(3)}
		view(t, d, func(tx *db.Tx) error {
			got, err := tx.SegmentIDsByName("a", []string{"Segment 1", "Segment 2", "Segment 3", "none"})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return err
		})
	})
}
