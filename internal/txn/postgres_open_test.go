package txn_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// execPostgres runs a statement on a PostgreSQL database directly.
func execPostgres(t testing.TB, rawURL, statement string) error {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), rawURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(context.Background(), statement)
	return err
}

// changedURL returns a URL after change.
func changedURL(t testing.TB, rawURL string, change func(u *url.URL)) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}

func TestOpenPostgresFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		url  func(t *testing.T) string
		why  string
	}{
		{"no such database", func(t *testing.T) string {
			return changedURL(t, pgtest.URL(t), func(u *url.URL) { u.Path = "/cohort_test_none" })
		}, "there is no such database"},
		{"closed port", func(*testing.T) string { return "postgres://cohort@127.0.0.1:1/cohort" }, "no server listens at 127.0.0.1:1"},
		{"unknown host", func(*testing.T) string { return "postgres://cohort@cohort.invalid/cohort" }, "host cohort.invalid"},
		{"missing socket", func(t *testing.T) string {
			return "postgres://cohort@/cohort?host=" + t.TempDir()
		}, "there is no socket at /"},
		{"TLS is refused", func(t *testing.T) string {
			return changedURL(t, pgtest.Start(t, pgtest.Options{}).URL(), func(u *url.URL) { u.RawQuery = "sslmode=require" })
		}, "it has no TLS, which the sslmode of the URL asks for"},
		{"silent server", func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			return "postgres://cohort@" + l.Addr().String() + "/cohort?connect_timeout=1"
		}, "it does not answer"},
		{"no such user", func(t *testing.T) string {
			return changedURL(t, pgtest.URL(t), func(u *url.URL) { u.User = url.UserPassword("no_such_user", "correct horse") })
		}, "it rejected the login"},
		{"newer schema", func(t *testing.T) string {
			rawURL := pgtest.URL(t)
			makeTables(t, rawURL)
			if err := execPostgres(t, rawURL, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999999999, TRUE)"); err != nil {
				t.Fatal(err)
			}
			return rawURL
		}, "its schema is newer"},
		{"read-only", func(t *testing.T) string {
			return changedURL(t, pgtest.URL(t), func(u *url.URL) {
				q := u.Query()
				q.Set("default_transaction_read_only", "on")
				u.RawQuery = q.Encode()
			})
		}, "it is read-only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rawURL := tt.url(t)
			_, err := db.Open(t.Context(), rawURL)
			wantOneLine(t, err, db.Redact(rawURL), tt.why)
			if err != nil && strings.Contains(err.Error(), "correct horse") {
				t.Errorf("the password is in %v", err)
			}
			_, err = db.OpenExisting(t.Context(), rawURL)
			wantKind(t, err, cohort.KindUnavailable)
		})
	}
}

func makeTables(t *testing.T, rawURL string) {
	t.Helper()
	d, err := db.Open(t.Context(), rawURL)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenExistingWithoutTables(t *testing.T) {
	t.Parallel()
	rawURL := pgtest.URL(t)
	for range 2 {
		_, err := db.OpenExisting(t.Context(), rawURL)
		wantOneLine(t, err, db.Redact(rawURL), "there is nothing of cohort's in it")
	}
}

// localizedDatabase returns the URL of a database whose default collation is that of a
// language, as on most servers.
func localizedDatabase(t *testing.T) string {
	t.Helper()
	admin, name := pgtest.URL(t), "cohort_test_"+strings.ToLower(rand.Text())
	locales := []string{"LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'", "LOCALE 'en_US.UTF-8'", "LOCALE 'en_US.utf8'"}
	made := slices.ContainsFunc(locales, func(locale string) bool {
		err := execPostgres(t, admin, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' "+locale)
		if _, rejected := errors.AsType[*pgconn.PgError](err); err != nil && !rejected {
			t.Fatal(err)
		}
		return err == nil
	})
	if !made {
		t.Skip("this server has no locale of a language")
	}
	t.Cleanup(func() {
		if err := execPostgres(t, admin, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return changedURL(t, admin, func(u *url.URL) { u.Path = "/" + name })
}

// Regardless of the database's collation, lists are ordered by byte, and two texts are
// equal only if their bytes are.
func TestLocalizedDatabase(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, localizedDatabase(t))
	// Otherwise the test would prove nothing.
	if err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec("SELECT 1 / CAST('a' < 'B' AS INT)"); return err }); err != nil {
		t.Fatalf("the database sorts by byte: %v", err)
	}
	hashes := []string{"-", "0", "Z", "_", "a", "a-b", "aB", "a_", "aa", "b", "e\u0301", "é"}
	addStores(t, d, "é", "b", "aa", "a_", "aB", "a-b", "a", "_", "Z", "0", "-", "e\u0301")
	var stores, tokens []string
	for _, hash := range []string{"aa", "aB", "Z"} {
		update(t, d, func(tx *db.Tx) error { return tx.InsertToken(newToken(hash, "secret of "+hash)) })
	}
	view(t, d, func(tx *db.Tx) error {
		all, err := tx.ListStores()
		for _, s := range all {
			stores = append(stores, s.Hash)
		}
		list, tokensErr := tx.ListTokens("")
		for _, k := range list {
			tokens = append(tokens, k.StoreKey)
		}
		return errors.Join(err, tokensErr)
	})
	if diff := cmp.Diff(hashes, stores); diff != "" {
		t.Errorf("stores (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Z", "aB", "aa"}, tokens); diff != "" {
		t.Errorf("stores of the tokens (-want +got):\n%s", diff)
	}
	dbtest.AddOldGroups(t, d, "a", newGroup(1, "é"), newGroup(2, "e\u0301"), newGroup(3, "É"), newGroup(4, "e"))
	for _, name := range []string{"é", "e\u0301", "É", "e"} {
		if n := countGroups(t, d, "a", cohort.GroupFilter{Name: &name}); n != 1 {
			t.Errorf("%d groups have the name %q", n, name)
		}
	}
	if n := countGroups(t, d, "a", cohort.GroupFilter{NameLike: "É"}); n != 3 {
		t.Errorf("%d groups have an é in their name", n)
	}
}
