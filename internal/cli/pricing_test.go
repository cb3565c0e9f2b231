package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	group   = `{"name":"x","discount_rules":[{"type":"all","method":"percent","amount":5}]}`
	another = `{"name":"y","discount_rules":[{"type":"all","method":"percent","amount":5}]}`
)

func TestServeRefusesPricingThatCannotBe(t *testing.T) {
	t.Parallel()
	const secret = "hush, sixteen bytes"
	for _, c := range []struct {
		args    []string
		message string
	}{
		{[]string{"--pricing-url", "https://example.com"}, "--pricing-url and --pricing-secret go together"},
		{[]string{"--pricing-secret", secret}, "--pricing-url and --pricing-secret go together"},
		{[]string{"--pricing-url", "https://example.com", "--pricing-secret", "hush"}, "the pricing secret has 4 bytes, and needs at least 16"},
		{[]string{"--pricing-url", "http://example.com", "--pricing-secret", secret}, "the pricing URL has to be https, unless it is on this machine"},
		{[]string{"--pricing-url", "https://u:hush@example.com", "--pricing-secret", secret},
			"the pricing URL must have no user, no query and no fragment; calls are signed with the secret"},
	} {
		wantFailure(t, run(t, append([]string{"serve", "--dev", "--addr", "127.0.0.1:0", "--db", newDB(t)}, c.args...)...), 2, c.message)
	}
}

// The server pushes a discount to the system that the flags name: the client gets a 200
// if that system accepts it, and a 207 if not.
func TestServeTellsAnotherPricingSystem(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		calls, fail := make(chan string, 100), true
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls <- r.URL.Path
			if fail {
				fail = false
				return // status 200 without a body
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"idempotency_key": r.Header.Get("Idempotency-Key")})
		}))
		defer other.Close()
		const secret = "hush, sixteen bytes"
		s := serve(t, "--dev", "--db", db, "--pricing-url", other.URL+"/a-path", "--pricing-secret", secret)
		if a := s.post(t, "/stores/demo/v2/customer_groups", "demo-token", group); a.status != 207 {
			t.Errorf("%d %s", a.status, a.body)
		}
		<-calls
		if path := <-calls; path != "/a-path" { // the retry of a worker
			t.Errorf("the server calls %s, want /a-path", path)
		}
		if a := s.post(t, "/stores/demo/v2/customer_groups", "demo-token", another); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
		<-calls
		s.stop()
		if log := s.err.String(); strings.Contains(log, "hush") || strings.Contains(log, "a-path") || !strings.Contains(log, "level=WARN") {
			t.Errorf("log:\n%s", log)
		}
	})
}

// A server without --pricing-url warns of discounts that wait for delivery.
func TestServeWarnsOfJobsWithoutPricingURL(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		leaveJobs(t, db)
		s := serve(t, "--db", db)
		s.stop()
		if log := s.err.String(); !strings.Contains(log, "--pricing-url is not given") || !strings.Contains(log, "jobs=2") {
			t.Errorf("log:\n%s", log)
		}
	})
}
