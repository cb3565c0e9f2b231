package apiv3_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// TestSizesOfBatches: one record more than a call may hold is 422, and refused as
// a whole; as many as it may hold are looked at.
func TestSizesOfBatches(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := servertest.Start(t, d, server.Options{})
		vars := s.V3Vars(t)
		base := s.URL + "/stores/" + vars["store"] + "/v3"
		if answer := send(t, "POST", base+"/pricelists", vars["token"], `{"name":"x"}`); !strings.Contains(answer, `"id":1`) {
			t.Fatal(answer)
		}
		for _, c := range []struct {
			method, path string
			most         int
		}{
			{"POST", "/pricelists/1/records", 100}, {"PUT", "/pricelists/1/records", 1000},
			{"POST", "/pricelists/records", 100}, {"PUT", "/pricelists/records", 100},
		} {
			for _, n := range []int{c.most, c.most + 1} {
				// The variant is not there, which shows that somebody has looked.
				body := "[" + strings.Repeat(`{"price_list_id":1,"variant_id":9,"currency":"usd"},`, n-1) + `{"price_list_id":1,"variant_id":9,"currency":"usd"}]`
				answer := send(t, c.method, base+c.path, vars["token"], body)
				looked := strings.Contains(answer, "batch_errors")
				if looked != (n == c.most) {
					t.Errorf("%s %s with %d records: %.200s", c.method, c.path, n, answer)
				}
				if want := fmt.Sprintf("A request may have at most %d items.", c.most); !looked && !strings.Contains(answer, want) {
					t.Errorf("%s %s with %d records: %.200s", c.method, c.path, n, answer)
				}
			}
		}
	})
}

// send returns the body of an answer.
func send(t *testing.T, method, url, token, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
