package cli_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/google/go-cmp/cmp"
)

// The request that --dev prints is the first thing that a user tries, so the test parses it
// as a shell does and sends it.
func TestServeDevPrintsARequestThatWorks(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
			// The second time, the store and the token exist.
			s := serve(t, "--dev", "--db", db, "--addr", addr)
			greeting := s.out.String()
			if path := strings.TrimPrefix(db, "sqlite:"); !strings.Contains(greeting, path) {
				t.Errorf("the greeting does not say that the data is in %s:\n%s", path, greeting)
			}
			req := parseCurl(t, greeting)
			if !strings.HasPrefix(req.URL.String(), s.url+"/stores/demo/") {
				t.Errorf("the request goes to %s, the server is at %s", req.URL, s.url)
			}
			res, err := s.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if a := read(t, res); a.status != 200 || !strings.Contains(a.body, `"name":"Wholesale `) {
				t.Errorf("the response is %d %s", a.status, a.body)
			}
			s.stop()
		}
	})
}

// parseCurl returns the request of the only line in text that begins with curl.
func parseCurl(t *testing.T, text string) *http.Request {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^curl .*$`).FindAllString(text, -1)
	if len(lines) != 1 {
		t.Fatalf("%d lines with a curl command, want 1:\n%s", len(lines), text)
	}
	var words []string
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(lines[0], -1) {
		words = append(words, m[1]+m[2])
	}
	method, body, url, header := http.MethodGet, "", "", http.Header{}
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "-i":
		case "-H":
			i++
			name, value, _ := strings.Cut(words[i], ": ")
			header.Add(name, value)
		case "-d":
			i++
			method, body = http.MethodPost, words[i]
		default:
			if url != "" || strings.HasPrefix(words[i], "-") {
				t.Fatalf("%q in %s", words[i], lines[0])
			}
			url = words[i]
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	return req
}

// The token of --dev is public, so an address beyond this machine must not serve it.
func TestServeDevRejectsPublicAddresses(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":8080", "[::]:0", "192.0.2.1:8080", "example.com:80"} {
		t.Run(addr, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			wantFailure(t, run(t, "serve", "--dev", "--addr", addr, "--db", db), 2,
				"--dev serves loopback addresses only, not "+addr+", because its token is public; in a container, see --dev-listen-anywhere")
			if _, err := os.Stat(strings.TrimPrefix(db, "sqlite:")); err == nil {
				t.Error("the command created the database with the public token")
			}
		})
	}
}

// In a container, --dev listens beyond this machine when it is told to. It warns, accepts
// any host name, and has no control API without a token for it.
func TestServeDevListensAnywhere(t *testing.T) {
	t.Parallel()
	wantFailure(t, run(t, "serve", "--dev-listen-anywhere", "--db", newDB(t)), 2, "--dev-listen-anywhere goes with --dev")
	for token, status := range map[string]int{"": http.StatusNotFound, "a token for the control API": http.StatusOK} {
		s := serve(t, "--dev", "--dev-listen-anywhere", "--addr", "0.0.0.0:0", "--db", newDB(t), "--control-token", token)
		if strings.Count(s.err.String(), `level=WARN msg="development mode beyond this machine`) != 1 {
			t.Errorf("no warning, or several:\n%s", s.err)
		}
		for path, want := range map[string]int{"/stores/demo/v2/time": http.StatusOK, "/_cohort/v1/health": status} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host, req.Header = "cohort.example", http.Header{"X-Auth-Token": {"demo-token"}, "Authorization": {"Bearer " + token}}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("with the token %q, %s is %d, want %d", token, path, res.StatusCode, want)
			}
		}
	}
}

