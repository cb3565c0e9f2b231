package service_test

import (
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// Watchers learn of every change before it is acknowledged, and after its version has
// changed. Between the two calls it changes again.
func TestWatchGroups(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		var got []string
		versions := map[string]service.Version{}
		changed := func(changes []service.GroupChange) {
			for _, c := range changes {
				key := fmt.Sprint(c.StoreKey, c.Group.ID)
				version := svc.GroupVersion(c.StoreKey, c.Group.ID)
				if version == versions[key] {
					t.Errorf("the version of %s has not changed", key)
				}
				versions[key] = version
			}
		}
		watching := svc.WatchGroups(func(changes []service.GroupChange) {
			for _, c := range changes {
				got = append(got, fmt.Sprint(c.Kind, " ", c.StoreKey, c.Group.ID, " ", c.Group.Name))
			}
			changed(changes)
		}, changed)
		if watching != d.SeesAllWrites() {
			t.Errorf("WatchGroups returns %v", watching)
		}
		if !watching {
			return
		}
		first, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "first", IsDefault: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "second", IsDefault: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.UpdateGroup(t.Context(), "a", first.ID, cohort.GroupUpdate{Name: new("changed")}); err != nil {
			t.Fatal(err)
		}
		if err := svc.DeleteGroup(t.Context(), "a", first.ID); err != nil {
			t.Fatal(err)
		}
		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		want := []string{
			fmt.Sprint(service.GroupInserted, " a1 first"),
			fmt.Sprint(service.GroupUpdated, " a1 first"), fmt.Sprint(service.GroupInserted, " a2 second"),
			fmt.Sprint(service.GroupUpdated, " a1 changed"),
			fmt.Sprint(service.GroupDeleted, " a1 "),
			fmt.Sprint(service.StoreGroupsChanged, " a0 "),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		if folder := svc.DataFolder(); folder == "" {
			t.Error("the database has no folder")
		}
	})
}
