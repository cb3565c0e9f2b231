// Package dbtest runs tests on empty real databases, one engine after another.
package dbtest

import (
	"context"
	"path/filepath"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"
)

// engines is every engine a test runs on: its name, and a function that
// returns the URL of an empty database which is gone when the test ends.
var engines = []struct {
	name string
	url  func(testing.TB) string
}{
	{"sqlite", SQLiteURL},
	{"postgres", pgtest.URL},
}

// SQLiteURL returns the URL of an empty SQLite database which is gone when the
// test ends: for tests of what SQLite alone has, such as its file.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "cohort.db")
}

// SQLite opens an empty SQLite database, for tests of what SQLite alone has.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, SQLiteURL(t))
}

// Each runs fn on an empty database of every engine, as subtests in parallel.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { fn(t, Open(t, url)) })
}

// EachURL is Each for tests that open the database themselves.
func EachURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			fn(t, e.url(t))
		})
	}
}

// Open opens the database at url and closes it when the test ends.
func Open(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return d
}
