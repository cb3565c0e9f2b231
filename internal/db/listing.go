package db

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// listing describes how the rows of a list are selected and scanned.
type listing[T any] struct {
	columns, table string
	// late is one more column or "". It is computed for the rows of the page alone, and
	// not for those before it.
	late  string
	where func() *where // the filter; each call returns a new one
	keys  []sortKey
	// descending is whether the order is descending.
	descending bool
	scan       func(txn.Scanner) (T, error)
}

// each calls fn with the rows of a page in order, until fn returns false. It
// streams the rows and reads at most most of them. The result set is closed when
// it returns.
func (l listing[T]) each(t *Tx, p cohort.Page, most int, fn func(T) (more bool)) error {
	p, err := l.forwards(t, p)
	if err != nil {
		return err
	}
	w := l.where()
	if err := w.directedPage(p, most, l.keys, l.descending); err != nil {
		return err
	}
	rows, err := t.Query(l.query(t, w, p), w.args...)
	if err != nil {
		return err
	}
	return txn.Each(rows, l.scan, fn)
}

func (l listing[T]) query(t *Tx, w *where, p cohort.Page) string {
	selected := " FROM " + l.table + w.text.String()
	switch {
	case l.late == "":
		return "SELECT " + l.columns + selected
	case p.Number > 1 && t.SQL().ComputesSkipped:
		return "SELECT " + l.table + ".*, " + l.late + " FROM (SELECT " + l.columns + selected + ") AS " + l.table + orderBy(l.keys, l.descending)
	}
	return "SELECT " + l.columns + ", " + l.late + selected
}

// forwards turns a page that only has a Before cursor into a page with both
// cursors. Such a page can be streamed in order; otherwise its rows would have to
// be kept and reversed. Other pages are returned unchanged.
func (l listing[T]) forwards(t *Tx, p cohort.Page) (cohort.Page, error) {
	if p.Before == "" || p.After != "" {
		return p, nil
	}
	columns := make([]string, len(l.keys))
	values := make([]any, len(l.keys))
	for i, k := range l.keys {
		columns[i], values[i] = k.column, new(int64)
		if k.isText {
			values[i] = new(string)
		}
	}
	// Counted backwards from the cursor, the row after the page's rows is the one
	// that the page follows.
	w := l.where()
	if err := w.directedPage(cohort.Page{Number: p.Size + 1, Size: 1, Before: p.Before}, 1, l.keys, l.descending); err != nil {
		return p, err
	}
	err := t.QueryRow("SELECT "+strings.Join(columns, ", ")+" FROM "+l.table+w.text.String(), w.args...).Scan(values...)
	if errors.Is(err, txn.ErrNoRows) {
		p.After = firstCursor(l.keys)
		return p, nil
	}
	p.After = cursorOf(values)
	return p, err
}

// firstCursor returns a cursor before every row: ids begin at 1, and no text sorts
// before the empty one.
func firstCursor(keys []sortKey) string {
	values := make([]any, len(keys))
	for i, k := range keys {
		values[i] = new(int64)
		if k.isText {
			values[i] = new(string)
		}
	}
	return cursorOf(values)
}

// cursorOf returns the cursor of a row: the values of its sort keys, joined with
// slashes.
func cursorOf(values []any) string {
	parts := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case *int64:
			parts[i] = strconv.FormatInt(*v, 10)
		case *string:
			parts[i] = *v
		}
	}
	return strings.Join(parts, "/")
}

// all returns a slice of the values that read passes to its function.
func all[T any](read func(fn func(T) (more bool)) error) ([]T, error) {
	var list []T
	err := read(func(v T) bool {
		list = append(list, v)
		return true
	})
	if err != nil {
		return nil, err
	}
	return slices.Clip(list), nil
}
