package db

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cohort.example/cohort"
)

// where builds the WHERE clause of a query with optional filters. It contains only
// the filters that are set, so that the engine can choose an index for them.
type where struct {
	text strings.Builder
	args []any
}

// whereStore returns a clause that selects the rows of a store.
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

// flag adds a condition on a boolean column, unless want is nil. It writes the
// column itself and not a comparison, because the partial indexes on flags only
// match that form.
func (w *where) flag(column string, want *bool) {
	switch {
	case want == nil:
	case *want:
		w.text.WriteString(" AND " + column)
	default:
		w.text.WriteString(" AND NOT " + column)
	}
}

// timeRange adds the bounds of a time range that are set.
func (w *where) timeRange(column string, s cohort.TimeRange) {
	if !s.From.IsZero() {
		w.and(column+" >= ?", s.From.UnixMilli())
	}
	if !s.Until.IsZero() {
		w.and(column+" < ?", s.Until.UnixMilli())
	}
}

// in adds the condition that a column has one of the values, unless values is nil.
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
	for i := range placeholders(len(values)) {
		w.text.WriteString(separator + w.arg(values[min(i, len(values)-1)]))
		separator = ", "
	}
	w.text.WriteString(")")
}

// placeholders returns the number of placeholders for n values: the next power of
// two, so that few distinct statements are prepared. The last value is repeated.
func placeholders(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// sortKey is a column that a list is sorted by. Only the last key of a list can be
// text, because a text may contain the slash that separates values in a cursor.
type sortKey struct {
	column string
	isText bool
}

// byID is the order of most lists.
var byID = []sortKey{{column: "id"}}

// page adds the conditions, order and limit of a page, with at most most rows, in
// the order of the keys. A page that only has a Before cursor is selected
// backwards from the cursor, in descending order. page returns KindInvalid for an
// invalid cursor.
func (w *where) page(p cohort.Page, most int, keys []sortKey) error {
	order := " ASC"
	if p.Before != "" && p.After == "" {
		order = " DESC"
	}
	columns := make([]string, len(keys))
	for i, k := range keys {
		columns[i] = k.column
	}
	for _, bound := range []struct{ cursor, comparison, field string }{{p.After, " > ", "after"}, {p.Before, " < ", "before"}} {
		if bound.cursor == "" {
			continue
		}
		values, ok := keyValues(bound.cursor, keys)
		if !ok {
			return cohort.Invalid(bound.field, "The value is not a cursor of this list.")
		}
		args := make([]string, len(values))
		for i, v := range values {
			args[i] = w.arg(v)
		}
		w.text.WriteString(" AND (" + strings.Join(columns, ", ") + ")" + bound.comparison + "(" + strings.Join(args, ", ") + ")")
	}
	w.text.WriteString(" ORDER BY " + strings.Join(columns, order+", ") + order)
	// SQLite prepares a statement again for each new value of a LIMIT argument; the
	// cast hides the value from it.
	w.text.WriteString(" LIMIT CAST(" + w.arg(min(p.Size, most)) + " AS BIGINT)")
	if p.Number > 1 {
		w.text.WriteString(" OFFSET CAST(" + w.arg(p.Offset()) + " AS BIGINT)")
	}
	return nil
}

// keyValues parses a cursor; see cursorOf.
func keyValues(cursor string, keys []sortKey) (values []any, ok bool) {
	parts := strings.SplitN(cursor, "/", len(keys))
	if len(parts) != len(keys) {
		return nil, false
	}
	for i, part := range parts {
		if keys[i].isText {
			if !utf8.ValidString(part) || strings.ContainsRune(part, 0) {
				return nil, false // PostgreSQL rejects such an argument
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

// arg adds an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
