package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
)

// listed is a token as "token list --json" prints it.
type listed struct {
	ID       string
	Scopes   []string
	Expires  *time.Time
	LastUsed *time.Time `json:"last_used"`
	Earlier  []struct {
		Expires  time.Time
		LastUsed *time.Time `json:"last_used"`
	} `json:"earlier_secrets"`
}

func listTokens(t *testing.T, db string) (tokens []listed) {
	t.Helper()
	if err := json.Unmarshal([]byte(mustRun(t, "token", "list", "--json", "--db", db).out), &tokens); err != nil {
		t.Fatal(err)
	}
	return tokens
}

// wantSoon fails unless a time is as long from now as wanted.
func wantSoon(t *testing.T, what string, got *time.Time, in time.Duration) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: none, want one in %v", what, in)
	} else if off := time.Until(*got) - in; off > time.Second || off < -5*time.Minute {
		t.Errorf("%s: %v, want it in %v", what, got, in)
	}
}

// wantRefusal fails unless a command has failed with a status and a text in its message.
func wantRefusal(t *testing.T, r result, status int, text string) {
	t.Helper()
	if r.status != status || r.out != "" || !strings.Contains(r.err, text) {
		t.Errorf("status %d, output %q, error %q, want status %d with %q", r.status, r.out, r.err, status, text)
	}
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", db)
	create := func(expires string) []string {
		return []string{"token", "create", "--store", "abc", "--scope", "store_v2_customers", "--db", db, "--expires=" + expires}
	}
	for _, c := range []struct {
		expires string
		in      time.Duration
	}{{"30d", 720 * time.Hour}, {"90m", 90 * time.Minute}} {
		r := mustRun(t, create(c.expires)...)
		for _, k := range listTokens(t, db) {
			if k.ID == id(strings.TrimSpace(r.out)) {
				wantSoon(t, c.expires, k.Expires, c.in)
			}
		}
	}
	mustRun(t, create("2999-12-31")...)
	mustRun(t, create("2999-12-31T23:59:00+01:00")...)
	table := mustRun(t, "token", "list", "--db", db).out
	for _, want := range []string{"  2999-12-31T00:00:00Z  ", "  2999-12-31T22:59:00Z  "} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	for _, bad := range []string{"", "0d", "-1d", "30", "1.5d", "36501d", "999999999999999999d", "0s", "-5m", "tomorrow", "2027-02-30", "31.1.2027", "2999-12-31 12:00"} {
		wantRefusal(t, run(t, create(bad)...), 2, "is neither a time such as 12h or 30d nor a date such as 2027-01-31")
	}
	wantRefusal(t, run(t, create("2020-01-31")...), 1, "must be after")
	if n := len(listTokens(t, db)); n != 4 {
		t.Errorf("%d tokens, want 4", n)
	}
}

// A server lets both secrets in during the overlap, and only the last one without.
func TestTokenRotate(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		first := newToken(t, db, "abc")
		s := serve(t, "--db", db)
		status := func(secret string) int { return s.get(t, "/stores/abc/v2/customer_groups/count", secret).status }
		if got := status(first); got != 200 {
			t.Fatal(got)
		}
		rotate := func(args ...string) (secret string, r result) {
			r = mustRun(t, append([]string{"token", "rotate", id(first), "--db", db}, args...)...)
			if !regexp.MustCompile(`^[a-z2-7]{26}\n$`).MatchString(r.out) || !strings.HasPrefix(r.err, "Token "+id(first)+" has a new secret, above") {
				t.Fatalf("%q, %q", r.out, r.err)
			}
			return strings.TrimSpace(r.out), r
		}
		second, r := rotate()
		if !strings.Contains(r.err, "The earlier one is valid until 20") {
			t.Errorf("%q", r.err)
		}
		if got := []int{status(first), status(second)}; !cmp.Equal(got, []int{200, 200}) {
			t.Errorf("in the overlap: %v", got)
		}
		tokens := listTokens(t, db)
		if len(tokens) != 1 || len(tokens[0].Earlier) != 1 || tokens[0].Expires != nil {
			t.Fatalf("%+v", tokens)
		}
		wantSoon(t, "the end of the earlier secret", &tokens[0].Earlier[0].Expires, 24*time.Hour)
		if table := mustRun(t, "token", "list", "--db", db).out; strings.Count(table, id(first)) != 2 || !strings.Contains(table, "the same, with an earlier secret") {
			t.Error(table)
		}

		third, r := rotate("--overlap", "0s", "--expires", "1d")
		if !strings.Contains(r.err, "No earlier one is valid any more.") {
			t.Errorf("%q", r.err)
		}
		eventually(t, "the earlier secrets are refused", func() bool { return status(first) == 401 && status(second) == 401 })
		if got := status(third); got != 200 {
			t.Errorf("the new secret gets %d", got)
		}
		wantSoon(t, "the expiry", listTokens(t, db)[0].Expires, 24*time.Hour)

		var printed struct{ ID, Token string }
		r = mustRun(t, "token", "rotate", id(first), "--json", "--db", db)
		if err := json.Unmarshal([]byte(r.out), &printed); err != nil || printed.ID != id(first) || status(printed.Token) != 200 {
			t.Errorf("%q, error %v", r.out, err)
		}
		wantRefusal(t, run(t, "token", "rotate", "none", "--db", db), 1, "oken none does not exist")
		wantRefusal(t, run(t, "token", "rotate", id(first), "--overlap", "721h", "--db", db), 1, "from 0 to 720 hours")

		if status := s.stop(); status != 0 { // writes the last uses
			t.Errorf("exit status %d", status)
		}
		if used := listTokens(t, db)[0].LastUsed; used == nil || time.Since(*used) > 2*time.Hour || !used.Equal(used.Truncate(time.Hour)) {
			t.Errorf("last used %v", used)
		}
	})
}

