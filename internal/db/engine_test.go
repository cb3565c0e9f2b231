package db

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// openSQLite opens an empty SQLite database and returns its path.
func openSQLite(t *testing.T) (d *DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "cohort.db")
	d, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, path
}

type door = func(context.Context, func(*Tx) error) error

// doorsOf returns what both kinds of connection are tried through.
func doorsOf(d *DB) map[string]door { return map[string]door{"Update": d.Update, "View": d.View} }

// texts runs a query that returns one column and returns its rows.
func texts(tx *Tx, query string, args ...any) ([]string, error) {
	rows, err := tx.query(query, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(row scanner) (s string, err error) { return s, row.Scan(&s) })
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
	d, _ := openSQLite(t)
	for name, door := range doorsOf(d) {
		err := door(t.Context(), func(tx *Tx) error {
			got, err := texts(tx, "SELECT $2 UNION ALL SELECT $1 UNION ALL SELECT $2", "one", "two")
			if diff := cmp.Diff([]string{"two", "one", "two"}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			if err != nil {
				return err
			}
			got, err = texts(tx, strings.Join(columns, " UNION ALL "), args...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCollationCSortsByByte(t *testing.T) {
	words := []string{"b", "a", "B", "ab", "a b", "é", "e\u0301", "z", "ß", "Z", "_", "0", "", "\U0001f6d2", "\uffff", "ÿ"}
	want := slices.Sorted(slices.Values(words))
	var values []string
	var args []any
	for i, w := range words {
		values = append(values, fmt.Sprintf("($%d)", i+1))
		args = append(args, w)
	}
	d, _ := openSQLite(t)
	for name, door := range doorsOf(d) {
		err := door(t.Context(), func(tx *Tx) error {
			got, err := texts(tx, "WITH w (word) AS (VALUES "+strings.Join(values, ", ")+`) SELECT word FROM w ORDER BY word COLLATE "C"`, args...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a commit promises hangs on these settings, and a driver that does not
// know a parameter of the URL may ignore it.
func TestSQLiteSettings(t *testing.T) {
	tests := []struct{ door, pragma, want string }{
		{"Update", "journal_mode", "wal"},
		{"Update", "synchronous", "2"}, // FULL
		{"Update", "foreign_keys", "1"},
		{"Update", "busy_timeout", "5000"},
		{"Update", "query_only", "0"},
		{"View", "journal_mode", "wal"},
		{"View", "busy_timeout", "5000"},
		{"View", "query_only", "1"},
	}
	d, _ := openSQLite(t)
	for _, tt := range tests {
		err := doorsOf(d)[tt.door](t.Context(), func(tx *Tx) error {
			var got string
			err := tx.queryRow("PRAGMA " + tt.pragma).Scan(&got)
			if got != tt.want {
				t.Errorf("%s: %s is %q, want %q", tt.door, tt.pragma, got, tt.want)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %s: %v", tt.door, tt.pragma, err)
		}
	}
}

// A name in double quotes that is no column must be an error, as on PostgreSQL,
// and not a text.
func TestDoubleQuotesAreNotText(t *testing.T) {
	d, _ := openSQLite(t)
	for name, door := range doorsOf(d) {
		err := door(t.Context(), func(tx *Tx) error {
			_, err := texts(tx, `SELECT "nowhere"`)
			return err
		})
		if err == nil {
			t.Errorf("%s takes a name that does not exist for a text", name)
		}
	}
}

// The wait for a lock is too long for a test, so the meaning of the error is
// tested on a connection that does not wait.
func TestLockIsNamed(t *testing.T) {
	d, path := openSQLite(t)
	other, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=0&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = d.Update(t.Context(), func(*Tx) error {
		err := tryWrite(t.Context(), other)
		if err == nil {
			t.Error("two connections write at the same time")
			return nil
		}
		if got := d.engine.trouble(err); got != "it is locked by another process" {
			t.Errorf("%v means %q", err, got)
		}
		if kind := cohort.KindOf(d.engine.classify(err)); kind != cohort.KindUnavailable {
			t.Errorf("%v is of kind %v", err, kind)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFold(t *testing.T) {
	same := [][]string{
		{"straße", "STRASSE", "Strasse", "STRAẞE"},
		{"\u00e9", "e\u0301", "\u00c9", "E\u0301"},
		{"\u1e69", "s\u0323\u0307", "s\u0307\u0323", "S\u0307\u0323"}, // two marks, in either order
		{"ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς", "ὀδυσσεύσ"},
		{"\u1fb3", "\u03b1\u0345", "\u0391\u0345", "\u1fbc"},   // iota below and beside
		{"\u1fb4", "\u03b1\u0345\u0301", "\u03b1\u0301\u0345"}, // folded before it is composed, the iota parts the others
		{"\u0390", "\u1fd3", "\u03aa\u0301"},                   // folding takes the first two apart, not the third
		{"\uac00", "\u1100\u1161"},                             // Hangul
		{"ﬁ", "fi", "FI"},
		{"\u212a", "k", "K"}, // the sign of the kelvin
	}
	for i, class := range same {
		for _, s := range class {
			if got, want := Fold(s), Fold(class[0]); got != want {
				t.Errorf("%q folds to %q, and %q to %q", s, got, class[0], want)
			}
		}
		if other := same[(i+1)%len(same)][0]; Fold(other) == Fold(class[0]) {
			t.Errorf("%q and %q fold to the same", other, class[0])
		}
	}
	// The two i of Turkish stay apart: folding knows no language.
	if Fold("ı") == Fold("i") || Fold("I") != Fold("i") {
		t.Error("the dotless i is folded by the rules of Turkish")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom(nil, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Mn)).Draw(t, "s")
		if once, twice := Fold(s), Fold(Fold(s)); once != twice {
			t.Fatalf("%q folds to %q, and that to %q", s, once, twice)
		}
	})
}
