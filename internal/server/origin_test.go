package server_test

import (
	"net/http"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
)

// recordEvents makes the store of the fixture record events.
func (f *fixture) recordEvents(t *testing.T) {
	t.Helper()
	if _, err := f.Service.UpdateStore(t.Context(), f.vars["store"], cohort.StoreUpdate{Events: new(true)}); err != nil {
		t.Fatal(err)
	}
}

// TestRequestsSayWhoAndWhy checks that events keep X-Cohort-Actor and X-Cohort-Reason, and
// that values that they cannot keep change nothing.
func TestRequestsSayWhoAndWhy(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		f.recordEvents(t)
		events, groups := "/stores/"+f.vars["store"]+"/cohort/v1/events", f.path("/customer_groups")
		for i, header := range [][]string{
			{"X-Cohort-Actor", strings.Repeat("a", 256)},
			{"X-Cohort-Actor", "a\xff"},
			{"X-Cohort-Reason", "two\u0085lines"},
			{"X-Cohort-Reason", "tab\tulator"},
		} {
			w := f.do("POST", groups, f.vars["token"], `{"name":"No"}`, header...)
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "The "+header[0]+" header must be given once and have at most 255 bytes") {
				t.Errorf("header %d: %d %s", i, w.Code, w.Body)
			}
			if w := f.do("GET", groups, f.vars["token"], "", header...); w.Code != http.StatusNoContent {
				t.Errorf("header %d of a read: %d %s", i, w.Code, w.Body)
			}
		}
		f.wantCount(t, "customer_groups", 0)
		name := strings.Repeat("ä", 127)
		f.mustDo(t, http.StatusOK, "POST", groups, f.vars["token"], `{"name":"Yes"}`, "X-Cohort-Actor", name, "X-Cohort-Reason", " ticket 7 ")
		f.mustDo(t, http.StatusOK, "PUT", groups+"/1", f.vars["token"], `{"name":"Again"}`)
		got := f.mustDo(t, http.StatusOK, "GET", events, f.vars["token"], "").Body.String()
		if !strings.Contains(got, `"actor_name":"`+name+`","reason":"ticket 7","request_id"`) || strings.Count(got, "actor_name") != 1 {
			t.Errorf("the events are %s", got)
		}
	})
}
