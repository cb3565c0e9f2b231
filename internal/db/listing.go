package db

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// listing is how the rows of a list are selected and read.
type listing[T any] struct {
	columns, table string
	where          func() *where // what passes; each call makes a new one
	keys           []sortKey
	scan           func(txn.Scanner) (T, error)
}

// each calls fn with the rows of a page in their order, until fn returns false. It
// reads row by row, and at most so many. No row is open any more when it returns.
func (l listing[T]) each(t *Tx, p cohort.Page, most int, fn func(T) (more bool)) error {
	p, err := l.forwards(t, p)
	if err != nil {
		return err
	}
	w := l.where()
	if err := w.slice(p, most, l.keys); err != nil {
		return err
	}
	rows, err := t.Query("SELECT "+l.columns+" FROM "+l.table+w.text.String(), w.args...)
	if err != nil {
		return err
	}
	return txn.Each(rows, l.scan, fn)
}

// forwards returns a page that comes before a place as one between two places. That
// one can be read from its beginning, and there is no need to keep its rows in order
// to turn them around. Other pages stay as they are.
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
	// The row that the page follows is the one before its rows, counted backwards.
	w := l.where()
	if err := w.slice(cohort.Page{Number: p.Size + 1, Size: 1, Before: p.Before}, 1, l.keys); err != nil {
		return p, err
	}
	err := t.QueryRow("SELECT "+strings.Join(columns, ", ")+" FROM "+l.table+w.text.String(), w.args...).Scan(values...)
	if errors.Is(err, txn.ErrNoRows) {
		p.After = beginning(l.keys)
		return p, nil
	}
	p.After = placeOf(values)
	return p, err
}

// beginning is a place before every row: ids count from 1, and no text comes before
// the empty one.
func beginning(keys []sortKey) string {
	values := make([]any, len(keys))
	for i, k := range keys {
		values[i] = new(int64)
		if k.isText {
			values[i] = new(string)
		}
	}
	return placeOf(values)
}

// placeOf writes down the keys of a row with slashes between them.
func placeOf(values []any) string {
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

// all returns what read calls its function with.
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
