package control_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/clock"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// Bodies that are refused, and change nothing.
func TestBadClocks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	svc := service.New(dbtest.SQLite(t), service.WithClock(func() time.Time { return now }))
	if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "abc"}); err != nil {
		t.Fatal(err)
	}
	api := control.New(control.Options{Service: svc})
	const (
		either   = "The body must have either frozen_at or offset."
		date     = "The value must be now, or a date such as 2026-01-31T12:00:00Z."
		offset   = "The value must be a time such as 72h or -90m."
		forward  = "The value must be a time forward, such as 90s, 10m or 48h."
		inRange  = "The time of a store is from 1970-01-01 to 9999-01-01."
		text     = "The value must be a string."
		object   = "The value must be an object."
		unknown  = "There is no such field."
		tooFar   = "A running clock is at most 292 years from the clock of the system. Freeze it first."
		noJSON   = "The body is not valid JSON."
		tooMany  = "The body has more than one JSON value."
		tooLarge = "The body is larger than 1 MiB."
	)
	type refusal struct {
		body          string
		status        int
		field, detail string
	}
	put := []refusal{
		{"", 422, "frozen_at", either},
		{"null", 422, "frozen_at", either},
		{"{}", 422, "frozen_at", either},
		{`{"frozen_at":null}`, 422, "frozen_at", either},
		{`{"frozen_at":"now","offset":"1h"}`, 422, "frozen_at", either},
		{`{"frozen_at":""}`, 422, "frozen_at", date},
		{`{"frozen_at":"Now"}`, 422, "frozen_at", date},
		{`{"frozen_at":"2026-01-01"}`, 422, "frozen_at", date},
		{`{"frozen_at":"2026-02-29T00:00:00Z"}`, 422, "frozen_at", date},
		{`{"frozen_at":"2026-01-01T00:00:00"}`, 422, "frozen_at", date},
		{`{"frozen_at":"10000-01-01T00:00:00Z"}`, 422, "frozen_at", date},
		{`{"frozen_at":"-0001-01-01T00:00:00Z"}`, 422, "frozen_at", date},
		{`{"frozen_at":"9999-01-01T00:00:00.001Z"}`, 422, "frozen_at", inRange},
		{`{"frozen_at":"9999-12-31T23:59:59Z"}`, 422, "frozen_at", inRange},
		{`{"frozen_at":"9999-01-01T00:00:00-01:00"}`, 422, "frozen_at", inRange},
		{`{"frozen_at":"1969-12-31T23:59:59.999Z"}`, 422, "frozen_at", inRange},
		{`{"frozen_at":"1970-01-01T00:00:00+01:00"}`, 422, "frozen_at", inRange},
		{`{"frozen_at":"0001-01-01T00:00:00Z"}`, 422, "frozen_at", inRange},
		{`{"frozen_at":1767225600}`, 422, "frozen_at", text},
		{`{"frozen_at":["now"]}`, 422, "frozen_at", text},
		{`{"offset":""}`, 422, "offset", offset},
		{`{"offset":"3 days"}`, 422, "offset", offset},
		{`{"offset":"3d"}`, 422, "offset", offset},
		{`{"offset":"9999999999h"}`, 422, "offset", offset},
		{`{"offset":"-9999999999h"}`, 422, "offset", offset},
		{`{"offset":"-500000h"}`, 422, "offset", inRange},
		{`{"offset":72}`, 422, "offset", text},
		{`{"offset":"1h","by":"1h"}`, 422, "by", unknown},
		{`{"now":"2026-01-01T00:00:00Z"}`, 422, "now", unknown},
		{`"now"`, 422, "", object},
		{`["now"]`, 422, "", object},
		{`{"offset":"1h"`, 400, "", noJSON},
		{`{"offset":"1h"} {}`, 400, "", tooMany},
		{`{"offset":"` + strings.Repeat("0", 1<<20) + `h"}`, 413, "", tooLarge},
	}
	advance := []refusal{
		{"", 422, "by", forward},
		{"{}", 422, "by", forward},
		{`{"by":null}`, 422, "by", forward},
		{`{"by":""}`, 422, "by", forward},
		{`{"by":"0s"}`, 422, "by", forward},
		{`{"by":"-1ns"}`, 422, "by", forward},
		{`{"by":"tomorrow"}`, 422, "by", forward},
		{`{"by":"9999999999h"}`, 422, "by", forward},
		{`{"by":48}`, 422, "by", text},
		{`{"by":"1h","offset":"1h"}`, 422, "offset", unknown},
		{`[]`, 422, "", object},
		{`{`, 400, "", noJSON},
	}
	refused := func(method, path string, list []refusal) {
		t.Helper()
		for _, r := range list {
			before := svc.Clocks().Get("abc")
			w := send(t, api, method, path, r.body)
			var got struct {
				Detail string
				Errors []struct{ Field, Detail string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			field := ""
			if len(got.Errors) > 0 {
				field = got.Errors[0].Field
			}
			if w.Code != r.status || got.Detail != r.detail || field != r.field {
				t.Errorf("%s %.80s: %d %s, want %d and %q of %q", path, r.body, w.Code, w.Body, r.status, r.detail, r.field)
			}
			if after := svc.Clocks().Get("abc"); after != before {
				t.Errorf("%s %.80s: the clock is %+v, and was %+v", path, r.body, after, before)
			}
		}
	}
	for _, set := range []func() error{
		func() error { svc.Clocks().Clear("abc"); return nil },
		func() error { return svc.Clocks().Offset("abc", time.Hour) },
		func() error { return svc.Clocks().Freeze("abc", now.AddDate(-1, 0, 0)) },
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
		refused("PUT", "clock", put)
		refused("POST", "clock/advance", advance)
	}
	if err := svc.Clocks().Freeze("abc", clock.Max.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	refused("POST", "clock/advance", []refusal{{`{"by":"61m"}`, 422, "by", inRange}, {`{"by":"2500000h"}`, 422, "by", inRange}})
	if err := svc.Clocks().Offset("abc", 2_000_000*time.Hour); err != nil {
		t.Fatal(err)
	}
	refused("POST", "clock/advance", []refusal{{`{"by":"2000000h"}`, 422, "by", tooFar}})
}

// send sends a request to a path of the store abc.
func send(t *testing.T, api http.Handler, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, control.Prefix+"/stores/abc/"+path, strings.NewReader(body)))
	return w
}

// Clocks of stores that are gone make room for new ones. Those of stores that exist do not.
func TestClocksOfStoresThatAreGone(t *testing.T) {
	t.Parallel()
	svc := service.New(dbtest.SQLite(t))
	clocks := svc.Clocks()
	set := func(key string) {
		t.Helper()
		if err := clocks.Offset(key, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for _, hash := range []string{"abc", "kept"} {
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: hash}); err != nil {
			t.Fatal(err)
		}
	}
	set("kept")
	for i := range clock.MaxStores - 1 {
		set(fmt.Sprint("gone-", i))
	}
	api := control.New(control.Options{Service: svc})
	if w := send(t, api, "POST", "clock/advance", `{"by":"1h"}`); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if times := clocks.Times(time.Now()); len(times) != 2 || times["abc"].IsZero() || times["kept"].IsZero() {
		t.Errorf("the clocks are %v", times)
	}
}