// A preset secret is taken once, from where a list of processes does not show it, and is not
// printed.
func TestTokenSecretFrom(t *testing.T) {
	t.Parallel()
	db, secret := newDB(t), cohort.NewTokenSecret()
	mustRun(t, "store", "create", "abc", "--db", db)
	file := filepath.Join(t.TempDir(), "secret")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := func(more ...string) []string {
		return append([]string{"token", "create", "--store", "abc", "--scope", "store_v2_customers", "--db", db}, more...)
	}
	write(secret + "\r\n")
	for _, what := range []string{"is created", "is there already"} {
		r := mustRun(t, args("--secret-from", "file:"+file)...)
		if r.out != id(secret)+"\n" || !strings.Contains(r.err, what) || strings.Contains(r.err, secret) {
			t.Errorf("%q, %q", r.out, r.err)
		}
	}
	r := runWith(t, secret+"\n", args("--secret-from", "-", "--json")...)
	if r.status != 0 || !strings.Contains(r.out, `"client_secret":"`) || strings.Contains(r.out, secret) || strings.Contains(r.out, `"token"`) {
		t.Errorf("%d %q %q", r.status, r.out, r.err)
	}
	if n := len(listTokens(t, db)); n != 1 {
		t.Errorf("%d tokens", n)
	}

	wantRefusal(t, run(t, args("--secret-from", "file:"+file, "--scope", "store_v2_products")...), 1, "has this secret and other scopes")
	for text, message := range map[string]string{
		"": "this one 0", "short": "A secret has 16 to 255 characters, and this one 5.", strings.Repeat("x", 1<<20): "A secret has 16 to 255 characters",
		"0123456789 abcdef": "no spaces", "0123456789abcdef\nx": "printable ASCII", "0123456789abcdef\x00": "printable ASCII",
	} {
		write(text)
		wantRefusal(t, run(t, args("--secret-from", "file:"+file)...), 1, message)
	}
	wantRefusal(t, run(t, args("--secret-from", "file:"+file+"-none")...), 1, "annot read the secret: ")
	wantRefusal(t, run(t, args("--secret-from", "env:COHORT_TEST_UNSET")...), 1, "he variable COHORT_TEST_UNSET is not set")
	for _, bad := range []string{secret, "env:", "file:", "http://example.com", ""} {
		r := run(t, args("--secret-from="+bad)...)
		wantRefusal(t, r, 2, "secret comes from env:NAME, file:PATH or -")
		if strings.Contains(r.err, secret) {
			t.Errorf("the error has the secret: %s", r.err)
		}
	}
	if n := len(listTokens(t, db)); n != 1 {
		t.Errorf("%d tokens after failures", n)
	}
}

func TestTokenSecretFromVariable(t *testing.T) {
	db, secret := newDB(t), cohort.NewTokenSecret()
	mustRun(t, "store", "create", "abc", "--db", db)
	t.Setenv("COHORT_TEST_SECRET", secret)
	r := mustRun(t, "token", "create", "--store", "abc", "--scope", "store_v2_customers", "--db", db, "--secret-from", "env:COHORT_TEST_SECRET")
	if r.out != id(secret)+"\n" || r.err != "Token "+id(secret)+" is created, with the secret from the variable COHORT_TEST_SECRET.\n" {
		t.Errorf("%q, %q", r.out, r.err)
	}
}

// A development token that got another secret comes back with its scopes.
func TestServeRestoresTheDevelopmentToken(t *testing.T) {
	t.Parallel()
	for _, overlap := range []string{"0s", "1h"} {
		db := newDB(t)
		if status := serve(t, "--dev", "--db", db).stop(); status != 0 {
			t.Fatalf("exit status %d", status)
		}
		mustRun(t, "token", "rotate", id("demo-token"), "--overlap", overlap, "--db", db)
		s := serve(t, "--dev", "--db", db)
		if a := s.get(t, "/stores/demo/v2/store", "demo-token"); a.status != 200 {
			t.Errorf("overlap %s: %d %s", overlap, a.status, a.body)
		}
	}
}
