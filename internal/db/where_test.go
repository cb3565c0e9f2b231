package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/txn"

	"github.com/google/go-cmp/cmp"
)

// listed is a table of tests, of which every row is in the store "a".
type listed struct {
	id   int64
	word string
}

func (r listed) String() string { return fmt.Sprintf("%d/%s", r.id, r.word) }

// eachListed runs a test on an empty table of each engine.
func eachListed(t *testing.T, fn func(t *testing.T, d *DB)) {
	t.Helper()
	eachEngine(t, func(t *testing.T, d *DB) {
		doing(t, d, "CREATE TABLE listed (store_hash TEXT NOT NULL, id BIGINT NOT NULL, word TEXT NOT NULL, PRIMARY KEY (store_hash, id, word))")
		insertListed(t, d, "b", listed{1, "USD"}, listed{2, "other"}) // which nobody may see
		fn(t, d)
	})
}

func doing(t testing.TB, d *DB, query string, args ...any) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func insertListed(t testing.TB, d *DB, store string, rows ...listed) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *Tx) error {
		for _, r := range rows {
			if _, err := tx.Exec("INSERT INTO listed (store_hash, id, word) VALUES ($1, $2, $3)", store, r.id, r.word); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pick returns the rows of the store "a" that pass.
func pick(d *DB, add func(*where) error) (rows []listed, err error) {
	err = d.View(context.Background(), func(tx *Tx) error {
		w := whereStore("a")
		if err := add(w); err != nil {
			return err
		}
		found, err := tx.Query("SELECT id, word FROM listed"+w.text.String(), w.args...)
		if err != nil {
			return err
		}
		rows, err = txn.Collect(found, scanListed)
		return err
	})
	return rows, err
}

// wantListed fails unless these rows pass, in any order.
func wantListed(t *testing.T, d *DB, want []listed, what string, add func(*where)) {
	t.Helper()
	got, err := pick(d, func(w *where) error { add(w); return nil })
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	slices.SortFunc(got, func(a, b listed) int { return strings.Compare(a.String(), b.String()) })
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(listed{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestInListsOfValues(t *testing.T) {
	a, b, c := listed{1, "a"}, listed{2, "b"}, listed{3, "it's, \"c\" $1 ?"}
	many := make([]int64, 5_000) // among them 2 and 3
	for i := range many {
		many[i] = int64(i + 2)
	}
	eachListed(t, func(t *testing.T, d *DB) {
		insertListed(t, d, "a", a, b, c)
		for _, tt := range []struct {
			what string
			ids  []int64
			want []listed
		}{
			{"nil is all", nil, []listed{a, b, c}},
			{"none is none", []int64{}, nil},
			{"one", []int64{2}, []listed{b}},
			{"one that is not there", []int64{9}, nil},
			{"two", []int64{3, 1}, []listed{a, c}},
			{"three, so the last is repeated", []int64{1, 8, 3}, []listed{a, c}},
			{"one twice", []int64{2, 2}, []listed{b}},
			{"a thousand", many[:1000], []listed{b, c}},
			{"a thousand and 24, which is a power of two", many[:1024], []listed{b, c}},
			{"one more", many[:1025], []listed{b, c}},
			{"thousands", many, []listed{b, c}},
		} {
			wantListed(t, d, tt.want, tt.what, func(w *where) { in(w, "id", tt.ids) })
		}
		wantListed(t, d, []listed{c}, "words", func(w *where) { in(w, "word", []string{c.word, "", "B"}) })
		wantListed(t, d, []listed{b}, "both", func(w *where) {
			in(w, "id", []int64{1, 2})
			in(w, "word", []string{"b"})
			in[string](w, "word", nil)
		})
	})
}

// Texts of queries are kept prepared, so there have to be few.
func TestInHasFewTexts(t *testing.T) {
	texts := map[string]bool{}
	for n := 1; n <= 1000; n++ {
		w := whereStore("a")
		in(w, "id", make([]int64, n))
		texts[w.text.String()] = true
		if room := len(w.args) - 1; room < n || n > 1 && room >= 2*n {
			t.Errorf("there is room for %d of %d values", room, n)
		}
	}
	if len(texts) != 11 {
		t.Errorf("lists of up to 1000 values have %d texts", len(texts))
	}
}

func scanListed(row txn.Scanner) (r listed, err error) { return r, row.Scan(&r.id, &r.word) }
