package db

import (
	"slices"
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

// intRange adds the bounds of a range that are set.
func (w *where) intRange(column string, r cohort.IntRange) {
	if r.Min != nil {
		w.and(column+" >= ?", *r.Min)
	}
	if r.Max != nil {
		w.and(column+" <= ?", *r.Max)
	}
}

// notIn adds the condition that a column has none of the values.
func notIn[T any](w *where, column string, values []T) {
	if len(values) > 0 {
		w.text.WriteString(" AND NOT " + isIn(w, column, values))
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
	w.text.WriteString(" AND " + isIn(w, column, values))
}

// isIn returns the condition that a column has one of at least one value.
func isIn[T any](w *where, column string, values []T) string {
	args := make([]string, placeholders(len(values)))
	for i := range args {
		args[i] = w.arg(values[min(i, len(values)-1)])
	}
	return column + " IN (" + strings.Join(args, ", ") + ")"
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

// sortKey is a column that a list is sorted by. Only one key of a list can be text,
// because a text may contain the slash that separates values in a cursor.
type sortKey struct {
	column string
	isText bool
}

// byID is the order of most lists.
var byID = []sortKey{{column: "id"}}

// byUnindexedID is byID for a list of what belongs to some owners, such as the addresses
// of several customers. The sign keeps SQLite from reading all rows of the store in the
// order of their ids; it looks the owners up in their index instead, and sorts what it
// finds.
var byUnindexedID = []sortKey{{column: "+id"}}

// page adds the conditions, order and limit of a page, with at most most rows, in
// the order of the keys. A page that only has a Before cursor is selected
// backwards from the cursor, in descending order. page returns KindInvalid for an
// invalid cursor.
func (w *where) page(p cohort.Page, most int, keys []sortKey) error {
	return w.directedPage(p, most, keys, false)
}

// directedPage is page for a list in ascending or descending order of the keys.
func (w *where) directedPage(p cohort.Page, most int, keys []sortKey, descending bool) error {
	after, before := " > ", " < "
	if descending {
		after, before = before, after
	}
	for _, bound := range []struct{ cursor, comparison, field string }{{p.After, after, "after"}, {p.Before, before, "before"}} {
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
		w.text.WriteString(" AND (" + columnsOf(keys, "") + ")" + bound.comparison + "(" + strings.Join(args, ", ") + ")")
		if keys[0].isText {
			// SQLite does not use an index on an expression for a comparison of rows.
			w.text.WriteString(" AND " + keys[0].column + strings.TrimSpace(bound.comparison) + "= " + args[0])
		}
	}
	w.text.WriteString(orderBy(keys, descending != isBackwards(p)))
	// SQLite prepares a statement again for each new value of a LIMIT argument; the
	// cast hides the value from it.
	w.text.WriteString(" LIMIT CAST(" + w.arg(min(p.Size, most)) + " AS BIGINT)")
	if p.Number > 1 {
		w.text.WriteString(" OFFSET CAST(" + w.arg(p.Offset()) + " AS BIGINT)")
	}
	return nil
}

// isBackwards reports whether a page is selected backwards from its cursor.
func isBackwards(p cohort.Page) bool { return p.Before != "" && p.After == "" }

// orderBy is the clause that sorts rows by the keys.
func orderBy(keys []sortKey, descending bool) string {
	if descending {
		return " ORDER BY " + columnsOf(keys, " DESC")
	}
	return " ORDER BY " + columnsOf(keys, " ASC")
}

// columnsOf lists the columns of keys, each with a suffix.
func columnsOf(keys []sortKey, suffix string) string {
	columns := make([]string, len(keys))
	for i, k := range keys {
		columns[i] = k.column + suffix
	}
	return strings.Join(columns, ", ")
}

// keyValues parses a cursor; see cursorOf.
func keyValues(cursor string, keys []sortKey) (values []any, ok bool) {
	parts := strings.Split(cursor, "/")
	if more := len(parts) - len(keys); more > 0 {
		// The slashes too many belong to the text.
		at := slices.IndexFunc(keys, func(k sortKey) bool { return k.isText })
		if at < 0 {
			return nil, false
		}
		parts = slices.Replace(parts, at, at+more+1, strings.Join(parts[at:at+more+1], "/"))
	}
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