// The token of --dev is public, so a database with it must not be served without --dev.
func TestServeRejectsTheDevelopmentToken(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		serve(t, "--dev", "--db", db).stop()

		dev := id("demo-token")
		wantFailure(t, run(t, "serve", "--addr", "127.0.0.1:0", "--db", db), 1,
			`this database has the token "demo-token", which is public; revoke it with "cohort token revoke `+dev+
				`", use another --db, or serve with --dev`)

		// The advice of the message works.
		mustRun(t, "token", "revoke", dev, "--db", db)
		s := serve(t, "--db", db)
		if a := s.get(t, "/stores/demo/v2/time", "demo-token"); a.status != 401 {
			t.Errorf("the development token gets %d %s", a.status, a.body)
		}
		if s.out.String() != "" {
			t.Errorf("the server prints the greeting of --dev: %s", s.out)
		}
	})
}

// An older version created the token of --dev with fewer scopes.
func TestServeExtendsTheDevelopmentToken(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "demo", "--db", url)
		older := cohort.NewToken("demo-token")
		older.StoreKey, older.Name, older.Scopes = "demo", "serve --dev", []cohort.Scope{cohort.ScopeCustomers, cohort.ScopeProducts}
		inDB(t, url, func(tx *db.Tx) error { return tx.InsertToken(older) })
		s := serve(t, "--dev", "--db", url)
		for _, path := range []string{"/v2/store", "/v3/channels", "/v2/time"} {
			if a := s.get(t, "/stores/demo"+path, "demo-token"); a.status != 200 {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
	})
}

func TestServeRejectsInvalidFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args    []string
		message string
	}{
		{[]string{"--tls-cert", "cert.pem"}, "--tls-cert and --tls-key go together"},
		{[]string{"--tls-key", "key.pem"}, "--tls-cert and --tls-key go together"},
		{[]string{"--shutdown-timeout=-1s"}, "--shutdown-timeout must not be negative"},
		{[]string{"--max-staleness=-1s"}, "--max-staleness must be between 0s and 1m"},
		{[]string{"--max-staleness=61s"}, "--max-staleness must be between 0s and 1m"},
		{[]string{"--addr", "8080"}, "--addr 8080 is not HOST:PORT"},
		{[]string{"--pprof"}, "--pprof goes with --metrics-addr, which serves the profiles"},
	} {
		db := newDB(t)
		wantFailure(t, run(t, append([]string{"serve", "--db", db}, c.args...)...), 2, c.message)
		if _, err := os.Stat(strings.TrimPrefix(db, "sqlite:")); err == nil {
			t.Errorf("%v: the command created the database", c.args)
		}
	}
}

func TestServeAddressIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	for flag, begin := range map[string]string{"--addr": "cohort: Cannot listen on " + addr + ": ", "--metrics-addr": "cohort: Cannot listen on " + addr + " for metrics: ", "--console-addr": "cohort: Cannot listen on " + addr + " for the console: "} {
		r := run(t, "serve", "--addr", "127.0.0.1:0", flag, addr, "--db", newDB(t))
		if r.status != 1 || !strings.HasPrefix(r.err, begin) || strings.Count(r.err, "\n") != 1 {
			t.Errorf("%s %s: exit status %d: %s", flag, addr, r.status, r.err)
		}
	}
}

func TestServeMetrics(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		token := newToken(t, db, "abc")
		s := serve(t, "--db", db, "--metrics-addr", "127.0.0.1:0")
		s.get(t, "/stores/abc/v2/time", token)
		s.err.await(t, `(msg=request .*operation=getTime)`, s.ended) // counted before it is logged

		res, err := s.client.Get(s.err.await(t, `msg="serving metrics" url=(\S+/metrics)`, s.ended))
		if err != nil {
			t.Fatal(err)
		}
		metrics := read(t, res)
		if want := `cohort_http_requests_total{operation="getTime",status="200"} 1`; !strings.Contains(metrics.body, "\n"+want+"\n") {
			t.Errorf("metrics without %s:\n%s", want, metrics.body)
		}
		// Metrics cover all stores, so the API must not serve them.
		if a := s.get(t, "/metrics", token); a.status != 404 {
			t.Errorf("the API serves metrics too: %d", a.status)
		}
	})
}

