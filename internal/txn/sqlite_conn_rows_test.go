package txn

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

type (
	tiny int8
	word string
	flag bool
)

func TestScan(t *testing.T) {
	t.Parallel()
	tests := []struct {
		sql  string
		dest any
		want any // nil: an error
	}{
		{"'a'", new(string), "a"},
		{"''", new(string), ""},
		{"12", new(string), "12"}, // as database/sql does
		{"-9223372036854775808", new(string), "-9223372036854775808"},
		{"'a' || char(0) || 'b'", new(string), "a\x00b"},
		{"NULL", new(string), nil},
		{"1.5", new(string), nil},
		{"x'61'", new(string), nil},

		{"9223372036854775807", new(int64), int64(math.MaxInt64)},
		{"-9223372036854775808", new(int64), int64(math.MinInt64)},
		{"'1'", new(int64), nil},
		{"1.0", new(int64), nil},
		{"NULL", new(int64), nil},
		{"9223372036854775807", new(int), math.MaxInt},
		{"NULL", new(int), nil},

		{"127", new(tiny), tiny(127)},
		{"-128", new(tiny), tiny(-128)},
		{"128", new(tiny), nil},
		{"-129", new(tiny), nil},
		{"256", new(tiny), nil}, // which would be 0
		{"'1'", new(tiny), nil},
		{"NULL", new(tiny), nil},

		{"'a'", new(word), word("a")},
		{"NULL", new(word), nil},
		{"1", new(word), nil},

		{"TRUE", new(bool), true},
		{"FALSE", new(bool), false},
		{"'true'", new(bool), nil},
		{"NULL", new(bool), nil},
		{"TRUE", new(flag), nil},

		{"1", new(uint8), nil},
		{"1", new(float64), nil},
		{"1.5", new(float64), nil},
		{"'a'", new([]byte), nil},
		{"'a'", new(any), nil},
	}
	c := newConn(t, false)
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s into %T", tt.sql, tt.dest), func(t *testing.T) {
			var before, after int64
			err := c.one("SELECT 7, "+tt.sql+", 9").Scan(&before, tt.dest, &after)
			if tt.want == nil {
				if err == nil || !strings.Contains(err.Error(), "column 2") {
					t.Errorf("got error %v, want one about column 2", err)
				}
				return
			}
			if got := deref(tt.dest); err != nil || got != tt.want || before != 7 || after != 9 {
				t.Errorf("got %v between %d and %d, error %v", got, before, after, err)
			}
		})
	}
}

// deref returns the value of a pointer of TestScan.
func deref(dest any) any {
	switch d := dest.(type) {
	case *string:
		return *d
	case *int64:
		return *d
	case *int:
		return *d
	case *tiny:
		return *d
	case *word:
		return *d
	case *bool:
		return *d
	}
	return nil
}

func TestScanCountsColumns(t *testing.T) {
	c := newConn(t, false)
	var a, b int
	for _, dest := range [][]any{{}, {&a}, {&a, &b, &b}} {
		if err := c.one("SELECT 1, 2").Scan(dest...); err == nil || !strings.Contains(err.Error(), "2 columns") {
			t.Errorf("two columns into %d destinations: got error %v, want one about 2 columns", len(dest), err)
		}
	}
	if err := c.one("SELECT 1, 2").Scan(&a, &b); err != nil || a != 1 || b != 2 {
		t.Errorf("got %d and %d, error %v", a, b, err)
	}
}

func TestNoRow(t *testing.T) {
	c := newConn(t, false)
	var n int
	if err := c.one("SELECT 1 WHERE FALSE").Scan(&n); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("got error %v, want sql.ErrNoRows", err)
	}
}

// numbers is a query for the rows 1 to $1.
const numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1) SELECT n FROM numbers"

func scanInt(row Scanner) (n int, err error) { return n, row.Scan(&n) }

