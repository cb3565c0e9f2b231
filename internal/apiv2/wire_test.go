package apiv2_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/wiretest"

	"github.com/google/go-cmp/cmp"
)

// variables are the variables of the scripts in testdata.
var variables = []string{"information_token", "other_store", "other_token", "products_token", "read_token", "store", "token"}

// TestWire runs the wire scripts in testdata.
//
// If COHORT_WIRE_URL is set, the scripts run against the server at this URL (without a
// trailing slash). The environment must then have every variable of the scripts, as
// COHORT_WIRE_ and the name in capitals:
//
//	COHORT_WIRE_STORE              a store without groups, customers and a quota
//	COHORT_WIRE_TOKEN              its token with the scope store_v2_customers
//	COHORT_WIRE_READ_TOKEN         … with store_v2_customers_read_only
//	COHORT_WIRE_PRODUCTS_TOKEN     … with store_v2_products
//	COHORT_WIRE_INFORMATION_TOKEN  … with store_v2_information_read_only
//	COHORT_WIRE_OTHER_STORE        another store without groups and customers
//	COHORT_WIRE_OTHER_TOKEN        its token with the scope store_v2_customers
//
// Each script leaves both stores empty. A store that is not empty before a script is an
// error, so the scripts never delete existing groups and customers.
func TestWire(t *testing.T) {
	scripts := os.DirFS("testdata")
	if url := os.Getenv("COHORT_WIRE_URL"); url != "" {
		cohorttest.RunScripts(t, scripts, "*.txt", func(t *testing.T) cohorttest.Target { return live(t, url) })
		return
	}
	wiretest.Run(t, scripts, func(s *servertest.Server, t testing.TB) map[string]string {
		vars := s.Vars(t)
		if diff := cmp.Diff(variables, slices.Sorted(maps.Keys(vars))); diff != "" {
			t.Errorf("the variables differ (-live server +test server):\n%s", diff)
		}
		return vars
	})
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
	res := servertest.Send(t, method, url, token, "")
	if res.Status >= 300 {
		t.Fatalf("%s %s: %d %s", method, url, res.Status, res.Body)
	}
	return res.Body
}
