package server_test

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// quota has the values of the four headers: length of the window, time until it ends,
// requests per window, requests left.
type quota [4]string

var quotaHeaders = [4]string{
	"X-Rate-Limit-Time-Window-Ms", "X-Rate-Limit-Time-Reset-Ms",
	"X-Rate-Limit-Requests-Quota", "X-Rate-Limit-Requests-Left",
}

// mustHaveQuota checks the four headers. The zero quota means that none is present.
func mustHaveQuota(t *testing.T, w *httptest.ResponseRecorder, want quota) {
	t.Helper()
	for i, name := range quotaHeaders {
		if got := strings.Join(w.Header().Values(name), "|"); got != want[i] {
			t.Errorf("%s: %q, want %q (response %d %s)", name, got, want[i], w.Code, w.Body)
		}
	}
}

// meter sets the plan and quota of the first store; 0 is the plan's default quota.
func (f *fixture) meter(t *testing.T, plan cohort.Plan, quota int) {
	t.Helper()
	_, err := f.Service.UpdateStore(t.Context(), f.vars["store"], cohort.StoreUpdate{Plan: &plan, Quota: &quota})
	if err != nil {
		t.Fatal(err)
	}
}

func TestQuotaOfPlans(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{Now: newClock().Now})
		for hash, c := range map[string]struct {
			plan cohort.Plan
			own  int
			want quota
		}{
			"unlimited":  {cohort.PlanUnlimited, 0, quota{}},
			"standard":   {cohort.PlanStandard, 0, quota{"30000", "30000", "150", "149"}},
			"plus":       {cohort.PlanPlus, 0, quota{"30000", "30000", "150", "149"}},
			"pro":        {cohort.PlanPro, 0, quota{"30000", "30000", "450", "449"}},
			"enterprise": {cohort.PlanEnterprise, 7, quota{"30000", "30000", "7", "6"}},
			"overridden": {cohort.PlanStandard, 1, quota{"30000", "30000", "1", "0"}},
		} {
			f.Store(t, cohort.Store{Hash: hash, Plan: c.plan, Quota: c.own})
			token := f.Token(t, hash, cohort.ScopeCustomers)
			mustHaveQuota(t, f.mustDo(t, 200, "GET", "/stores/"+hash+"/v2/time", token, ""), c.want)
		}
	})
}

// TestQuota takes a store through several windows.
func TestQuota(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		clock := newClock()
		f := newFixture(t, d, server.Options{Now: clock.Now})
		f.meter(t, cohort.PlanEnterprise, 3)
		request := func(status int, token, wantReset, wantLeft string) *httptest.ResponseRecorder {
			t.Helper()
			w := f.mustDo(t, status, "GET", f.path("/customer_groups/count"), f.vars[token], "")
			mustHaveQuota(t, w, quota{"30000", wantReset, "3", wantLeft})
			return w
		}
		rejected := func(wantReset, wantRetry string) {
			t.Helper()
			w := request(429, "token", wantReset, "0")
			if got := w.Header().Get("X-Retry-After"); got != wantRetry || w.Body.String() != tooMany {
				t.Errorf("X-Retry-After %s, body %s, want %s, %s", got, w.Body, wantRetry, tooMany)
			}
		}
		// The window begins with the first request, not when the server starts.
		clock.advance(time.Hour)
		request(200, "token", "30000", "2")
		clock.advance(12_345 * time.Millisecond)
		// All tokens of a store share its quota.
		request(200, "read_token", "17655", "1")
		request(200, "token", "17655", "0")
		for range 5 {
			rejected("17655", "18")
		}
		clock.advance(17_000 * time.Millisecond)
		rejected("655", "1")
		clock.advance(654 * time.Millisecond)
		rejected("1", "1")
		// The window ends when the headers said.
		clock.advance(time.Millisecond)
		request(200, "token", "30000", "2")
		// A window without requests changes nothing.
		clock.advance(10 * time.Minute)
		request(200, "token", "30000", "2")
	})
}

// Rejected requests use up no quota. A raised quota applies at once, to the current
// window.
func TestRejectedRequestsUseNoQuota(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{Now: newClock().Now})
		f.meter(t, cohort.PlanEnterprise, 2)
		for _, want := range []int{200, 200, 429, 429, 429} {
			f.mustDo(t, want, "GET", f.path("/time"), f.vars["token"], "")
		}
		f.meter(t, cohort.PlanEnterprise, 4)
		w := f.mustDo(t, 200, "GET", f.path("/time"), f.vars["token"], "")
		mustHaveQuota(t, w, quota{"30000", "30000", "4", "1"})
	})
}

