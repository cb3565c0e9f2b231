package apiv2_test

import (
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"

	"github.com/google/go-cmp/cmp"
)

// A page has 50 groups by default and at most 250. The pages have every group once,
// ordered by id.
func TestPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := servertest.Start(t, d, server.Options{})
		vars := s.Vars(t)
		const groups = 251
		for i := range groups {
			if _, err := s.Service.CreateGroup(t.Context(), vars["store"], cohort.Group{Name: fmt.Sprint("group ", i)}); err != nil {
				t.Fatal(err)
			}
		}
		list := s.URL + "/stores/" + vars["store"] + "/v2/customer_groups"
		for query, want := range map[string]struct{ first, last int64 }{
			"":                  {1, 50},
			"?page=1":           {1, 50},
			"?page=2":           {51, 100},
			"?page=6":           {251, 251},
			"?limit=250":        {1, 250},
			"?limit=250&page=2": {251, 251},
			"?limit=100&page=3": {201, 251},
		} {
			ids := listIDs(t, list+query, vars["token"])
			var all []int64
			for id := want.first; id <= want.last; id++ {
				all = append(all, id)
			}
			if diff := cmp.Diff(all, ids); diff != "" {
				t.Errorf("%q (-want +got):\n%s", query, diff)
			}
		}
	})
}
