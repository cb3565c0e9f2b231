package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
)

// newToken creates a token that can read and change the customers of a store, and returns
// its secret.
func newToken(t *testing.T, db, store string) string {
	t.Helper()
	r := mustRun(t, "token", "create", "--store", store, "--scope", "store_v2_customers", "--db", db)
	return strings.TrimSuffix(r.out, "\n")
}

// id returns the id of the token with a secret.
func id(secret string) string { return cohort.HashTokenSecret(secret)[:16] }

// The secret is alone on standard output, for scripts, and is printed nowhere else.
func TestTokenCreatePrintsTheSecretOnce(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		r := mustRun(t, "token", "create", "--store", "abc", "--scope", "store_v2_customers", "--name", "ETL", "--db", db)
		if !regexp.MustCompile(`^[a-z2-7]{26}\n$`).MatchString(r.out) {
			t.Fatalf("standard output: %q", r.out)
		}
		secret := strings.TrimSuffix(r.out, "\n")
		want := "Token " + id(secret) + " is created. Its secret, above, is not printed again.\nClient secret, which signs what webhooks of this token send: "
		if client, ok := strings.CutPrefix(r.err, want); !ok || len(client) != len(cohort.NewClientSecret())+1 {
			t.Errorf("standard error: %q, want %q", r.err, want)
		}
		if another := newToken(t, db, "abc"); another == secret {
			t.Error("a second token has the same secret")
		}
		for _, args := range [][]string{{"token", "list"}, {"token", "list", "--store", "abc"}, {"store", "list"}} {
			if r := mustRun(t, append(args, "--db", db)...); strings.Contains(r.out+r.err, secret) {
				t.Errorf("%v shows the secret", args)
			}
		}
	})
}

// A copy of the database must not contain usable secrets. A server runs, so that there is
// a write-ahead log to search. The test uses SQLite, because its files can be read; the rows
// are the same on every engine.
func TestSecretIsNotInTheDatabaseFiles(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", db)
	s := serve(t, "--db", db)
	secret := newToken(t, db, "abc")
	if a := s.get(t, "/stores/abc/v2/time", secret); a.status != 200 {
		t.Fatalf("the token does not work: %d %s", a.status, a.body)
	}
	inLog := false
	files, err := filepath.Glob(strings.TrimPrefix(db, "sqlite:") + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ToLower(content), []byte(secret)) {
			t.Errorf("%s holds the secret", filepath.Base(file))
		}
		// This shows that the right files are searched.
		inLog = inLog || strings.HasSuffix(file, "-wal") && bytes.Contains(content, []byte(cohort.HashTokenSecret(secret)))
	}
	if !inLog {
		t.Errorf("none of %v is a write-ahead log with the secret's SHA-256 in it", files)
	}
	if strings.Contains(s.err.String()+s.out.String(), secret) {
		t.Error("the server's log holds the secret")
	}
}

func TestTokenList(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		mustRun(t, "store", "create", "xyz", "--db", db)
		create := func(args ...string) (id string) {
			r := mustRun(t, append([]string{"token", "create", "--db", db}, args...)...)
			return regexp.MustCompile(`^Token (\S+)`).FindStringSubmatch(r.err)[1]
		}
		xyz := create("--store", "xyz", "--scope", "store_v2_customers_read_only")
		abc := create("--store", "abc", "--name", "ETL", "--scope", "store_v2_customers,store_v2_products", "--scope", "store_v2_products_read_only")
		const head = "ID STORE NAME MAY CREATED EXPIRES LAST USED"
		abcRow := abc + " abc ETL change customers and groups, change the catalog and price lists, read the catalog and prices"
		xyzRow := xyz + " xyz read customers and groups"
		for _, c := range []struct {
			args []string
			want []string
		}{
			{nil, []string{head, abcRow, xyzRow}},
			{[]string{"--store", "abc"}, []string{head, abcRow}},
			{[]string{"--store", "xyz"}, []string{head, xyzRow}},
		} {
			out := mustRun(t, append([]string{"token", "list", "--db", db}, c.args...)...).out
			got := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			for i, line := range got {
				got[i] = regexp.MustCompile(` \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ never$`).ReplaceAllString(strings.Join(strings.Fields(line), " "), "")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("token list %v (-want +got):\n%s", c.args, diff)
			}
		}
	})
}

func TestTokenCreateRejects(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		const scopes = "store_v2_customers, store_v2_customers_read_only, store_v2_products, store_v2_products_read_only, " +
			"store_v2_information, store_v2_information_read_only, store_channel_settings, store_channel_settings_read_only."
		for _, c := range []struct {
			args    []string
			message string
		}{
			{[]string{"--store", "def", "--scope", "store_v2_customers"}, "store def does not exist"},
			{[]string{"--store", "abc", "--scope", "everything"}, `"everything" is not a scope; there are ` + scopes},
			{[]string{"--store", "abc", "--scope="}, "A token needs at least one scope: " + scopes},
		} {
			// wantFailure also checks that no secret is printed.
			wantFailure(t, run(t, append([]string{"token", "create", "--db", db}, c.args...)...), 1, c.message)
		}
		r := run(t, "token", "create", "--store", "abc", "--scope", "store_v2_customers", "--name", strings.Repeat("é", 256), "--db", db)
		if r.status != 1 || r.out != "" || !strings.Contains(r.err, "255 characters") {
			t.Errorf("a name of 256 characters: %+v", r)
		}
		if r := mustRun(t, "token", "list", "--db", db); strings.Count(r.out, "\n") != 1 {
			t.Errorf("a refused token is there:\n%s", r.out)
		}
	})
}

func TestTokenRevokeReachesARunningServer(t *testing.T) {
	eachDB(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		leaked, kept := newToken(t, db, "abc"), newToken(t, db, "abc")
		s := serve(t, "--db", db)
		status := func(secret string) int { return s.get(t, "/stores/abc/v2/customer_groups/count", secret).status }
		if got := []int{status(leaked), status(kept)}; !cmp.Equal(got, []int{200, 200}) {
			t.Fatalf("before: %v", got)
		}
		r := mustRun(t, "token", "revoke", id(leaked), "--db", db)
		if want := "Token " + id(leaked) + " is revoked.\n"; r.out != want {
			t.Errorf("%q, want %q", r.out, want)
		}
		eventually(t, "the token is refused", func() bool { return status(leaked) == 401 })
		if got := status(kept); got != 200 {
			t.Errorf("status of the other token: %d", got)
		}
		wantFailure(t, run(t, "token", "revoke", id(leaked), "--db", db), 1, "token "+id(leaked)+" does not exist")
	})
}
