package cohorttest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"cohort.example/cohort"
	"cohort.example/cohort/cohorttest"

	"github.com/google/go-cmp/cmp"
)

// TestStart is what the test of a client looks like.
func TestStart(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	groups := c.URL + "/stores/" + c.Store + "/v2/customer_groups"

	status, body := call(t, "POST", groups, c.Token, `{"name":"Wholesale"}`)
	if status != http.StatusOK || !strings.HasPrefix(body, `{"id":1,"name":"Wholesale",`) {
		t.Errorf("create: %d %s", status, body)
	}
	if status, body := call(t, "GET", groups+"/count", c.Token, ""); status != http.StatusOK || body != `{"count":1}` {
		t.Errorf("count: %d %s", status, body)
	}
}

// TestServersAreSeparate: two servers of one test share nothing.
func TestServersAreSeparate(t *testing.T) {
	t.Parallel()
	a, b := cohorttest.Start(t), cohorttest.Start(t)
	if status, body := call(t, "POST", a.URL+"/stores/"+a.Store+"/v2/customer_groups", a.Token, `{"name":"x"}`); status != http.StatusOK {
		t.Fatalf("create: %d %s", status, body)
	}
	if status, body := call(t, "GET", b.URL+"/stores/"+b.Store+"/v2/customer_groups", b.Token, ""); status != http.StatusNoContent {
		t.Errorf("the other server's list: %d %s", status, body)
	}
	if status, body := call(t, "GET", b.URL+"/stores/"+b.Store+"/v2/time", a.Token, ""); status != http.StatusUnauthorized {
		t.Errorf("the other server's token: %d %s", status, body)
	}
}

// TestStoresAndTokens: stores with quotas, and tokens with fewer scopes.
func TestStoresAndTokens(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	token := c.NewStore(t, cohort.Store{Hash: "metered", Quota: 1})
	reader := c.NewToken(t, c.Store, cohort.ScopeCustomersRead)
	for _, q := range []struct {
		want                      int
		method, path, token, body string
	}{
		{200, "GET", "/stores/metered/v2/time", token, ""},
		{429, "GET", "/stores/metered/v2/time", token, ""},
		{403, "GET", "/stores/" + c.Store + "/v2/time", token, ""},
		{204, "GET", "/stores/" + c.Store + "/v2/customer_groups", reader, ""},
		{403, "POST", "/stores/" + c.Store + "/v2/customer_groups", reader, `{"name":"x"}`},
	} {
		if status, response := call(t, q.method, c.URL+q.path, q.token, q.body); status != q.want {
			t.Errorf("%s %s: %d %s, want %d", q.method, q.path, status, response, q.want)
		}
	}
}

// TestRunScripts: the scripts that match the pattern run, each on a target of its own,
// and each exchange is passed on. The tests of package wirescript show that a check
// fails.
func TestRunScripts(t *testing.T) {
	create := &fstest.MapFile{Data: []byte(`
# The first of this script's own server.
POST /v2/customer_groups
send {"name":"x"}
code == 200
header Location == /stores/{store}/v2/customer_groups/1
let id = id

GET /v2/customer_groups/{id}
code == 200
`)}
	scripts := fstest.MapFS{"a.txt": create, "b.txt": create, "notes.md": {Data: []byte("not a script")}}
	var seen []string
	starts := 0
	cohorttest.RunScripts(t, scripts, "*.txt", func(t *testing.T) cohorttest.Target {
		starts++
		return cohorttest.Start(t).Target()
	}, func(_ *testing.T, x cohorttest.Exchange) {
		seen = append(seen, fmt.Sprintf("%s %d %d", x.Request.Method, x.Status, len(x.Failures)))
	})
	if diff := cmp.Diff([]string{"POST 200 0", "GET 200 0", "POST 200 0", "GET 200 0"}, seen); diff != "" || starts != 2 {
		t.Errorf("%d servers were started, want 2; exchanges (-want +got):\n%s", starts, diff)
	}
}

// call sends a request as a client does.
func call(t *testing.T, method, url, token, body string) (status int, response string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}
