package mcp

import (
	"encoding/json"
	"strconv"

	"cohort.example/cohort"
)

// listInput selects a part of a list.
type listInput struct {
	Limit  rowLimit `json:"limit,omitempty" jsonschema:"rows, 20 by default"`
	Cursor string   `json:"cursor,omitempty" jsonschema:"next_cursor of the last answer"`
}

// page returns the page of a list, with one row more, which tells whether there are further
// ones.
func (in listInput) page() (cohort.Page, error) {
	if in.Cursor != "" {
		if id, err := strconv.ParseInt(in.Cursor, 10, 64); err != nil || id < 1 {
			return cohort.Page{}, cohort.Invalid("cursor", "Send next_cursor of the last answer, or leave this out.")
		}
	}
	return cohort.Page{Number: 1, Size: in.Limit.rows() + 1, After: in.Cursor}, nil
}

// listAnswer is a part of a list.
type listAnswer[T any] struct {
	Rows       []T    `json:"rows"`
	Total      int64  `json:"total"`
	NextCursor string `json:"next_cursor,omitempty"` // "": there are no further rows
}

// newList returns as many rows as the limit and the size of an answer allow. all may have one
// row more than the limit; id returns the cursor of a row.
func newList[T any](in listInput, all []T, total int64, id func(T) int64) (listAnswer[T], error) {
	rows := all[:min(len(all), in.Limit.rows())]
	fitting, err := fit(rows)
	if err != nil {
		return listAnswer[T]{}, err
	}
	a := listAnswer[T]{Rows: fitting, Total: total}
	if n := len(fitting); n > 0 && n < len(all) {
		a.NextCursor = strconv.FormatInt(id(fitting[n-1]), 10)
	}
	return a, nil
}

// maxRowBytes bounds the JSON of the rows of an answer.
const maxRowBytes = maxAnswer - 2000

// fit returns the first rows whose JSON fits into an answer.
func fit[T any](rows []T) ([]T, error) {
	size := 0
	for i, row := range rows {
		text, err := json.Marshal(row)
		if err != nil {
			return nil, err
		}
		if size += len(text) + 1; size > maxRowBytes && i > 0 {
			return rows[:i], nil
		}
	}
	return append([]T{}, rows...), nil // not nil
}

// collected is a sink of the service that keeps all rows.
type collected[T any] struct{ rows []T }

func (c *collected[T]) Begin()         { c.rows = nil }
func (c *collected[T]) Add(row T) bool { c.rows = append(c.rows, row); return true }

// maxShown is how many runes of a text an answer shows that is not asked for itself.
const maxShown = 80

// clip shortens a text.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
