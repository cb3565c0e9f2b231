package db

import (
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
)

// where collects the conditions of a query whose filters are optional. Only
// the filters in use reach the engine, which can then pick an index for them.
type where struct {
	text strings.Builder
	args []any
}

// whereStore starts every query: nothing is read across stores.
func whereStore(storeHash string) *where {
	w := &where{}
	w.text.WriteString(" WHERE store_hash = ")
	w.text.WriteString(w.arg(storeHash))
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
func (w *where) span(column string, s cohort.TimeSpan) {
	if !s.From.IsZero() {
		w.and(column+" >= ?", s.From.UnixMilli())
	}
	if !s.Until.IsZero() {
		w.and(column+" < ?", s.Until.UnixMilli())
	}
}

// page ends the query with one page of what passes, by id.
func (w *where) page(limit int, offset int64) {
	// SQLite plans anew for each number that it is given as a limit, unless it
	// does not see it.
	w.text.WriteString(" ORDER BY id LIMIT CAST(" + w.arg(limit) + " AS BIGINT) OFFSET CAST(" + w.arg(offset) + " AS BIGINT)")
}

// arg keeps an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