// Rows that are closed early release their statement, its arguments, and its snapshot.
func TestRowsClosedEarly(t *testing.T) {
	c := newConn(t, false)
	if _, err := c.exec(t.Context(), "BEGIN", nil); err != nil {
		t.Fatal(err)
	}
	r, err := c.query(t.Context(), numbers, []any{10})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := scanInt(r); r.Next() && (err == nil || n != 0) {
		t.Errorf("got %d before the first row, error %v", n, err)
	}
	if n, err := scanInt(r); err != nil || n != 1 {
		t.Errorf("got %d, error %v, want 1", n, err)
	}
	for range 2 {
		if err := r.Close(); err != nil || r.Next() || r.Err() != nil {
			t.Errorf("closed rows have a next row, or errors: %v, %v", err, r.Err())
		}
	}
	if r, err = c.query(t.Context(), numbers, []any{3}); err != nil {
		t.Fatal(err)
	}
	if got, err := Collect(r, scanInt); err != nil || !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("the second query: got %v, error %v", got, err)
	}
	if r, err = c.query(t.Context(), numbers, []any{3}); err != nil {
		t.Fatal(err)
	}
	_, err = Collect(r, func(Scanner) (int, error) { return 0, errClosed }) // any error
	if !errors.Is(err, errClosed) || r.Next() {
		t.Errorf("rows whose scan fails: error %v", err)
	}
	if _, err := c.exec(t.Context(), "COMMIT", nil); err != nil {
		t.Error(err)
	}
}

// Rows that are read to the end release their statement without Close.
func TestRowsReadToTheEnd(t *testing.T) {
	c := newConn(t, false)
	r, err := c.query(t.Context(), numbers, []any{3})
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		continue
	}
	if !r.(*sqliteRows).closed || r.Err() != nil {
		t.Errorf("the statement is not reset, error %v", r.Err())
	}
}

// An error in the middle of rows is reported, and does not affect the next query.
func TestRowsFail(t *testing.T) {
	t.Parallel()
	c := newConn(t, false)
	const query = "SELECT abs($1) UNION ALL SELECT 2 UNION ALL SELECT abs($2)"
	tests := []struct {
		first, last int64
		want        []int
	}{
		{1, 3, []int{1, 2, 3}}, {1, math.MinInt64, nil}, {-1, -3, []int{1, 2, 3}}, {math.MinInt64, 1, nil}, {5, 6, []int{5, 2, 6}},
	}
	for _, tt := range tests {
		var got []int
		r, err := c.query(t.Context(), query, []any{tt.first, tt.last})
		if err == nil {
			got, err = Collect(r, scanInt)
		}
		if (err != nil) != (tt.want == nil) || err == nil && !slices.Equal(got, tt.want) {
			t.Errorf("%d, %d: got %v, error %v", tt.first, tt.last, got, err)
		}
	}
}

// The end of the context stops a query before the first row or between rows. The
// connection works afterwards.
func TestQueryContextEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, query string
		rows        int64
		cancel      func(row int, cancel func())
	}{
		// This query never ends by itself, so the time of the cancellation does not matter.
		{"before its first row", "SELECT count(*) FROM (" + numbers + ")", math.MaxInt64, func(row int, cancel func()) {
			if row == 0 {
				go cancel()
			}
		}},
		{"between its rows", numbers, 5000, func(row int, cancel func()) {
			if row == 100 {
				cancel()
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newConn(t, false)
			ctx, cancel := context.WithCancel(t.Context())
			tt.cancel(0, cancel)
			r, err := c.query(ctx, tt.query, []any{tt.rows})
			if err == nil {
				_, err = Collect(r, func(row Scanner) (int, error) {
					n, err := scanInt(row)
					tt.cancel(n, cancel)
					return n, err
				})
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got error %v, want the error of the context", err)
			}
			if r, err = c.query(t.Context(), numbers, []any{5000}); err != nil {
				t.Fatal(err)
			}
			if got, err := Collect(r, scanInt); err != nil || len(got) != 5000 {
				t.Errorf("afterwards: got %d rows, error %v", len(got), err)
			}
		})
	}
}