// Requests of one store do not count for another store.
func TestQuotaIsPerStore(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{Now: newClock().Now})
		f.meter(t, cohort.PlanEnterprise, 1)
		f.mustDo(t, 200, "GET", f.path("/time"), f.vars["token"], "")
		f.mustDo(t, 429, "GET", f.path("/time"), f.vars["token"], "")
		for range 3 {
			other := f.mustDo(t, 200, "GET", "/stores/"+f.vars["other_store"]+"/v2/time", f.vars["other_token"], "")
			mustHaveQuota(t, other, quota{})
		}
	})
}

// The quota is checked after token and scope, and before the formats, the query and the
// body.
func TestQuotaBeforeFormats(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{Now: newClock().Now})
		f.meter(t, cohort.PlanEnterprise, 1)
		f.mustDo(t, 200, "GET", f.path("/time"), f.vars["token"], "")
		f.mustDo(t, 429, "POST", f.path("/customer_groups"), f.vars["token"], "{", "Content-Type", "text/plain")
		f.mustDo(t, 429, "GET", f.path("/customer_groups?limit=251"), f.vars["token"], "", "Accept", "text/html")
		f.mustDo(t, 429, "DELETE", f.path("/customer_groups/7"), f.vars["token"], "")
		// Token and scope are checked before.
		f.mustDo(t, 401, "GET", f.path("/time"), "unknown-token", "")
		f.mustDo(t, 403, "POST", f.path("/customer_groups"), f.vars["read_token"], "{")
	})
}

// Every response to an authenticated request has all four headers, and the request
// counts. No other response has any, and its request does not count.
func TestQuotaHeaders(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{Now: newClock().Now}, service.WithPusher(fakePricing{}))
		f.meter(t, cohort.PlanEnterprise, 100)
		f.vars["unknown"] = "unknown-token"
		for _, c := range []struct {
			want                      int
			method, path, token, body string
			header                    []string
		}{
			{404, "GET", "/no_such_resource", "token", "", nil},
			{404, "DELETE", "/customer_groups", "token", "", nil},
			{401, "GET", "/customer_groups", "none", "", nil},
			{401, "GET", "/customer_groups", "unknown", "", nil},
			{403, "GET", "/customer_groups", "other_token", "", nil},
			{403, "POST", "/customer_groups", "read_token", `{"name":"x"}`, nil},
		} {
			w := f.mustDo(t, c.want, c.method, f.path(c.path), f.vars[c.token], c.body, c.header...)
			mustHaveQuota(t, w, quota{})
		}
		for i, c := range []struct {
			want               int
			method, path, body string
			header             []string
		}{
			{204, "GET", "/customer_groups", "", nil},
			{204, "HEAD", "/customer_groups", "", nil},
			{200, "POST", "/customer_groups", `{"name":"x"}`, nil},
			{200, "GET", "/customer_groups", "", nil},
			{200, "GET", "/customer_groups/1", "", []string{"Accept-Encoding", "gzip"}},
			{207, "POST", "/customer_groups", groupWhosePricing(fails), nil},
			{400, "POST", "/customer_groups", `{`, nil},
			{400, "GET", "/customer_groups?page=0", "", nil},
			{404, "GET", "/customer_groups/999", "", nil},
			{406, "GET", "/time", "", []string{"Accept", "text/html"}},
			{413, "GET", "/customer_groups?limit=251", "", nil},
			{413, "PUT", "/customer_groups/1", strings.Repeat(" ", 1<<20+1), nil},
			{415, "PUT", "/customer_groups/1", `{}`, []string{"Content-Type", "text/plain"}},
			{500, "POST", "/customer_groups", groupWhosePricing(panics), nil},
			{204, "DELETE", "/customer_groups/1", "", nil},
		} {
			w := f.mustDo(t, c.want, c.method, f.path(c.path), f.vars["token"], c.body, c.header...)
			mustHaveQuota(t, w, quota{"30000", "30000", "100", strconv.Itoa(99 - i)})
		}
	})
}
