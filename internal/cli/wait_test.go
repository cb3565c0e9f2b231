package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
	"testing"
)

// "wait" asks until the server is ready.
func TestWait(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" || asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "the database does not answer")
		}
	}))
	defer srv.Close()
	if r := run(t, "wait", "--server", srv.URL); r != (result{0, "ready\n", ""}) || asked.Load() != 3 {
		t.Errorf("%+v after %d requests", r, asked.Load())
	}
	asked.Store(-1 << 30)
	wantFailure(t, run(t, "wait", "--server", srv.URL, "--timeout", "300ms"), 1, "waited 300ms for "+srv.URL+": not ready: 503 Service Unavailable: the database does not answer")
	srv.Close()
	r := run(t, "wait", "--server", srv.URL, "--timeout", "1ms")
	if r.status != 1 || !regexp.MustCompile(`^cohort: Waited 1ms for http\S+: not ready: .*\n$`).MatchString(r.err) {
		t.Errorf("without a server: %+v", r)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := serve(t, "--dev", "--db", newDB(t))
	r := mustRun(t, "status", "--server", s.url)
	if !regexp.MustCompile(`^URL      ` + s.url + `\nVERSION  \S+\nSTARTED  \d{4}-\S+Z\nUPTIME   \d+s\n$`).MatchString(r.out) {
		t.Errorf("%s", r.out)
	}
	r = mustRun(t, "status", "--json", "--server", s.url)
	if !regexp.MustCompile(`^\{"url":"` + s.url + `","version":"[^"]+","date_started":"[^"]+Z","uptime_seconds":\d+\}\n$`).MatchString(r.out) {
		t.Errorf("%s", r.out)
	}
	s.stop()
	wantFailure(t, run(t, "status", "--server", s.url), 1, "no server answers at "+s.url+`; "cohort start" starts one`)
}
