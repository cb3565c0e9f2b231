package db

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cohort.example/cohort"
)

// where collects the conditions of a query whose filters are optional. Only
// the filters in use reach the engine, which can then pick an index for them.
type where struct {
	text strings.Builder
	args []any
}

// whereStore starts every query: nothing is read across stores.
func whereStore(storeKey string) *where {
	w := &where{}
	w.text.WriteString(" WHERE store_hash = ")
	w.text.WriteString(w.arg(storeKey))
	return w
}

// and adds a condition; each "?" in it stands for the argument.
func (w *where) and(condition string, arg any) {
	w.text.WriteString(" AND ")
	w.text.WriteString(strings.ReplaceAll(condition, "?", w.arg(arg)))
}

// flag adds a condition on a boolean column unless it is nil. It is written
// out, since an index of the rows that have the flag serves no other form.
func (w *where) flag(column string, want *bool) {
	switch {
	case want == nil:
	case *want:
		w.text.WriteString(" AND " + column)
	default:
		w.text.WriteString(" AND NOT " + column)
	}
}

// span adds the ends of a time span that are not open.
func (w *where) span(column string, s cohort.TimeRange) {
	if !s.From.IsZero() {
		w.and(column+" >= ?", s.From.UnixMilli())
	}
	if !s.Until.IsZero() {
		w.and(column+" < ?", s.Until.UnixMilli())
	}
}

// in adds that a column has one of the values, unless they are nil.
func in[T any](w *where, column string, values []T) {
	switch {
	case values == nil:
		return
	case len(values) == 0:
		w.text.WriteString(" AND 1 = 0")
		return
	}
	w.text.WriteString(" AND " + column + " IN ")
	separator := "("
	for i := range placesFor(len(values)) {
		w.text.WriteString(separator + w.arg(values[min(i, len(values)-1)]))
		separator = ", "
	}
	w.text.WriteString(")")
}

// placesFor rounds up how many values a query has room for, so that there are
// only a few texts of it, which are kept prepared. The last value is repeated.
func placesFor(n int) int {
	places := 1
	for places < n {
		places *= 2
	}
	return places
}

// sortKey is a column that a list is sorted by. Only the last of a list's can be
// text, which may have a slash in it.
type sortKey struct {
	column string
	isText bool
}

// byID sorts most lists.
var byID = []sortKey{{column: "id"}}

// slice ends the query with a page of what passes, in the order of the keys, or with
// the first rows of it if it is longer than most. A page that only has a place that
// it comes before is read from there backwards. It returns KindInvalid for a place
// that there cannot be.
func (w *where) slice(p cohort.Page, most int, keys []sortKey) error {
	order := " ASC"
	if p.Before != "" && p.After == "" {
		order = " DESC"
	}
	columns := make([]string, len(keys))
	for i, k := range keys {
		columns[i] = k.column
	}
	for _, end := range []struct{ place, comparison, field string }{{p.After, " > ", "after"}, {p.Before, " < ", "before"}} {
		if end.place == "" {
			continue
		}
		values, ok := keyValues(end.place, keys)
		if !ok {
			return cohort.Invalid(end.field, "The value is not a cursor of this list.")
		}
		places := make([]string, len(values))
		for i, v := range values {
			places[i] = w.arg(v)
		}
		w.text.WriteString(" AND (" + strings.Join(columns, ", ") + ")" + end.comparison + "(" + strings.Join(places, ", ") + ")")
	}
	w.text.WriteString(" ORDER BY " + strings.Join(columns, order+", ") + order)
	// SQLite plans anew for each number that it is given as a limit, unless it
	// does not see it.
	w.text.WriteString(" LIMIT CAST(" + w.arg(min(p.Size, most)) + " AS BIGINT)")
	if p.Number > 1 {
		w.text.WriteString(" OFFSET CAST(" + w.arg(p.Offset()) + " AS BIGINT)")
	}
	return nil
}

// keyValues takes a place apart, which is the keys of a row with slashes
// between them.
func keyValues(place string, keys []sortKey) (values []any, ok bool) {
	parts := strings.SplitN(place, "/", len(keys))
	if len(parts) != len(keys) {
		return nil, false
	}
	for i, part := range parts {
		if keys[i].isText {
			if !utf8.ValidString(part) || strings.ContainsRune(part, 0) {
				return nil, false // PostgreSQL would refuse it as an argument
			}
			values = append(values, part)
			continue
		}
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, false
		}
		values = append(values, n)
	}
	return values, true
}

// arg keeps an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
