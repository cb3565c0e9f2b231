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

// listed is a row of table listed, which only these tests use.
type listed struct {
	id   int64
	word string
}

func (r listed) String() string { return fmt.Sprintf("%d/%s", r.id, r.word) }

// eachListed runs a test with a table listed on each engine. Store a has no rows in
// it.
func eachListed(t *testing.T, fn func(t *testing.T, d *DB)) {
	t.Helper()
	eachEngine(t, func(t *testing.T, d *DB) {
		exec(t, d, "CREATE TABLE listed (store_hash TEXT NOT NULL, id BIGINT NOT NULL, word TEXT NOT NULL, PRIMARY KEY (store_hash, id, word))")
		insertListed(t, d, "b", listed{1, "USD"}, listed{2, "other"}) // must not appear in any result
		fn(t, d)
	})
}

func exec(t testing.TB, d *DB, query string, args ...any) {
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

// selectListed returns the rows of store a that meet the conditions that add adds.
func selectListed(d *DB, add func(*where) error) (rows []listed, err error) {
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

// wantListed fails unless exactly these rows meet the conditions, in any order.
func wantListed(t *testing.T, d *DB, want []listed, name string, add func(*where)) {
	t.Helper()
	got, err := selectListed(d, func(w *where) error { add(w); return nil })
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	slices.SortFunc(got, func(a, b listed) int { return strings.Compare(a.String(), b.String()) })
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(listed{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestIn(t *testing.T) {
	a, b, c := listed{1, "a"}, listed{2, "b"}, listed{3, "it's, \"c\" $1 ?"}
	many := make([]int64, 5_000) // includes 2 and 3
	for i := range many {
		many[i] = int64(i + 2)
	}
	eachListed(t, func(t *testing.T, d *DB) {
		insertListed(t, d, "a", a, b, c)
		for _, tt := range []struct {
			name string
			ids  []int64
			want []listed
		}{
			{"nil selects all", nil, []listed{a, b, c}},
			{"an empty list selects none", []int64{}, nil},
			{"one", []int64{2}, []listed{b}},
			{"one that does not exist", []int64{9}, nil},
			{"two", []int64{3, 1}, []listed{a, c}},
			{"three, so the last is repeated", []int64{1, 8, 3}, []listed{a, c}},
			{"one twice", []int64{2, 2}, []listed{b}},
			{"a thousand", many[:1000], []listed{b, c}},
			{"a thousand and 24, which is a power of two", many[:1024], []listed{b, c}},
			{"one more", many[:1025], []listed{b, c}},
			{"thousands", many, []listed{b, c}},
		} {
			wantListed(t, d, tt.want, tt.name, func(w *where) { in(w, "id", tt.ids) })
		}
		wantListed(t, d, []listed{c}, "words", func(w *where) { in(w, "word", []string{c.word, "", "B"}) })
		wantListed(t, d, []listed{b}, "both", func(w *where) {
			in(w, "id", []int64{1, 2})
			in(w, "word", []string{"b"})
			in[string](w, "word", nil)
		})
	})
}

// TestInHasFewTexts: statements stay prepared, so there must be few distinct texts.
func TestInHasFewTexts(t *testing.T) {
	texts := map[string]bool{}
	for n := 1; n <= 1000; n++ {
		w := whereStore("a")
		in(w, "id", make([]int64, n))
		texts[w.text.String()] = true
		if places := len(w.args) - 1; places < n || n > 1 && places >= 2*n {
			t.Errorf("%d placeholders for %d values", places, n)
		}
	}
	if len(texts) != 11 {
		t.Errorf("lists of up to 1000 values have %d texts, want 11", len(texts))
	}
}

func scanListed(row txn.Scanner) (r listed, err error) { return r, row.Scan(&r.id, &r.word) }
