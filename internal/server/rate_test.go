package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
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

// rated is a server whose limits use a clock that the test advances.
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
func (s *rated) caller(t *testing.T, st cohort.Store) func(method, path, body string) response {
	t.Helper()
	s.Store(t, st)
	token := s.Token(t, st.Hash, cohort.ScopeCustomers)
	return func(method, path, body string) response {
		t.Helper()
		return send(t, method, s.URL+"/stores/"+st.Hash+"/v2"+path, token, strings.NewReader(body))
	}
}

type response struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, method, url, token string, body io.Reader) response {
	t.Helper()
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	return exchange(t, req)
}

// exchange sends a request and reads the response.
func exchange(t *testing.T, req *http.Request) response {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, string(text)}
}

// wantTooMany checks a 429 and its X-Retry-After.
func wantTooMany(t *testing.T, what string, a response, seconds string) {
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

// noPassword is the body of a password check that counts for the rate limit but costs
// no hashing: it is rejected after the limits.
const noPassword = `{}`

func wantCounted(t *testing.T, what string, a response) {
	t.Helper()
	if a.status != http.StatusBadRequest || !strings.Contains(a.body, "The required field 'password' was not supplied.") {
		t.Errorf("%s: %d %s", what, a.status, a.body)
	}
}

// Ten password checks per minute are allowed for one customer.
func TestValidateRate(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := startRated(t, d)
		call := s.caller(t, cohort.Store{Hash: "abc"})
		elsewhere := s.caller(t, cohort.Store{Hash: "other"})

		// Requests without the scope do not count.
		reader := s.Token(t, "abc", cohort.ScopeCustomersRead)
		for range 12 {
			a := send(t, http.MethodPost, s.URL+"/stores/abc/v2/customers/7/validate", reader, strings.NewReader(noPassword))
			if a.status != http.StatusForbidden {
				t.Fatalf("a read-only token: %d %s", a.status, a.body)
			}
		}
		// All spellings of a path count together.
		spellings := []string{
			"/customers/7/validate", "/customers/07/validate", "/customers/0000000000000000000000007/validate",
			"/customers/7/validate/", "/customers/7/validate.json", "/customers/7/validate?n=1", "/customers/%37/%76alidate",
		}
		for i := range 9 {
			path := spellings[i%len(spellings)]
			wantCounted(t, fmt.Sprintf("check %d with %s", i+1, path), call(http.MethodPost, path, noPassword))
		}
		last := call(http.MethodPost, spellings[0], `{"password":"a guess"}`)
		if last.status != http.StatusOK || last.body != `{"success":false}` {
			t.Errorf("check 10: %d %s", last.status, last.body)
		}
		for _, path := range spellings {
			wantTooMany(t, "check 11 with "+path, call(http.MethodPost, path, `{"password":"a guess"}`), "60")
		}
		// An unlimited store has no quota, so its 429 has no quota headers.
		if a := call(http.MethodPost, spellings[0], noPassword); a.header.Get("X-Rate-Limit-Requests-Quota") != "" {
			t.Errorf("the 429 has quota headers: %v", a.header)
		}
		newToken := s.Token(t, "abc", cohort.ScopeCustomers)
		wantTooMany(t, "with another token", send(t, http.MethodPost, s.URL+"/stores/abc/v2/customers/7/validate", newToken, strings.NewReader(noPassword)), "60")

		wantCounted(t, "another customer", call(http.MethodPost, "/customers/70/validate", noPassword))
		wantCounted(t, "this id in another store", elsewhere(http.MethodPost, "/customers/7/validate", noPassword))
		if a := call(http.MethodGet, "/customers/7", ""); a.status != http.StatusNotFound {
			t.Errorf("another operation on the customer: %d %s", a.status, a.body)
		}

		s.advance(12*time.Second + 500*time.Millisecond)
		wantTooMany(t, "after 12.5 s", call(http.MethodPost, spellings[0], noPassword), "48")
		s.advance(47*time.Second + 500*time.Millisecond - 1)
		wantTooMany(t, "just before the minute is over", call(http.MethodPost, spellings[0], noPassword), "1")
		s.advance(1)
		for i := range 10 {
			wantCounted(t, fmt.Sprintf("check %d of the next minute", i+1), call(http.MethodPost, spellings[0], noPassword))
		}
		wantTooMany(t, "check 11 of the next minute", call(http.MethodPost, spellings[0], noPassword), "60")
	})
}

