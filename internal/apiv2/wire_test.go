package apiv2_test

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"

	"github.com/google/go-cmp/cmp"
)

// variables are the variables of the scripts in testdata.
var variables = []string{"other_store", "other_token", "products_token", "read_token", "store", "token"}

// TestWire runs the wire scripts in testdata.
//
// If COHORT_WIRE_URL is set, the scripts run against the server at this URL (without a
// trailing slash). The environment must then have every variable of the scripts, as
// COHORT_WIRE_ and the name in capitals:
//
//	COHORT_WIRE_STORE           a store without groups, customers and a quota
//	COHORT_WIRE_TOKEN           its token with the scope store_v2_customers
//	COHORT_WIRE_READ_TOKEN      … with store_v2_customers_read_only
//	COHORT_WIRE_PRODUCTS_TOKEN  … with store_v2_products
//	COHORT_WIRE_OTHER_STORE     another store without groups and customers
//	COHORT_WIRE_OTHER_TOKEN     its token with the scope store_v2_customers
//
// Each script leaves both stores empty. A store that is not empty before a script is an
// error, so the scripts never delete existing groups and customers.
func TestWire(t *testing.T) {
	scripts := os.DirFS("testdata")
	if url := os.Getenv("COHORT_WIRE_URL"); url != "" {
		cohorttest.RunScripts(t, scripts, "*.txt", func(t *testing.T) cohorttest.Target { return live(t, url) })
		return
	}
	names, err := fs.Glob(scripts, "*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
			t.Parallel()
			// Each script starts with an empty database.
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				cohorttest.RunScripts(t, scripts, name, func(t *testing.T) cohorttest.Target { return fresh(t, d) })
			})
		})
	}
}

func fresh(t *testing.T, d *db.DB) cohorttest.Target {
	s := servertest.Start(t, d, server.Options{})
	vars := s.Vars(t)
	if diff := cmp.Diff(variables, slices.Sorted(maps.Keys(vars))); diff != "" {
		t.Errorf("the variables differ (-live server +test server):\n%s", diff)
	}
	return cohorttest.Target{URL: s.URL, Vars: vars}
}

func live(t *testing.T, url string) cohorttest.Target {
	vars := map[string]string{}
	for _, name := range variables {
		env := "COHORT_WIRE_" + strings.ToUpper(name)
		if vars[name] = os.Getenv(env); vars[name] == "" {
			t.Fatalf("%s is not set", env)
		}
	}
	stores := map[string]string{vars["store"]: vars["token"], vars["other_store"]: vars["other_token"]}
	for store, token := range stores {
		for _, resource := range []string{"customer_groups", "customers"} {
			list := url + "/stores/" + store + "/v2/" + resource
			if len(listIDs(t, list+"?limit=250", token)) > 0 {
				t.Fatalf("store %s has %s; the scripts need an empty store", store, resource)
			}
			t.Cleanup(func() {
				for _, id := range listIDs(t, list+"?limit=250", token) {
					call(t, http.MethodDelete, fmt.Sprintf("%s/%d", list, id), token)
				}
			})
		}
	}
	return cohorttest.Target{URL: url, Vars: vars}
}

// listIDs returns the ids of the rows of a list.
func listIDs(t *testing.T, url, token string) (ids []int64) {
	t.Helper()
	body := call(t, http.MethodGet, url, token)
	if body == "" {
		return nil
	}
	var rows []struct{ ID int64 }
	if err := json.Unmarshal([]byte(body), &rows); err != nil {
		t.Fatalf("the list at %s: %v: %s", url, err, body)
	}
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return ids
}

// call returns the body of a response. It fails on an error status.
func call(t *testing.T, method, url, token string) string {
	t.Helper()
	req, err := http.NewRequest(method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s (%v)", method, url, res.StatusCode, body, err)
	}
	return string(body)
}
