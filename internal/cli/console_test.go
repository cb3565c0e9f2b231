package cli_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

func TestConsoleTokens(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		token := strings.TrimSpace(mustRun(t, "console", "token", "create", "--name", "Ann", "--read-only", "--db", db).out)
		if !strings.HasPrefix(token, "operator-") {
			t.Errorf("token %q", token)
		}
		list := mustRun(t, "console", "token", "list", "--db", db).out
		if strings.Contains(list, token) || !strings.Contains(list, "Ann") || !strings.Contains(list, "read") {
			t.Error(list)
		}
		wantFailure(t, run(t, "console", "token", "create", "--name", "ANN", "--db", db), 1, "another operator has this name")
		mustRun(t, "console", "token", "revoke", strings.Fields(strings.Split(list, "\n")[1])[0], "--db", db)
		if list := mustRun(t, "console", "token", "list", "--db", db).out; strings.Contains(list, "Ann") {
			t.Error(list)
		}
	})
}

// A server has the console on an address of its own, for operators, and nothing at /.
func TestServeConsole(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		token := strings.TrimSpace(mustRun(t, "console", "token", "create", "--name", "Ann", "--db", db).out)
		s := serve(t, "--db", db, "--console-addr", "127.0.0.1:0")
		console := s.err.await(t, `msg="serving the console" url=(\S+/console/)`, s.ended)
		for _, path := range []string{"/", "/console/", "/console/stores"} {
			if a := s.get(t, path, ""); a.status != 404 {
				t.Errorf("the API has %s: %d", path, a.status)
			}
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: s.client.Transport, Jar: jar}
		res, err := client.Get(console)
		if err != nil {
			t.Fatal(err)
		}
		if page := read(t, res); !strings.Contains(page.body, "<h1>Log in</h1>") {
			t.Errorf("%d %s", page.status, page.body)
		}
		res, err = client.PostForm(console+"login", url.Values{"token": {token}, "to": {"/console/stores"}})
		if err != nil {
			t.Fatal(err)
		}
		if page := read(t, res); page.status != 200 || !strings.Contains(page.body, ">abc</a>") || strings.Contains(page.body, "test server") {
			t.Errorf("%d %s", page.status, page.body)
		}
		s.stop()
		if strings.Contains(s.err.String(), token) {
			t.Error("the log has the token of an operator")
		}
	})
}

func TestConsoleFlags(t *testing.T) {
	for _, args := range [][]string{
		{"--dev", "--console-addr", "127.0.0.1:0"}, {"--console-hosts", "console.example"}, {"--console-addr", "nowhere"},
	} {
		if r := run(t, append([]string{"serve", "--db", newDB(t)}, args...)...); r.status != 2 || !strings.Contains(r.err, "console") {
			t.Errorf("%v: exit status %d: %s", args, r.status, r.err)
		}
	}
}

// A development server leads browsers from / to the console, which needs no login. Other
// clients get what they get from every server.
func TestDevConsole(t *testing.T) {
	s := serve(t, "--dev", "--db", newDB(t))
	if hint := "open " + s.url + "/\n"; !strings.Contains(s.out.String(), hint) {
		t.Errorf("%q is not in %s", hint, s.out)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	res, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if page := read(t, res); page.status != 200 || !strings.Contains(page.body, "test server") {
		t.Errorf("%d %s", page.status, page.body)
	}
	if a := s.get(t, "/", ""); a.status != 404 {
		t.Errorf("a client of the API: %d %s", a.status, a.body)
	}
}
