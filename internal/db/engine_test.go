package db

import (
	"database/sql"
	"path/filepath"
	"testing"
	"unicode"

	"cohort.example/cohort"

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
