package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"

	"github.com/google/go-cmp/cmp"
)

// rated is a server whose limits go by a clock that stands until it is moved.
type rated struct {
	*servertest.Server
	elapsed atomic.Int64 // nanoseconds
}

func startRated(t *testing.T, d *db.DB) *rated {
	s := &rated{}
	s.Server = servertest.Start(t, d, server.Options{Now: func() time.Time {
		return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(s.elapsed.Load()))
	}})
	return s
}

func (s *rated) advance(d time.Duration) { s.elapsed.Add(int64(d)) }

// caller returns a function that sends requests to a new store.
func (s *rated) caller(t *testing.T, st cohort.Store) func(method, path, body string) answer {
	t.Helper()
	s.Store(t, st)
	token := s.Token(t, st.Hash, cohort.ScopeCustomers)
	return func(method, path, body string) answer {
		t.Helper()
		return send(t, method, s.URL+"/stores/"+st.Hash+"/v2"+path, token, strings.NewReader(body))
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, method, url, token string, body io.Reader) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// wantTooMany checks a refusal, and how many seconds it says to wait.
func wantTooMany(t *testing.T, what string, a answer, seconds string) {
	t.Helper()
	if a.status != http.StatusTooManyRequests || a.body != tooMany {
		t.Errorf("%s: %d %s", what, a.status, a.body)
	}
	if got := a.header.Get("X-Retry-After"); got != seconds {
		t.Errorf("%s: X-Retry-After is %q, want %s", what, got, seconds)
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("%s: Content-Type is %q", what, got)
	}
}

// tried is the body of a call that counts as a trial and costs no hashing: it
// is refused only after the limits.
const tried = `{}`

func wantTried(t *testing.T, what string, a answer) {
	t.Helper()
	if a.status != http.StatusBadRequest || !strings.Contains(a.body, "The required field 'password' was not supplied.") {
		t.Errorf("%s: %d %s", what, a.status, a.body)
	}
}

// The passwords of one customer can be tried ten times a minute.
func TestValidateRate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := startRated(t, d)
		call := s.caller(t, cohort.Store{Hash: "abc"})
		elsewhere := s.caller(t, cohort.Store{Hash: "other"})

		// Who is not let in does not use up the trials of others.
		reader := s.Token(t, "abc", cohort.ScopeCustomersRead)
		for range 12 {
			a := send(t, http.MethodPost, s.URL+"/stores/abc/v2/customers/7/validate", reader, strings.NewReader(tried))
			if a.status != http.StatusForbidden {
				t.Fatalf("a token that only reads: %d %s", a.status, a.body)
			}
		}
		// The ways to write one path share one count.
		spellings := []string{
			"/customers/7/validate", "/customers/07/validate", "/customers/0000000000000000000000007/validate",
			"/customers/7/validate/", "/customers/7/validate.json", "/customers/7/validate?n=1", "/customers/%37/%76alidate",
		}
		for i := range 9 {
			path := spellings[i%len(spellings)]
			wantTried(t, fmt.Sprintf("trial %d by %s", i+1, path), call(http.MethodPost, path, tried))
		}
		last := call(http.MethodPost, spellings[0], `{"password":"a guess"}`)
		if last.status != http.StatusOK || last.body != `{"success":false}` {
			t.Errorf("trial 10: %d %s", last.status, last.body)
		}
		for _, path := range spellings {
			wantTooMany(t, "trial 11 by "+path, call(http.MethodPost, path, `{"password":"a guess"}`), "60")
		}
		// An unlimited store has no quota, so its refusals do not speak of one.
		if a := call(http.MethodPost, spellings[0], tried); a.header.Get("X-Rate-Limit-Requests-Quota") != "" {
			t.Errorf("the refusal names a quota: %v", a.header)
		}
		newToken := s.Token(t, "abc", cohort.ScopeCustomers)
		wantTooMany(t, "with another token", send(t, http.MethodPost, s.URL+"/stores/abc/v2/customers/7/validate", newToken, strings.NewReader(tried)), "60")

		wantTried(t, "another customer", call(http.MethodPost, "/customers/70/validate", tried))
		wantTried(t, "this id in another store", elsewhere(http.MethodPost, "/customers/7/validate", tried))
		if a := call(http.MethodGet, "/customers/7", ""); a.status != http.StatusNotFound {
			t.Errorf("another operation on the customer: %d %s", a.status, a.body)
		}

		s.advance(12*time.Second + 500*time.Millisecond)
		wantTooMany(t, "after 12.5 s", call(http.MethodPost, spellings[0], tried), "48")
		s.advance(47*time.Second + 500*time.Millisecond - 1)
		wantTooMany(t, "just before the minute is over", call(http.MethodPost, spellings[0], tried), "1")
		s.advance(1)
		for i := range 10 {
			wantTried(t, fmt.Sprintf("trial %d of the next minute", i+1), call(http.MethodPost, spellings[0], tried))
		}
		wantTooMany(t, "trial 11 of the next minute", call(http.MethodPost, spellings[0], tried), "60")
	})
}

// A refused trial uses up nothing of the quota, and says how it stands.
func TestValidateRateLeavesQuota(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := startRated(t, d)
		call := s.caller(t, cohort.Store{Hash: "abc", Plan: cohort.PlanStandard})
		quota := func(a answer) map[string]string {
			got := map[string]string{}
			for _, name := range []string{"Time-Window-Ms", "Time-Reset-Ms", "Requests-Quota", "Requests-Left"} {
				got[name] = a.header.Get("X-Rate-Limit-" + name)
			}
			return got
		}
		for range 10 {
			wantTried(t, "a trial", call(http.MethodPost, "/customers/7/validate", tried))
		}
		s.advance(10 * time.Second)
		left := func(n string) map[string]string {
			return map[string]string{"Time-Window-Ms": "30000", "Time-Reset-Ms": "20000", "Requests-Quota": "150", "Requests-Left": n}
		}
		for range 5 {
			a := call(http.MethodPost, "/customers/7/validate", tried)
			wantTooMany(t, "trial 11", a, "50")
			if diff := cmp.Diff(left("140"), quota(a)); diff != "" {
				t.Errorf("a refused trial (-want +got):\n%s", diff)
			}
		}
		if diff := cmp.Diff(left("139"), quota(call(http.MethodGet, "/customers/count", ""))); diff != "" {
			t.Errorf("what comes after it (-want +got):\n%s", diff)
		}
	})
}

// All customers of a store together can be tried 300 times a minute.
func TestValidateRatePerStore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := startRated(t, d)
		call := s.caller(t, cohort.Store{Hash: "abc"})
		elsewhere := s.caller(t, cohort.Store{Hash: "other"})
		for i := range 300 {
			wantTried(t, fmt.Sprintf("trial %d", i+1), call(http.MethodPost, fmt.Sprintf("/customers/%d/validate", i/10), tried))
		}
		wantTooMany(t, "trial 301", call(http.MethodPost, "/customers/30/validate", `{"password":"a guess"}`), "60")
		wantTried(t, "another store", elsewhere(http.MethodPost, "/customers/30/validate", tried))
		s.advance(time.Minute)
		wantTried(t, "a minute later", call(http.MethodPost, "/customers/30/validate", tried))
	})
}
