package apiv3_test

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// A batch of the maximum size is processed. One more record is 422, and no record is
// processed.
func TestPriceRecordBatchSizes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := servertest.Start(t, d, server.Options{})
		vars := s.V3Vars(t)
		base := s.URL + "/stores/" + vars["store"] + "/v3"
		if response := servertest.Send(t, "POST", base+"/pricelists", vars["token"], `{"name":"x"}`).Body; !strings.Contains(response, `"id":1`) {
			t.Fatal(response)
		}
		for _, c := range []struct {
			method, path string
			limit        int
		}{
			{"POST", "/pricelists/1/records", 100}, {"PUT", "/pricelists/1/records", 1000},
			{"POST", "/pricelists/records", 100}, {"PUT", "/pricelists/records", 100},
		} {
			for _, n := range []int{c.limit, c.limit + 1} {
				// The variant does not exist. batch_errors shows that the records were processed.
				body := "[" + strings.Repeat(`{"price_list_id":1,"variant_id":9,"currency":"usd"},`, n-1) + `{"price_list_id":1,"variant_id":9,"currency":"usd"}]`
				response := servertest.Send(t, c.method, base+c.path, vars["token"], body).Body
				processed := strings.Contains(response, "batch_errors")
				if processed != (n == c.limit) {
					t.Errorf("%s %s with %d records: %.200s", c.method, c.path, n, response)
				}
				if want := fmt.Sprintf("A request may have at most %d items.", c.limit); !processed && !strings.Contains(response, want) {
					t.Errorf("%s %s with %d records: %.200s", c.method, c.path, n, response)
				}
			}
		}
	})
}
