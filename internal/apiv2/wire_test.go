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

// variables are what the scripts in testdata are written with.
var variables = []string{"other_store", "other_token", "products_token", "read_token", "store", "token"}

// TestWire holds the server against the wire scripts in testdata.
//
// With COHORT_WIRE_URL set it holds the server at that address (without a
// slash at the end) against them instead. Every variable of the scripts is
// then needed from the environment, as COHORT_WIRE_ and its name in capitals:
//
//	COHORT_WIRE_STORE           a store without groups, customers and a quota
//	COHORT_WIRE_TOKEN           its token with the scope store_v2_customers
//	COHORT_WIRE_READ_TOKEN      … with store_v2_customers_read_only
//	COHORT_WIRE_PRODUCTS_TOKEN  … with store_v2_products
//	COHORT_WIRE_OTHER_STORE     another store without groups and customers
//	COHORT_WIRE_OTHER_TOKEN     its token with the scope store_v2_customers
//
// Each script leaves both stores empty again. A store that is not empty before
// a script is an error, so that nobody's groups and customers are ever deleted.
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
			// A script starts from nothing, so each gets databases of its own.
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
		t.Errorf("a live server is given other variables (-live +here):\n%s", diff)
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
				t.Fatalf("store %s has %s already; the scripts need an empty one", store, resource)
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

// listIDs are the ids of what is in a list.
func listIDs(t *testing.T, url, token string) (ids []int64) {
	t.Helper()
	answer := call(t, http.MethodGet, url, token)
	if answer == "" {
		return nil
	}
	var groups []struct{ ID int64 }
	if err := json.Unmarshal([]byte(answer), &groups); err != nil {
		t.Fatalf("the list at %s: %v: %s", url, err, answer)
	}
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	return ids
}

// call returns the body of an answer that is no refusal.
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