// Profiles are on the address of the metrics, if they are asked for, and nowhere else.
func TestServeProfiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args   []string
		status int
	}{{nil, 404}, {[]string{"--pprof"}, 200}} {
		s := serve(t, append(c.args, "--db", newDB(t), "--metrics-addr", "127.0.0.1:0")...)
		base := strings.TrimSuffix(s.err.await(t, `msg="serving metrics" url=(\S+/metrics)`, s.ended), "/metrics")
		for path, want := range map[string]string{"": "goroutine", "heap?debug=1": "heap profile:", "cmdline": "", "goroutine?debug=2": "goroutine "} {
			res, err := s.client.Get(base + "/debug/pprof/" + path)
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, res)
			if got.status != c.status || c.status == 200 && !strings.Contains(got.body, want) {
				t.Errorf("%v, %s: %d %.100s", c.args, path, got.status, got.body)
			}
			if a := s.get(t, "/debug/pprof/"+path, ""); a.status != 404 {
				t.Errorf("%v, %s of the API: %d", c.args, path, a.status)
			}
		}
	}
}

func TestServeLogsJSON(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		token := newToken(t, db, "abc")
		s := serve(t, "--db", db, "--log-format", "json")
		a := s.post(t, "/stores/abc/v2/customer_groups?secret=1", token, `{"name":"Confidential"}`)
		s.stop()
		requests := 0
		for line := range strings.Lines(s.err.String()) {
			var entry struct {
				Level, Msg, Path, Operation, Store string
				Status                             int
				RequestID                          string `json:"request_id"`
			}
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Errorf("%v: %s", err, line)
			}
			if entry.Msg != "request" {
				continue
			}
			requests++
			want := entry
			want.Level, want.Path, want.Operation, want.Store, want.Status = "INFO", "/stores/abc/v2/customer_groups", "createGroup", "abc", 200
			want.RequestID = a.header.Get("X-Request-Id")
			if diff := cmp.Diff(want, entry); diff != "" || entry.RequestID == "" {
				t.Errorf("the request's line (-want +got):\n%s", diff)
			}
		}
		if requests != 1 {
			t.Errorf("%d lines for one request:\n%s", requests, s.err)
		}
		for _, private := range []string{token, "secret=1", "Confidential"} {
			if strings.Contains(s.err.String(), private) {
				t.Errorf("the log holds %q, which may be private", private)
			}
		}
	})
}

// A reused id would give the members and prices of one group to another.
func TestServeDoesNotReuseIDsAfterARestart(t *testing.T) {
	eachDB(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		token := newToken(t, db, "abc")
		const groups = "/stores/abc/v2/customer_groups"
		var locations []string
		create := func(s *serving) {
			body := fmt.Sprintf(`{"name":"Group %d"}`, len(locations))
			locations = append(locations, s.post(t, groups, token, body).header.Get("Location"))
		}

		s := serve(t, "--db", db)
		create(s)
		create(s)
		if a := s.do(t, http.MethodDelete, groups+"/2", token, ""); a.status != 204 {
			t.Fatalf("delete: %d %s", a.status, a.body)
		}
		s.stop()

		s = serve(t, "--db", db)
		create(s)
		if want := []string{groups + "/1", groups + "/2", groups + "/3"}; !slices.Equal(locations, want) {
			t.Errorf("created %v, want %v", locations, want)
		}
		if a := s.get(t, groups+"/2", token); a.status != 404 {
			t.Errorf("the deleted group is %d %s", a.status, a.body)
		}
	})
}

// Plain HTTP beyond this machine is allowed, because a proxy may add TLS, but the server
// warns of it.
func TestServeWarnsOfPlainHTTPBeyondThisMachine(t *testing.T) {
	t.Parallel()
	const warning = "serving plain HTTP beyond this machine"
	if s := serve(t, "--db", newDB(t), "--addr", "0.0.0.0:0"); !regexp.MustCompile(`level=WARN msg="` + warning).MatchString(s.err.String()) {
		t.Errorf("no warning:\n%s", s.err)
	}
	if s := serve(t, "--db", newDB(t)); strings.Contains(s.err.String(), warning) {
		t.Errorf("a warning for a loopback address:\n%s", s.err)
	}
	cert, key := certificate(t)
	if s := serve(t, "--db", newDB(t), "--addr", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key); strings.Contains(s.err.String(), warning) {
		t.Errorf("a warning for HTTPS:\n%s", s.err)
	}
}

