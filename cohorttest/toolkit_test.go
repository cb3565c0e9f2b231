package cohorttest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"cohort.example/cohort/cohorttest"

	"github.com/google/go-cmp/cmp"
)

// TestStoresInParallel: a hundred parallel tests share a server, each with its own store,
// and see nothing of each other.
func TestStoresInParallel(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	for i := range 100 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			store, token := c.TempStore(t)
			groups := c.URL + "/stores/" + store + "/v2/customer_groups"
			c.Faults(store).Set(t, `{"operation":"createGroup","times":1,"action":{"status":503}}`)
			c.Limits(store).SetQuota(t, 3)
			for _, want := range []int{503, 200, 400, 429} { // the name is taken in this store only
				if status, body := call(t, "POST", groups, token, `{"name":"Wholesale"}`); status != want {
					t.Errorf("create: %d %s, want %d", status, body, want)
				}
			}
			c.Requests(store).Verify(t, `{"operation":"createGroup"}`, cohorttest.Times(4))
		})
	}
}

// TestTempStoreGoes: the store of a test is gone after it, with what the server keeps of
// it in memory.
func TestTempStoreGoes(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	var store, token string
	t.Run("a test", func(t *testing.T) {
		store, token = c.TempStore(t)
		if status, body := call(t, "GET", c.URL+"/stores/"+store+"/v2/time", token, ""); status != 200 {
			t.Errorf("in the test: %d %s", status, body)
		}
	})
	if status, body := call(t, "GET", c.URL+"/stores/"+store+"/v2/time", token, ""); status != 401 {
		t.Errorf("after the test: %d %s", status, body)
	}
	wantFailure(t, `store "`+store+`"`, func(t testing.TB) { c.Requests(store).List(t) })
}

