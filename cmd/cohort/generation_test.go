package main_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
)

// rounds is how often a test creates and deletes a store or a token while
// requests come.
func rounds() int { return testenv.Times(3, 1) }

// eachNodes runs a test on one server with a SQLite file, and on two servers
// with one PostgreSQL database.
func eachNodes(t *testing.T, fn func(t *testing.T, database string, nodes []string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		database := "sqlite:" + filepath.Join(t.TempDir(), "cohort.db")
		fn(t, database, []string{serve(t, "--db", database).url})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		database := pgtest.URL(t)
		fn(t, database, []string{serve(t, "--db", database).url, serve(t, "--db", database).url})
	})
}

// run runs a command on a database and returns its standard output.
func run(t *testing.T, database string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := command(t, append(args, "--db", database)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cohort %v: %v\n%s", args, err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// makeToken creates a token for the store "xyz".
func makeToken(t *testing.T, database string) (secret, id string) {
	t.Helper()
	secret = run(t, database, "token", "create", "--store", "xyz", "--scope", "store_v2_customers")
	for line := range strings.Lines(run(t, database, "token", "list", "--store", "xyz")) {
		id, _, _ = strings.Cut(line, " ")
	}
	return secret, id
}

// writers create groups in the store "xyz" with one token, on all nodes, until
// they are stopped.
type writers struct {
	t       *testing.T
	stopped atomic.Bool
	work    sync.WaitGroup
	ended   atomic.Bool  // the command that ends the token or its store has returned
	made    atomic.Int64 // acknowledged
	late    atomic.Int64 // acknowledged though sent after the end
}

func startWriters(t *testing.T, nodes []string, token string) *writers {
	t.Helper()
	w := &writers{t: t}
	for i := range 8 {
		w.work.Go(func() {
			for !w.stopped.Load() {
				w.write(nodes[i%len(nodes)], token)
				pauseIfShort()
			}
		})
	}
	for w.made.Load() < 50 && !t.Failed() { // wait until the writers are busy
		w.write(nodes[0], token)
	}
	return w
}

// unauthorized is the response to an unknown token.
const unauthorized = `{"status":401,"title":"Unauthorized","type":"https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes","errors":{}}`

func (w *writers) write(node, token string) {
	late := w.ended.Load()
	status, response := request(w.t, http.MethodPost, node+"/stores/xyz/v2/customer_groups", token, newGroupBody("of the first"))
	switch {
	case status == http.StatusOK && late:
		w.late.Add(1)
	case status == http.StatusOK:
		w.made.Add(1)
	case status == http.StatusUnauthorized && response != unauthorized:
		w.t.Errorf("the rejection is %q", response)
	case !isRejection(status) && status != http.StatusNotFound:
		w.t.Errorf("status %d: %s", status, response)
	}
}

// isRejection reports whether a status rejects a token. An address that keeps
// sending bad tokens gets 429.
func isRejection(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusTooManyRequests
}

// end stops the writers, and fails if a write was acknowledged after the end of
// its token.
func (w *writers) end() {
	w.t.Helper()
	w.stopped.Store(true)
	w.work.Wait()
	if n := w.late.Load(); n != 0 {
		w.t.Errorf("%d writes that were sent after the end of their token are acknowledged", n)
	}
}

func request(t *testing.T, method, url, token, body string) (status int, response string) {
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Header.Set("X-Auth-Token", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res.StatusCode, string(b)
}

// groupsOf returns the number of groups that "cohort group list" shows for the
// store "xyz".
func groupsOf(t *testing.T, database string) int {
	t.Helper()
	return strings.Count(run(t, database, "group", "list", "--store", "xyz"), "\n")
}

// After "token revoke" returns, no node makes or acknowledges a write with that
// token.
func TestRevokedTokenWritesNothing(t *testing.T) {
	t.Parallel()
	eachNodes(t, func(t *testing.T, database string, nodes []string) {
		run(t, database, "store", "create", "xyz")
		for range rounds() {
			secret, id := makeToken(t, database)
			w := startWriters(t, nodes, secret)
			run(t, database, "token", "revoke", id)
			w.ended.Store(true)
			before := groupsOf(t, database)
			for range 3 * len(nodes) { // the rejection must not be limited to the first request
				for _, node := range nodes {
					w.write(node, secret)
				}
			}
			w.end()
			if after := groupsOf(t, database); after != before {
				t.Errorf("%d groups, %d when the token was revoked", after, before)
			}
		}
	})
}

// A store that is deleted and created again while servers run is a new store:
// the old token can neither write to it nor read from it, and the new token
// shows nothing of the old store.
func TestRecreatedStore(t *testing.T) {
	t.Parallel()
	eachNodes(t, func(t *testing.T, database string, nodes []string) {
		run(t, database, "store", "create", "xyz")
		secret, _ := makeToken(t, database)
		for range rounds() {
			w := startWriters(t, nodes, secret)
			remember(t, nodes, secret)
			run(t, database, "store", "delete", "xyz", "--yes")
			w.ended.Store(true)
			run(t, database, "store", "create", "xyz")
			old := secret
			secret, _ = makeToken(t, database)
			for _, node := range nodes {
				wantEmpty(t, node, secret)
			}
			w.end()
			for _, node := range nodes {
				if status, _ := request(t, http.MethodPost, node+"/stores/xyz/v2/customer_groups", old, newGroupBody("x")); status != http.StatusUnauthorized && status != http.StatusTooManyRequests {
					t.Errorf("a write with the old token got %d", status)
				}
				wantEmpty(t, node, secret)
			}
			if n := groupsOf(t, database); n != 0 {
				t.Errorf("the new store has %d groups", n)
			}
		}
	})
}

// reads are requests whose responses a node may have cached, and the responses
// of an empty store.
var reads = []struct {
	path, body string
	status     int
}{
	{"/customer_groups", "", http.StatusNoContent},
	{"/customer_groups?is_default=false", "", http.StatusNoContent},
	{"/customer_groups/count", `{"count":0}`, http.StatusOK},
	{"/customer_groups/1", "", http.StatusNotFound},
}

// remember sends every read to each node once, so that it is cached.
func remember(t *testing.T, nodes []string, token string) {
	t.Helper()
	for _, node := range nodes {
		for _, r := range reads {
			if status, response := request(t, http.MethodGet, node+"/stores/xyz/v2"+r.path, token, ""); status != http.StatusOK {
				t.Errorf("GET %s: %d %s", r.path, status, response)
			}
		}
	}
}

func wantEmpty(t *testing.T, node, token string) {
	t.Helper()
	for _, r := range reads {
		status, response := request(t, http.MethodGet, node+"/stores/xyz/v2"+r.path, token, "")
		if status != r.status || r.body != "" && response != r.body {
			t.Errorf("GET %s of an empty store: %s", r.path, fmt.Sprint(status, " ", response))
		}
	}
}
