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

// Every engine is given the same SQL. These tests hold what our SQL rests on,
// and what drivers and servers are known to do each in its own way.

// eachDoor runs a test on both ways into an empty database of each engine. It
// does what package dbtest does, which this package cannot import.
func eachDoor(t *testing.T, fn func(t *testing.T, in door)) {
	t.Helper()
	eachEngine(t, func(t *testing.T, d *DB) {
		for name, in := range doorsOf(d) {
			t.Run(name, func(t *testing.T) { fn(t, in) })
		}
	})
}

// eachEngine runs a test on an empty database of each engine.
func eachEngine(t *testing.T, fn func(t *testing.T, d *DB)) {
	t.Helper()
	urls := map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/cohort.db" },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	}
	for engine, url := range urls {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fn(t, openAt(t, url(t)))
		})
	}
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

type door = func(context.Context, func(*Tx) error) error

// doorsOf returns what both kinds of connection are tried through.
func doorsOf(d *DB) map[string]door { return map[string]door{"Update": d.Update, "View": d.View} }

// wantTexts fails unless a query of one column returns these rows.
func wantTexts(t *testing.T, in door, want []string, query string, args ...any) {
	t.Helper()
	err := in(t.Context(), func(tx *Tx) error {
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

// texts runs a query that returns one column and returns its rows.
func texts(tx *Tx, query string, args ...any) ([]string, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (s string, err error) { return s, row.Scan(&s) })
}

// Each $N must get the Nth argument, wherever it stands and however often.
// There are drivers that hand arguments out in the order in which the
// placeholders come, which no other test would notice in simple statements.
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
	eachDoor(t, func(t *testing.T, in door) {
		wantTexts(t, in, []string{"two", "one", "two"}, "SELECT $2 UNION ALL SELECT $1 UNION ALL SELECT $2", "one", "two")
		wantTexts(t, in, want, strings.Join(columns, " UNION ALL "), args...)
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
	eachDoor(t, func(t *testing.T, in door) { wantTexts(t, in, slices.Sorted(slices.Values(words)), query, args...) })
}

// Two texts are the same if their bytes are, whatever looks alike, and a part
// is found byte by byte: filters are made of these.
func TestTextsAreComparedByByte(t *testing.T) {
	alike := []string{"é", "e\u0301", "E\u0301", "É", "e", "é ", " é", "\u0435", "ｅ", "ss", "ß", "ẞ", "\u200be", "e\u200b", "e\u00ad", "\ufeffe"}
	eachDoor(t, func(t *testing.T, in door) {
		for _, a := range alike {
			for _, b := range alike {
				wantTexts(t, in, []string{truth(a == b), truth(strings.Contains(a, b))},
					`SELECT CASE WHEN CAST($1 AS TEXT) = CAST($2 AS TEXT) THEN 'yes' ELSE 'no' END
					UNION ALL SELECT CASE WHEN replace($1, $2, '') <> $1 THEN 'yes' ELSE 'no' END`, a, b)
			}
		}
	})
}

func truth(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// A name in double quotes that is no column must be an error, and not a text.
func TestDoubleQuotesAreNotText(t *testing.T) {
	eachDoor(t, func(t *testing.T, in door) {
		err := in(t.Context(), func(tx *Tx) error {
			_, err := texts(tx, `SELECT "nowhere"`)
			return err
		})
		if err == nil {
			t.Error("a name that does not exist is taken for a text")
		}
	})
}