// Metrics need no token, so the server warns of a public address.
func TestServeWarnsOfMetricsBeyondThisMachine(t *testing.T) {
	t.Parallel()
	const warning = "serving metrics beyond this machine"
	if s := serve(t, "--db", newDB(t), "--metrics-addr", "0.0.0.0:0"); strings.Count(s.err.String(), `level=WARN msg="`+warning) != 1 {
		t.Errorf("no warning, or several:\n%s", s.err)
	}
	if s := serve(t, "--db", newDB(t), "--metrics-addr", "127.0.0.1:0"); strings.Contains(s.err.String(), warning) {
		t.Errorf("a warning for a loopback address:\n%s", s.err)
	}
}

// A server without stores rejects every request. Its log says how to create a store,
// and the server serves the store without a restart.
func TestServeWithoutStores(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		const warning = `level=WARN msg="there is no store yet, so every API request is rejected; create one with \"cohort store create HASH\"`
		s := serve(t, "--db", db)
		if !strings.Contains(s.err.String(), warning) {
			t.Errorf("no warning:\n%s", s.err)
		}
		mustRun(t, "store", "create", "abc", "--db", db)
		token := newToken(t, db, "abc")
		eventually(t, "the new store is served", func() bool { return s.get(t, "/stores/abc/v2/time", token).status == 200 })
		s.stop()
		if s := serve(t, "--db", db); strings.Contains(s.err.String(), "there is no store") {
			t.Errorf("a warning though there is a store:\n%s", s.err)
		}
	})
}

func TestServeDevDoesNotWarnOfMissingStores(t *testing.T) {
	t.Parallel()
	if s := serve(t, "--dev", "--db", newDB(t)); strings.Contains(s.err.String(), "there is no store") {
		t.Errorf("a warning:\n%s", s.err)
	}
}

// A web page whose host name resolves to 127.0.0.1 must not reach the store of --dev.
func TestServeDevRejectsOtherHosts(t *testing.T) {
	t.Parallel()
	s := serve(t, "--dev", "--db", newDB(t))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/livez", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "attacker.example"
	res, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, res); a.status != 403 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// The log has the client behind a trusted proxy. Other clients cannot claim another
// address.
func TestServeTrustsProxies(t *testing.T) {
	t.Parallel()
	wantFailure(t, run(t, "serve", "--trusted-proxies", "proxy", "--db", newDB(t)), 2,
		`--trusted-proxies cannot be used: "proxy" is neither an address nor a network such as 10.0.0.0/8`)
	for proxies, client := range map[string]string{"127.0.0.0/8,::1": "203.0.113.9", "192.0.2.1": "127.0.0.1"} {
		s := serve(t, "--db", newDB(t), "--trusted-proxies", proxies)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/livez", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "203.0.113.9")
		res, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		read(t, res)
		if got := s.err.await(t, `operation=live .*client=(\S+)`, s.ended); got != client {
			t.Errorf("with %s the client is %s, want %s", proxies, got, client)
		}
	}
}

// The server leaves only the file that --db names.
func TestServeLeavesOneFile(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	s := serve(t, "--dev", "--db", db)
	s.post(t, "/stores/demo/v2/customer_groups", "demo-token", `{"name":"A"}`)
	s.stop()
	files, err := os.ReadDir(filepath.Dir(strings.TrimPrefix(db, "sqlite:")))
	if err != nil || len(files) != 1 || files[0].Name() != "cohort.db" {
		t.Errorf("%v, %v; want the database alone, its log written back into it", files, err)
	}
}
