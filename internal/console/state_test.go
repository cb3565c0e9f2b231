package console

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/fault"
)

func TestFaults(t *testing.T) {
	f := newFixture(t)
	wantAll(t, f.get(t, f.path("faults")), "No request fails on purpose.", "<option>createGroup</option>", "<option>flaky</option>")
	f.post(t, f.path("faults"), url.Values{"operation": {"getTime"}, "times": {"2"}, "status": {"503"}}, 303)
	f.api(t, "GET", "/v2/time", "")
	wantAll(t, f.get(t, f.path("faults")), "1 rule is on", `<td class="break">getTime</td><td>answers 503</td>`, `<td class="number">1</td><td class="number">1</td>`)
	wantAll(t, f.get(t, f.path("requests")), "fault 1")
	f.post(t, f.path("faults"), url.Values{"rule": {exampleRule}}, 303)
	f.post(t, f.path("faults", "profile"), url.Values{"profile": {"flaky"}}, 303)
	f.post(t, f.path("faults", "profile"), url.Values{"profile": {"none"}}, 422)
	f.post(t, f.path("faults", "clear"), nil, 303)
	wantAll(t, f.get(t, f.path("faults")), "No request fails on purpose.")
}

// A refused rule comes back as it was typed, and nothing fails.
func TestFaultRefused(t *testing.T) {
	f := newFixture(t)
	for want, form := range map[string]url.Values{
		"The rule is not valid JSON.": {"rule": {"{<b>"}},
		"Operation: ":                 {"rule": {`{"operation":"<b>none</b>","action":{"status":503}}`}},
		"status":                      {"operation": {"getTime"}, "times": {"1"}, "status": {"1"}},
		"The value must be a whole number from 1 on.": {"operation": {"getTime"}, "times": {"<b>"}, "status": {"503"}},
		"The value must be a status such as 503.":     {"operation": {"getTime"}, "times": {"1"}, "status": {"<b>"}},
	} {
		page := f.post(t, f.path("faults"), form, 422)
		wantAll(t, page, want, `class="problem" role="alert"`)
		if strings.Contains(page, "<b>") {
			t.Error(page)
		}
	}
	wantAll(t, f.post(t, f.path("faults"), url.Values{"rule": {"{<b>"}}, 422), "{&lt;b&gt;</textarea>")
	if list := f.Tests.Faults.List(f.store.Key); len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

func TestActionWords(t *testing.T) {
	status := fault.Action{Kind: fault.KindStatus, Status: 503}
	lost := status
	lost.Commit = true
	for want, r := range map[string]fault.Rule{
		"answers 503": {Action: status},
		"waits 1s":    {Delay: time.Second},
		"waits 1s to 3s, then resets the connection": {Delay: time.Second, Jitter: 2 * time.Second, Action: fault.Action{Kind: fault.KindReset}},
		"makes the change, then answers 503":         {Action: lost},
		"answers in small pieces for 2s":             {Action: fault.Action{Kind: fault.KindSlow, Duration: 2 * time.Second}},
	} {
		if got := actionWords(r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, r := range map[string]fault.Rule{"all requests": {}, "GET /v2/*": {Method: "GET", Path: "/v2/*"}, "getTime": {Operation: "getTime", Method: "GET"}} {
		if got := requestsWords(r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// follow sends a form, and returns the page that it leads to.
func (f *fixture) follow(t *testing.T, path string, form url.Values) string {
	t.Helper()
	f.post(t, path, form, 303)
	return f.get(t, f.last.Header.Get("Location"))
}

func TestSnapshotsAndSeeds(t *testing.T) {
	f := newFixture(t)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"First"}`)
	wantAll(t, f.get(t, f.path("state")), "None is saved.", "No seed was loaded")
	wantAll(t, f.follow(t, f.path("state", "save"), url.Values{"name": {"base"}}), `aria-label="Restore base"`)
	wantAll(t, f.post(t, f.path("state", "save"), url.Values{"name": {"<b>"}}, 422), `role="alert"`)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"Second"}`)
	wantAll(t, f.post(t, f.path("state", "restore"), url.Values{"name": {"base"}}, 200), "The store has 2 groups and 0 customers now.", `name="confirmed" value="2-0"`)
	f.post(t, f.path("state", "restore"), url.Values{"name": {"base"}, "confirmed": {"2-0"}}, 303)
	groups := func(want int64) {
		t.Helper()
		if n, err := f.svc.CountGroups(t.Context(), f.store.Key, cohort.GroupFilter{}); n != want || err != nil {
			t.Errorf("%d groups, want %d, %v", n, want, err)
		}
	}
	groups(1)
	f.post(t, f.path("state", "restore"), url.Values{"name": {"none"}, "confirmed": {"1-0"}}, 404)
	f.post(t, f.path("state", "remove"), url.Values{"name": {"base"}, "confirmed": {"1-0"}}, 303)

	export := f.get(t, f.path("state", "export"))
	if got := f.last.Header.Get("Content-Disposition"); got != `attachment; filename="abc.yaml"` || !strings.Contains(export, "First") {
		t.Errorf("%q\n%s", got, export)
	}
	f.post(t, f.path("state", "reset"), url.Values{"to": {"empty"}, "confirmed": {"1-0"}}, 303)
	groups(0)
	wantAll(t, f.post(t, f.path("state", "seed"), url.Values{"seed": {export}, "replace": {"1-0"}}, 409), "The store has 0 groups and 0 customers now", "First")
	groups(0)
	f.post(t, f.path("state", "seed"), url.Values{"seed": {export}, "replace": {"0-0"}}, 303)
	groups(1)
	page := f.post(t, f.path("state", "seed"), url.Values{"seed": {"customer_groups:\n  - {name: <b>, colour: red}\n"}, "replace": {"1-0"}}, 422)
	wantAll(t, page, "Line 2: ", "&lt;b&gt;, colour: red}")
	groups(1)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"Third"}`)
	wantAll(t, f.post(t, f.path("state", "reset"), nil, 200), "Reset the store to its seed")
	wantAll(t, f.post(t, f.path("state", "reset"), url.Values{"confirmed": {"1-0"}}, 200), "The store has changed since you were asked.")
	groups(2)
	f.post(t, f.path("state", "reset"), url.Values{"confirmed": {"2-0"}}, 303)
	groups(1)
}

func TestSetClock(t *testing.T) {
	f := newFixture(t)
	wantAll(t, f.follow(t, f.path("state", "clock"), url.Values{"do": {"freeze"}, "at": {"2026-01-02T03:04"}}), `<span class="tag warn">frozen</span> at 2026-01-02 03:04:00 UTC`)
	wantAll(t, f.follow(t, f.path("state", "clock"), url.Values{"do": {"advance"}, "by": {"48h"}}), "at 2026-01-04 03:04:00 UTC")
	wantAll(t, f.post(t, f.path("state", "clock"), url.Values{"do": {"advance"}, "by": {"-1h"}}, 422), `role="alert"`)
	wantAll(t, f.follow(t, f.path("state", "clock"), url.Values{"do": {"system"}}), "The store has the clock of the system")
	wantAll(t, f.follow(t, f.path("state", "clock"), url.Values{"do": {"set"}, "at": {"2030-01-02T03:04"}}), `<span class="tag warn">moved</span>`)
	wantAll(t, f.post(t, f.path("state", "clock"), url.Values{"do": {"set"}, "at": {"<b>"}}, 422), "The clock needs a time")
	f.post(t, f.path("state", "clock"), nil, 400)
}

func TestLimits(t *testing.T) {
	f := newFixture(t)
	wantAll(t, f.get(t, f.path("limits")), "none: requests are not counted", "<th scope=\"row\">updateCustomersV3</th>")
	f.post(t, f.path("limits", "exhaust"), nil, 409)
	wantAll(t, f.follow(t, f.path("limits"), url.Values{"plan": {"pro"}, "quota": {"0"}}), "450 of 450 requests are left")
	wantAll(t, f.follow(t, f.path("limits", "exhaust"), nil), "0 of 450 requests are left")
	if got := f.api(t, "GET", "/v2/time", ""); !strings.Contains(got, "429") && !strings.Contains(got, "Too Many") {
		t.Error(got)
	}
	wantAll(t, f.get(t, f.path("limits")), `aria-label="Refused by a limit"`, `<td>getTime</td><td class="number">1</td>`)
	wantAll(t, f.follow(t, f.path("limits", "refill"), nil), "450 of 450 requests are left")
	page := f.post(t, f.path("limits"), url.Values{"plan": {"pro"}, "quota": {"many"}}, 422)
	wantAll(t, page, `value="many"`, `role="alert"`)
	set := func(operation, n string) url.Values { return url.Values{"operation": {operation}, "at_once": {n}} }
	f.follow(t, f.path("limits", "operation"), set("getTime", "3"))
	wantAll(t, f.follow(t, f.path("limits", "operation"), set("createGroup", "2")), `<th scope="row">getTime</th><td class="number">3</td>`, `<th scope="row">createGroup</th><td class="number">2</td>`)
	for _, wrong := range []url.Values{set("<b>", "1"), set("getTime", "<b>"), set("getTime", "-1")} {
		if page := f.post(t, f.path("limits", "operation"), wrong, 422); !strings.Contains(page, `role="alert"`) || strings.Contains(page, "<b>") {
			t.Error(page)
		}
	}
	if got := f.Tests.Limits.Concurrency(f.store.Key); got["getTime"] != 3 || got["createGroup"] != 2 {
		t.Errorf("a refused limit changed %v", got)
	}
	f.post(t, f.path("limits", "own"), nil, 303)
	if got := f.Tests.Limits.Concurrency(f.store.Key); len(got) > 0 {
		t.Errorf("still set: %v", got)
	}
	o := f.Options
	tests := *o.Tests
	tests.Limits = nil
	o.Tests = &tests
	f.Console = New(o)
	wantAll(t, f.get(t, f.path("limits")), "Nodes share the limits in Redis")
	f.post(t, f.path("limits", "operation"), set("getTime", "3"), 409)
	f.post(t, f.path("limits", "own"), nil, 409)
}
