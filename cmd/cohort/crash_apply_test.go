package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
)

// before is what the store has before an apply. Old and Gone are not in the file.
const before = `customer_groups:
- {name: Old, discount_rules: [{type: all, method: percent, amount: 1}]}
- {name: STAFF}
- {name: Listed, discount_rules: [{type: all, method: percent, amount: 2}]}
price_lists:
- {name: Gone, assignments: [{customer_group_id: Old, channel_id: 1}]}
customers:
- {first_name: Ann, last_name: Lee, email: Ann@example.com, customer_group_id: Old}
`

// When the process of an apply is killed, as seen from a write request.
const (
	beforeServer = "before the server has the request"
	whileServer  = "while the server has the request"
	afterServer  = "after the server has answered"
)

// An apply whose process is killed at a write request, and that is run again, ends in the same
// state as one that was never killed: with the same ids, so that nothing was created twice.
func TestKilledApply(t *testing.T) {
	t.Parallel()
	a := newApplied(t)
	if killed := a.run(t, 0, ""); killed {
		t.Fatal("the process was killed")
	}
	want, writes := a.Export(t, a.store), a.writes
	if writes < 15 {
		t.Fatalf("only %d writes", writes)
	}
	points := rand.Perm(writes)[:testenv.Times(writes, 2)]
	for _, point := range points {
		for _, when := range []string{beforeServer, whileServer, afterServer} {
			t.Run(fmt.Sprintf("write %d, %s", point+1, when), func(t *testing.T) {
				a.Restore(t, a.store, "before")
				if killed := a.run(t, point+1, when); !killed {
					t.Fatalf("the process was not killed; there were %d writes", a.writes)
				}
				if killed := a.run(t, 0, ""); killed {
					t.Fatal("the process was killed again")
				}
				if diff := cmp.Diff(want, a.Export(t, a.store)); diff != "" {
					t.Errorf("(-never killed +killed):\n%s", diff)
				}
			})
		}
	}
}

// An apply whose process is killed again and again, after each write, ends in that state too.
func TestApplyKilledAtEachWrite(t *testing.T) {
	testenv.Long(t, "it runs the program for each change")
	t.Parallel()
	a := newApplied(t)
	a.run(t, 0, "")
	want, writes := a.Export(t, a.store), a.writes
	for _, when := range []string{whileServer, afterServer} {
		a.Restore(t, a.store, "before")
		runs := 1
		for ; a.run(t, 1, when); runs++ {
			if runs > 2*writes {
				t.Fatalf("%s: after %d runs there is still something to change", when, runs)
			}
		}
		if diff := cmp.Diff(want, a.Export(t, a.store)); diff != "" || runs < writes/2 {
			t.Errorf("%s: after %d runs (-never killed +killed):\n%s", when, runs, diff)
		}
	}
}

// applied is a store to which a file is applied.
type applied struct {
	*cohorttest.Server
	store, token string
	writes       int // requests of the last run that change something
}

func newApplied(t *testing.T) *applied {
	t.Helper()
	s := cohorttest.Start(t)
	a := &applied{Server: s, store: "shop", token: s.NewStore(t, cohort.Store{Hash: "shop", Catalog: cohort.CatalogManaged})}
	s.Clock(a.store).Freeze(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) // dates are a part of the state
	s.SeedText(t, a.store, before)
	s.Snapshot(t, a.store, "before")
	return a
}

// run applies the file in a process of its own, which is killed at the nth write, if that is not
// 0. It reports whether it was. A process that is not killed must succeed.
func (a *applied) run(t *testing.T, nth int, when string) (killed bool) {
	t.Helper()
	k := &killer{url: a.URL, nth: nth, when: when, started: make(chan struct{}), ended: make(chan struct{})}
	proxy := httptest.NewServer(k)
	k.cmd = command(t, "apply", "testdata/apply.yaml", "--to", proxy.URL, "--store", a.store, "--prune")
	k.cmd.Env = append(k.cmd.Env, "COHORT_API_TOKEN="+a.token)
	var out bytes.Buffer
	k.cmd.Stdout, k.cmd.Stderr = &out, &out
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	close(k.started)
	err := k.cmd.Wait()
	close(k.ended)
	proxy.Close() // waits for the requests that are under way
	a.writes = k.writes
	if killed = k.writes == nth; nth > 0 && killed != (err != nil) || nth == 0 && err != nil {
		t.Errorf("after %d writes: %v\n%s", k.writes, err, &out)
	}
	return nth > 0 && killed
}

// killer passes requests of a process on to a server, and kills the process at the nth write.
type killer struct {
	url            string
	nth            int
	when           string
	cmd            *exec.Cmd
	started, ended chan struct{} // closed when the process has
	mu             sync.Mutex    // the client may read while it writes
	writes         int
}

// ServeHTTP implements [http.Handler]. A request of a killed process gets no response.
func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if !k.isNth(r) {
		k.pass(w, r, body)
		return
	}
	switch k.when {
	case beforeServer:
		k.kill()
	case whileServer:
		var killing sync.WaitGroup
		killing.Go(k.kill)
		k.pass(httptest.NewRecorder(), r, body)
		killing.Wait()
	case afterServer:
		k.pass(httptest.NewRecorder(), r, body)
		k.kill()
	}
	panic(http.ErrAbortHandler)
}

// isNth counts writes. One of the id 0 tries the token.
func (k *killer) isNth(r *http.Request) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/0") {
		return false
	}
	k.writes++
	return k.writes == k.nth
}

// kill kills the process and waits for its end.
func (k *killer) kill() {
	<-k.started
	_ = k.cmd.Process.Kill() // SIGKILL
	<-k.ended
}

// pass sends a request to the server, also if its client is gone.
func (k *killer) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, k.url+r.RequestURI, bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req.Header = r.Header
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	maps.Copy(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body) // the client notices
}
