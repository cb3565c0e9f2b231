package db

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/txn"

	"github.com/google/go-cmp/cmp"
)

// All engines run the same SQL. These tests check the behavior that the SQL relies
// on and that differs among drivers and servers.

// txFunc runs a transaction: [DB.Update] or [DB.View].
type txFunc = func(context.Context, func(*Tx) error) error

// eachTxFunc runs a test with Update and View of an empty database of each engine,
// because they use different connections.
func eachTxFunc(t *testing.T, fn func(t *testing.T, run txFunc)) {
	t.Helper()
	eachEngine(t, func(t *testing.T, d *DB) {
		for name, run := range map[string]txFunc{"Update": d.Update, "View": d.View} {
			t.Run(name, func(t *testing.T) { fn(t, run) })
		}
	})
}

// eachEngine runs a test on an empty database of each engine. It does the work of
// package dbtest, which tests inside this package cannot import.
func eachEngine(t *testing.T, fn func(t *testing.T, d *DB)) {
	t.Helper()
	urls := map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/cohort.db" },
		"postgres": func(t *testing.T) string { return pgtest.Prepared(t, migrate) },
	}
	for engine, url := range urls {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fn(t, openAt(t, url(t)))
		})
	}
}

func migrate(url string) error {
	d, err := Open(context.Background(), url)
	if err != nil {
		return err
	}
	return d.Close()
}

func openAt(t *testing.T, url string) *DB {
	t.Helper()
	d, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// wantTexts fails unless a query of one column returns these rows.
func wantTexts(t *testing.T, run txFunc, want []string, query string, args ...any) {
	t.Helper()
	err := run(t.Context(), func(tx *Tx) error {
		got, err := texts(tx, query, args...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
		return err
	})
	if err != nil {
		t.Errorf("%s: %v", query, err)
	}
}

// texts returns the rows of a query of one column.
func texts(tx *Tx, query string, args ...any) ([]string, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (s string, err error) { return s, row.Scan(&s) })
}

// TestPlaceholdersAreBoundByNumber: $N is the Nth argument wherever and however
// often it occurs. Some drivers bind arguments in the order of the placeholders,
// which simple statements do not reveal.
func TestPlaceholdersAreBoundByNumber(t *testing.T) {
	order := rand.New(rand.NewPCG(1, 2)).Perm(24)
	order = append(order, order[:12]...) // some of them twice
	var columns, want []string
	var args []any
	for _, i := range order {
		columns = append(columns, fmt.Sprintf("SELECT CAST($%d AS TEXT)", i+1))
		want = append(want, fmt.Sprint("value ", i+1))
	}
	for i := range 24 {
		args = append(args, fmt.Sprint("value ", i+1))
	}
	eachTxFunc(t, func(t *testing.T, run txFunc) {
		wantTexts(t, run, []string{"two", "one", "two"}, "SELECT $2 UNION ALL SELECT $1 UNION ALL SELECT $2", "one", "two")
		wantTexts(t, run, want, strings.Join(columns, " UNION ALL "), args...)
	})
}

func TestCollationCSortsByByte(t *testing.T) {
	words := []string{"b", "a", "B", "ab", "a b", "é", "e\u0301", "z", "ß", "Z", "_", "0", "", "\U0001f6d2", "\uffff", "ÿ"}
	var values []string
	var args []any
	for i, w := range words {
		values = append(values, fmt.Sprintf("($%d)", i+1))
		args = append(args, w)
	}
	query := "WITH w (word) AS (VALUES " + strings.Join(values, ", ") + `) SELECT word FROM w ORDER BY word COLLATE "C"`
	eachTxFunc(t, func(t *testing.T, run txFunc) { wantTexts(t, run, slices.Sorted(slices.Values(words)), query, args...) })
}

// TestTextsAreComparedByByte checks the two comparisons that filters use: equality
// and the substring test.
func TestTextsAreComparedByByte(t *testing.T) {
	alike := []string{"é", "e\u0301", "E\u0301", "É", "e", "é ", " é", "\u0435", "ｅ", "ss", "ß", "ẞ", "\u200be", "e\u200b", "e\u00ad", "\ufeffe"}
	eachTxFunc(t, func(t *testing.T, run txFunc) {
		for _, a := range alike {
			for _, b := range alike {
				wantTexts(t, run, []string{yesNo(a == b), yesNo(strings.Contains(a, b))},
					`SELECT CASE WHEN CAST($1 AS TEXT) = CAST($2 AS TEXT) THEN 'yes' ELSE 'no' END
					UNION ALL SELECT CASE WHEN replace($1, $2, '') <> $1 THEN 'yes' ELSE 'no' END`, a, b)
			}
		}
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// TestDoubleQuotesAreNotText: a quoted name that is not a column is an error.
// SQLite treats it as a text by default.
func TestDoubleQuotesAreNotText(t *testing.T) {
	eachTxFunc(t, func(t *testing.T, run txFunc) {
		err := run(t.Context(), func(tx *Tx) error {
			_, err := texts(tx, `SELECT "nowhere"`)
			return err
		})
		if err == nil {
			t.Error("a name that does not exist is treated as a text")
		}
	})
}
