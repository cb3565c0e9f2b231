package db

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// listings are the orders of lists in these tests, and the cursor of a row in each.
var (
	byWord   = []sortKey{{column: "id"}, {column: "word", isText: true}}
	listings = map[string]struct {
		keys []sortKey
		key  func(listed) string
	}{
		"by id":          {byID, func(r listed) string { return strconv.FormatInt(r.id, 10) }},
		"by id and word": {byWord, listed.String},
	}
)

func readPage(d *DB, p cohort.Page, keys []sortKey) (rows []listed, err error) {
	err = d.View(context.Background(), func(tx *Tx) error {
		rows, err = all(func(fn func(listed) bool) error { return listedRows(keys).each(tx, p, p.Size, fn) })
		return err
	})
	return rows, err
}

func listedRows(keys []sortKey) listing[listed] {
	return listing[listed]{
		columns: "id, word", table: "listed", where: func() *where { return whereStore("a") }, keys: keys, scan: scanListed,
	}
}

func TestPages(t *testing.T) {
	rows := []listed{{1, "EUR"}, {1, "USD"}, {2, "AUD"}, {2, "USD"}, {3, "a/b"}, {3, "a/c"}, {10, ""}}
	eachListed(t, func(t *testing.T, d *DB) {
		reversed := slices.Clone(rows)
		slices.Reverse(reversed)
		insertListed(t, d, "a", reversed...)
		for _, tt := range []struct {
			page cohort.Page
			want []listed
		}{
			{cohort.Page{Number: 1, Size: 3}, rows[:3]},
			{cohort.Page{Number: 2, Size: 3}, rows[3:6]},
			{cohort.Page{Number: 3, Size: 3}, rows[6:]},
			{cohort.Page{Number: 4, Size: 3}, nil},
			{cohort.Page{Number: 1 << 62, Size: 250}, nil},
			{cohort.Page{Number: 1, Size: 3, After: "1/EUR"}, rows[1:4]},
			{cohort.Page{Number: 1, Size: 3, After: "1/EURO"}, rows[1:4]}, // the cursor of a row that does not exist
			{cohort.Page{Number: 1, Size: 3, After: "1/"}, rows[:3]},
			{cohort.Page{Number: 1, Size: 3, After: "-5/USD"}, rows[:3]},
			{cohort.Page{Number: 1, Size: 3, After: "3/a/b"}, rows[5:]},
			{cohort.Page{Number: 1, Size: 3, After: "2/USD"}, rows[4:]},
			{cohort.Page{Number: 1, Size: 3, After: "10/"}, nil},
			{cohort.Page{Number: 1, Size: 3, After: "9223372036854775807/ZZZ"}, nil},
			{cohort.Page{Number: 1, Size: 3, Before: "10/"}, rows[3:6]},
			{cohort.Page{Number: 1, Size: 3, Before: "2/USD"}, rows[:3]},
			{cohort.Page{Number: 1, Size: 3, Before: "1/USD"}, rows[:1]},
			{cohort.Page{Number: 1, Size: 3, Before: "1/EUR"}, nil},
			{cohort.Page{Number: 1, Size: 100, Before: "9223372036854775807/"}, rows},
			{cohort.Page{Number: 1, Size: 2, After: "1/USD", Before: "3/a/c"}, rows[2:4]},
			{cohort.Page{Number: 1, Size: 100, After: "1/USD", Before: "3/a/c"}, rows[2:5]},
			{cohort.Page{Number: 1, Size: 100, After: "3/a/c", Before: "3/a/c"}, nil},
		} {
			got, err := readPage(d, tt.page, byWord)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(listed{})); diff != "" || err != nil {
				t.Errorf("%+v: error %v (-want +got):\n%s", tt.page, err, diff)
			}
		}
	})
}

// TestPageReadInPieces checks that Page.Rest continues a page after the last row
// read, up to the size of the page.
func TestPageReadInPieces(t *testing.T) {
	rows := []listed{{1, "EUR"}, {1, "USD"}, {2, "AUD"}, {2, "USD"}, {3, "a/b"}, {3, "a/c"}, {10, ""}}
	eachListed(t, func(t *testing.T, d *DB) {
		insertListed(t, d, "a", rows...)
		for _, p := range []cohort.Page{
			{Number: 1, Size: 5}, {Number: 2, Size: 3}, {Number: 1, Size: 4, After: "1/EUR"}, {Number: 1, Size: 4, Before: "3/a/c"}, {Number: 1, Size: 9, Before: "10/"},
		} {
			want, err := readPage(d, p, byWord)
			if err != nil {
				t.Fatal(err)
			}
			var got []listed
			for rest := p; ; rest = p.Rest(got[len(got)-1].String(), len(got)) {
				before := len(got)
				err := d.View(context.Background(), func(tx *Tx) error {
					return listedRows(byWord).each(tx, rest, 2, func(r listed) bool {
						got = append(got, r)
						return len(got)%3 != 0
					})
				})
				if err != nil {
					t.Fatal(err)
				}
				if len(got) == before {
					break
				}
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(listed{})); diff != "" {
				t.Errorf("%+v (-whole +in pieces):\n%s", p, diff)
			}
		}
	})
}