// A rejected password check uses up no quota, and its 429 has the quota headers.
func TestValidateRateLeavesQuota(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := startRated(t, d)
		call := s.caller(t, cohort.Store{Hash: "abc", Plan: cohort.PlanStandard})
		quota := func(a response) map[string]string {
			got := map[string]string{}
			for _, name := range []string{"Time-Window-Ms", "Time-Reset-Ms", "Requests-Quota", "Requests-Left"} {
				got[name] = a.header.Get("X-Rate-Limit-" + name)
			}
			return got
		}
		for range 10 {
			wantCounted(t, "a check", call(http.MethodPost, "/customers/7/validate", noPassword))
		}
		s.advance(10 * time.Second)
		left := func(n string) map[string]string {
			return map[string]string{"Time-Window-Ms": "30000", "Time-Reset-Ms": "20000", "Requests-Quota": "150", "Requests-Left": n}
		}
		for range 5 {
			a := call(http.MethodPost, "/customers/7/validate", noPassword)
			wantTooMany(t, "check 11", a, "50")
			if diff := cmp.Diff(left("140"), quota(a)); diff != "" {
				t.Errorf("a rejected check (-want +got):\n%s", diff)
			}
		}
		if diff := cmp.Diff(left("139"), quota(call(http.MethodGet, "/customers/count", ""))); diff != "" {
			t.Errorf("the request after it (-want +got):\n%s", diff)
		}
	})
}

// 300 password checks per minute are allowed in one store.
func TestValidateRatePerStore(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := startRated(t, d)
		call := s.caller(t, cohort.Store{Hash: "abc"})
		elsewhere := s.caller(t, cohort.Store{Hash: "other"})
		for i := range 300 {
			wantCounted(t, fmt.Sprintf("check %d", i+1), call(http.MethodPost, fmt.Sprintf("/customers/%d/validate", i/10), noPassword))
		}
		wantTooMany(t, "check 301", call(http.MethodPost, "/customers/30/validate", `{"password":"a guess"}`), "60")
		wantCounted(t, "another store", elsewhere(http.MethodPost, "/customers/30/validate", noPassword))
		s.advance(time.Minute)
		wantCounted(t, "a minute later", call(http.MethodPost, "/customers/30/validate", noPassword))
	})
}

// V2 and V3 count the password checks of one customer together, also if all of them come
// at the same time.
func TestConcurrentPasswordChecksOfBothVersions(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := startRated(t, d)
		s.Store(t, cohort.Store{Hash: "abc"})
		token := s.Token(t, "abc", cohort.ScopeCustomers)
		_, err := s.Service.CreateCustomer(t.Context(), "abc", cohort.CustomerUpdate{
			FirstName: new("A"), LastName: new("B"), Email: new("a@example.com"), Password: new("secret"),
		})
		if err != nil {
			t.Fatal(err)
		}
		checks := []struct{ path, body, answer string }{
			{"/v2/customers/1/validate", `{"password":"secret"}`, `{"success":true}`},
			{"/v3/customers/validate-credentials", `{"email":"A@example.com","password":"secret"}`, `{"is_valid":true,"customer_id":1}`},
		}
		const callers = 24
		responses := make([]response, callers)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range callers {
			check := checks[i%2]
			wg.Go(func() {
				<-start
				responses[i] = send(t, http.MethodPost, s.URL+"/stores/abc"+check.path, token, strings.NewReader(check.body))
			})
		}
		close(start)
		wg.Wait()
		admitted := 0
		for i, r := range responses {
			if r.status == http.StatusOK && r.body == checks[i%2].answer {
				admitted++
				continue
			}
			wantTooMany(t, "a check too many with "+checks[i%2].path, r, "60")
		}
		if admitted != 10 {
			t.Errorf("%d checks were made, want 10", admitted)
		}
	})
}