// TestFaults: a write is done and its answer lost, and the client's second try finds it.
func TestFaults(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	groups := c.URL + "/stores/" + c.Store + "/v2/customer_groups"
	faults := c.Faults(c.Store)
	faults.Set(t, `{"operation":"createGroup","times":1,"action":{"commit_then":"reset"}}`)
	faults.Add(t, `{"operation":"listGroups","action":{"status":429,"retry_after":7}}`)

	req, err := http.NewRequest("POST", groups, strings.NewReader(`{"name":"Lost"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"X-Auth-Token": {c.Token}, "Content-Type": {"application/json"}}
	if res, err := http.DefaultClient.Do(req); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client gets %v and the error %v, want a reset", res, err)
	}
	if status, body := call(t, "POST", groups, c.Token, `{"name":"Lost"}`); status != 400 {
		t.Errorf("the second try: %d %s", status, body)
	}
	if status, body := call(t, "GET", groups, c.Token, ""); status != 429 {
		t.Errorf("the list: %d %s", status, body)
	}
	got := faults.List(t)
	want := []cohorttest.Fault{
		{ID: got[0].ID, Rule: `{"operation":"createGroup","times":1,"action":{"commit_then":"reset"}}`, Hits: 1},
		{ID: got[0].ID + 1, Rule: `{"operation":"listGroups","action":{"status":429,"retry_after":7}}`, Hits: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}

	wantFailure(t, `fault rules: 1.operation: There is no operation "makeGroup".`, func(t testing.TB) {
		faults.Set(t, `{"action":"reset"}`, `{"operation":"makeGroup","action":"reset"}`)
	})
	wantFailure(t, "fault rule: action: ", func(t testing.TB) { faults.Add(t, `{"action":"explode"}`) })
	wantFailure(t, "there are: flaky, ", func(t testing.TB) { faults.SetProfile(t, "flakey") })
	if n := len(faults.List(t)); n != 2 {
		t.Errorf("after rules with mistakes there are %d rules, want those before", n)
	}
	faults.SetProfile(t, "throttled")
	if got := faults.List(t); len(got) != 1 || got[0].Rule != `{"every":21,"action":{"status":429}}` {
		t.Errorf("the profile: %v", got)
	}
	faults.Clear(t)
	if got := faults.List(t); len(got) != 0 {
		t.Errorf("after Clear: %v", got)
	}
}

// TestCloseEndsFaults: the end of a test does not wait for a response that a fault holds
// back.
func TestCloseEndsFaults(t *testing.T) {
	t.Parallel()
	c, err := cohorttest.New()
	if err != nil {
		t.Fatal(err)
	}
	res := startSlowly(t, c)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if body, err := io.ReadAll(res.Body); err != nil || !strings.HasPrefix(string(body), `{"time":`) {
		t.Errorf("the response is %s (%v)", body, err)
	}
}

// startSlowly sends a request for the time, and returns when the head of the response is
// there. Its body takes until the server closes.
func startSlowly(t *testing.T, c *cohorttest.Server) *http.Response {
	t.Helper()
	c.Faults(c.Store).Set(t, `{"operation":"getTime","times":1,"action":{"slow":"20s"}}`)
	res, err := http.DefaultClient.Do(newRequest(t, c, "/v2/time"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// TestRequestsOfBrokenConnections: a client that has seen the end of its connection finds
// its request, without waiting for it.
func TestRequestsOfBrokenConnections(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	for _, action := range []string{`"reset"`, `"empty"`, `"truncate"`, `{"commit_then":"reset"}`, `{"commit_then":"empty"}`} {
		c.Faults(c.Store).Set(t, `{"operation":"createGroup","action":`+action+`}`)
		for i := range 20 {
			req := newRequest(t, c, "/v2/customer_groups")
			req.Method, req.Body = "POST", io.NopCloser(strings.NewReader(fmt.Sprintf(`{"name":"%d %s"}`, i, url.QueryEscape(action))))
			req.Header.Set("Content-Type", "application/json")
			res, err := http.DefaultClient.Do(req)
			if err == nil { // truncate breaks off in the body
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			if err == nil {
				t.Fatalf("%s: the client has a whole response", action)
			}
			if !c.Requests(c.Store).Verify(t, `{"operation":"createGroup"}`, cohorttest.Times(i+1)) {
				t.Fatalf("%s, request %d", action, i)
			}
		}
		c.Requests(c.Store).Clear(t)
	}
}

// TestRequests: a test finds the requests that a client has made.
func TestRequests(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	groups := c.URL + "/stores/" + c.Store + "/v2/customer_groups"
	call(t, "POST", groups+"?colour=red", c.Token, `{"name":"Wholesale"}`)
	call(t, "GET", groups, c.Token, "")
	requests := c.Requests(c.Store)

	list := requests.List(t)
	if len(list) != 2 {
		t.Fatalf("the list has %d requests, want 2", len(list))
	}
	first := list[0]
	if first.Time.IsZero() || first.Duration <= 0 || first.Header.Get("X-Auth-Token") != "***" || first.ResponseHeader.Get("Location") == "" ||
		!strings.HasPrefix(first.ResponseBody, `{"id":1,"name":"Wholesale"`) {
		t.Errorf("the first request is %+v", first)
	}
	want := cohorttest.Request{
		ID: first.ID, Method: "POST", Path: "/stores/test/v2/customer_groups", Query: "colour=red", Operation: "createGroup", Status: 200,
		Unread: []string{"query.colour"},
		Body:   `{"name":"Wholesale"}`,
	}
	first.Time, first.Duration, first.Header, first.ResponseHeader, first.ResponseBody = time.Time{}, 0, nil, nil, ""
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("the first request (-want +got):\n%s", diff)
	}
	if found := requests.Find(t, `{"query":{"colour":"red"}}`); len(found) != 1 || found[0].Query != "colour=red" {
		t.Errorf("found %+v", found)
	}
	for criteria, want := range map[string]int{`{}`: 2, `{"method":"post"}`: 1, `{"path":"/v2/*"}`: 2, `{"status":404}`: 0} {
		if n := requests.Count(t, criteria); n != want {
			t.Errorf("%d requests match %s, want %d", n, criteria, want)
		}
	}
	for criteria, message := range map[string]string{
		`{"operation":"makeGroup"}`: "There is no such operation",
		`{"opration":"getTime"}`:    `unknown field "opration"`,
		`{"path":"/stores/x"}`:      "a path after the store",
		`{} {}`:                     "more than one JSON value",
		`{"method"`:                 "unexpected EOF",
	} {
		wantFailure(t, message, func(t testing.TB) { requests.Count(t, criteria) })
	}
	requests.Clear(t)
	if list := requests.List(t); len(list) != 0 {
		t.Errorf("after Clear: %+v", list)
	}
}

// TestVerify: an expectation that does not hold fails the test, and the message says what
// came nearest.
func TestVerify(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	groups := c.URL + "/stores/" + c.Store + "/v2/customer_groups"
	call(t, "POST", groups, c.Token, `{"name":"Retail"}`)
	call(t, "GET", groups, c.Token, "")
	requests := c.Requests(c.Store)
	const created = `{"operation":"createGroup"}`
	for name, want := range map[string]cohorttest.Expectation{
		"Times": cohorttest.Times(1), "AtLeast": cohorttest.AtLeast(1), "AtMost": cohorttest.AtMost(1), "Within": cohorttest.Times(1).Within(time.Minute),
	} {
		if !requests.Verify(t, created, want) {
			t.Errorf("%s does not hold", name)
		}
	}
	wantFailure(t, `0 requests match {"operation":"createGroup","body":{"name":"Wholesale"}}, want 1
the nearest ones:
  POST /stores/test/v2/customer_groups (createGroup, status 200)
    body.name: got "Retail", want "Wholesale"
  GET /stores/test/v2/customer_groups (listGroups, status 200)
    operation: got listGroups, want createGroup
    body: got nothing, want {"name":"Wholesale"}`, func(t testing.TB) {
		requests.Verify(t, `{"operation":"createGroup","body":{"name":"Wholesale"}}`, cohorttest.Times(1))
	})
	wantFailure(t, `1 requests match {"operation":"createGroup"}, want at least 2`, func(t testing.TB) {
		requests.Verify(t, created, cohorttest.AtLeast(2))
	})
	wantFailure(t, `1 requests match {"operation":"createGroup"}, want 0`, func(t testing.TB) {
		requests.Verify(t, created, cohorttest.AtMost(0).Within(time.Minute))
	})
}

// TestVerifyWaits: a test of a client that works in the background waits for its request.
func TestVerifyWaits(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	go func() {
		if res, err := http.DefaultClient.Do(newRequest(t, c, "/v2/time")); err == nil {
			res.Body.Close()
		}
	}()
	c.Requests(c.Store).Verify(t, `{"operation":"getTime"}`, cohorttest.Times(1).Within(time.Minute))
}

// TestLimits: a test uses up a quota without hundreds of requests.
func TestLimits(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	limits, path := c.Limits(c.Store), c.URL+"/stores/"+c.Store+"/v2/time"
	expect := func(step string, want int) {
		t.Helper()
		if status, body := call(t, "GET", path, c.Token, ""); status != want {
			t.Errorf("%s: %d %s, want %d", step, status, body, want)
		}
	}
	if _, metered := limits.Left(t); metered {
		t.Error("the store has a quota")
	}
	wantFailure(t, `the store "test" has no quota`, limits.Exhaust)
	limits.SetQuota(t, 20)
	expect("with a quota", 200)
	if left, metered := limits.Left(t); left != 19 || !metered {
		t.Errorf("%d requests are left, want 19", left)
	}
	limits.Exhaust(t)
	expect("used up", 429)
	limits.Refill(t)
	expect("refilled", 200)
	limits.Exhaust(t)
	limits.SetQuota(t, 0)
	expect("without a quota", 200)
	wantFailure(t, `There is no operation "makeGroup"`, func(t testing.TB) { limits.SetOperations(t, map[string]int{"makeGroup": 1}) })
}

// TestLimitsOfOperations: the second of two requests at the same time gets a 429.
func TestLimitsOfOperations(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	c.Limits(c.Store).SetOperations(t, map[string]int{"getTime": 1})
	startSlowly(t, c)
	path := c.URL + "/stores/" + c.Store + "/v2/time"
	if status, body := call(t, "GET", path, c.Token, ""); status != 429 {
		t.Errorf("beside a running request: %d %s", status, body)
	}
	c.Limits(c.Store).SetOperations(t, nil)
	if status, body := call(t, "GET", path, c.Token, ""); status != 200 {
		t.Errorf("with the limits that the operations have: %d %s", status, body)
	}
}

// TestControlAPI: a program that the test starts can use the control API, with its token.
func TestControlAPI(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	for token, want := range map[string]int{c.ControlToken: 200, "": 401, c.Token: 401} {
		req, err := http.NewRequest("GET", c.URL+"/_cohort/v1/stores/"+c.Store+"/faults", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := c.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != want {
			body, _ := io.ReadAll(res.Body)
			t.Errorf("with the token %q: %d %s, want %d", token, res.StatusCode, body, want)
		}
	}
}

// newRequest returns a GET of a path of the server's store.
func newRequest(t *testing.T, c *cohorttest.Server, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL+"/stores/"+c.Store+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", c.Token)
	return req
}