// TestInvalidCursors checks that invalid cursors are rejected before they reach the
// database, which would fail on some of them.
func TestInvalidCursors(t *testing.T) {
	eachListed(t, func(t *testing.T, d *DB) {
		for name, cursors := range map[string][]string{
			"by id":          {"x", "1/", "1/USD", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "\x00", "\xff", "1\x00"},
			"by id and word": {"1", "x", "/", "/USD", "x/USD", "9223372036854775808/USD", "1/US\x00D", "1/\xff", "1/\xc3", "\xff/USD"},
		} {
			for _, cursor := range cursors {
				for field, page := range map[string]cohort.Page{
					"after":  {Number: 1, Size: 3, After: cursor},
					"before": {Number: 1, Size: 3, Before: cursor},
				} {
					_, err := readPage(d, page, listings[name].keys)
					if e, ok := errors.AsType[*cohort.Error](err); !ok || e.Kind != cohort.KindInvalid || e.Field != field || e.Reason == "" {
						t.Errorf("%s, %s %q: error %#v", name, field, cursor, err)
					}
				}
			}
		}
	})
}

// TestWalkWhileRowsChange reads a list page by page, forwards or backwards, while
// rows are added and deleted. The rows that stay must be read once and in order.
func TestWalkWhileRowsChange(t *testing.T) {
	eachListed(t, func(t *testing.T, d *DB) {
		rapid.Check(t, func(rt *rapid.T) {
			exec(t, d, "DELETE FROM listed WHERE store_hash = 'a'")
			listing := listings[rapid.SampledFrom([]string{"by id", "by id and word"}).Draw(rt, "order")]
			words := []string{"EUR", "USD"}
			if len(listing.keys) == 1 {
				words = words[:1]
			}
			row := rapid.Custom(func(t *rapid.T) listed {
				return listed{rapid.Int64Range(1, 30).Draw(t, "id"), rapid.SampledFrom(words).Draw(t, "word")}
			})
			all := rapid.SliceOfNDistinct(row, 0, 25, listed.String).Draw(rt, "rows")
			stay := rapid.IntRange(0, len(all)).Draw(rt, "rows that stay")
			staying, changing := slices.Clone(all[:stay]), all[stay:]
			added := rapid.IntRange(0, len(changing)).Draw(rt, "rows that are added")
			insertListed(t, d, "a", staying...)
			insertListed(t, d, "a", changing[added:]...) // deleted during the walk

			backwards := rapid.Bool().Draw(rt, "backwards")
			p := cohort.Page{Number: 1, Size: rapid.IntRange(1, 6).Draw(rt, "size")}
			if backwards {
				p.Before = []string{"31", "31/"}[len(listing.keys)-1]
			}
			var seen []listed
			for i := 0; ; i++ {
				rows, err := readPage(d, p, listing.keys)
				if err != nil {
					rt.Fatal(err)
				}
				if len(rows) == 0 {
					break
				}
				if backwards {
					seen, p.Before = append(slices.Clone(rows), seen...), listing.key(rows[0])
				} else {
					seen, p.After = append(seen, rows...), listing.key(rows[len(rows)-1])
				}
				if i < len(changing) {
					changeListed(t, d, changing[i], i < added)
				}
			}
			wantWalked(rt, staying, all, seen)
		})
	})
}

func changeListed(t testing.TB, d *DB, r listed, add bool) {
	t.Helper()
	if add {
		insertListed(t, d, "a", r)
		return
	}
	exec(t, d, "DELETE FROM listed WHERE store_hash = 'a' AND id = $1 AND word = $2", r.id, r.word)
}

func wantWalked(t *rapid.T, staying, all, seen []listed) {
	order := func(a, b listed) int {
		if a.id != b.id {
			return int(a.id - b.id)
		}
		return strings.Compare(a.word, b.word)
	}
	if !slices.IsSortedFunc(seen, order) {
		t.Fatalf("not in order: %v", seen)
	}
	if once := slices.Compact(slices.Clone(seen)); len(once) != len(seen) {
		t.Fatalf("twice: %v", seen)
	}
	for _, r := range staying {
		if !slices.Contains(seen, r) {
			t.Fatalf("%v stays but was not read: %v", r, seen)
		}
	}
	for _, r := range seen {
		if !slices.Contains(all, r) {
			t.Fatalf("%v was never in the list: %v", r, seen)
		}
	}
}
