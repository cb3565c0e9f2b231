package apiv3

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// single is the response with one resource.
type single struct {
	Data any      `json:"data"`
	Meta struct{} `json:"meta"`
}

func writeSingle(w http.ResponseWriter, data any) error {
	return api.WriteJSON(w, http.StatusOK, single{Data: data})
}

// meta has both kinds of pagination unless the client used one of them.
type meta struct {
	Pagination *pagination       `json:"pagination,omitempty"`
	Cursors    *cursorPagination `json:"cursor_pagination,omitempty"`
}

type pagination struct {
	Total       int64 `json:"total"`
	Count       int   `json:"count"`
	PerPage     int   `json:"per_page"`
	CurrentPage int   `json:"current_page"`
	TotalPages  int64 `json:"total_pages"`
	Links       links `json:"links"`
}

type cursorPagination struct {
	Count       int    `json:"count"`
	PerPage     int    `json:"per_page"`
	StartCursor string `json:"start_cursor"`
	EndCursor   string `json:"end_cursor"`
	Links       links  `json:"links"`
}

type links struct {
	Previous string `json:"previous,omitempty"`
	Current  string `json:"current"`
	Next     string `json:"next,omitempty"`
}

// reader adds the rows of one page of a list to a piece. It returns how many rows pass
// the filters; for a page by cursor the response does not show this number.
type reader[T any] func(ctx context.Context, p cohort.Page, to *api.Piece[T]) (total int64, err error)

// writeCollection sends a page of a list. key returns the sort key of a row.
func writeCollection[T, W any](w http.ResponseWriter, r *api.Request, p paging, read reader[T], toWire func(T) W, key func(T) string) error {
	return writeList(w, r, p.Page, read, toWire, key, func(e api.Extent) any { return p.meta(e) })
}

// writeList is writeCollection for a list of any page and meta, which meta returns for the
// rows of the page.
func writeList[T, W any](w http.ResponseWriter, r *api.Request, page cohort.Page, read reader[T], toWire func(T) W, key func(T) string, meta func(api.Extent) any) error {
	return writePage(w, r, api.List[T]{
		Page: page, Read: read, Key: key, Open: openCollection,
		Append: func(dst []byte, row T) ([]byte, error) { return api.AppendJSON(dst, toWire(row)) },
		Close:  func(dst []byte, e api.Extent) ([]byte, error) { return closeCollection(dst, meta(e)) },
	})
}

// openCollection precedes the rows of a page.
const openCollection = `{"data":[`

// closeCollection appends what follows the rows of a page.
func closeCollection(dst []byte, meta any) ([]byte, error) {
	dst, err := api.AppendJSON(append(dst, `],"meta":`...), meta)
	return append(dst, '}'), err
}

func writePage[T any](w http.ResponseWriter, r *api.Request, l api.List[T]) error {
	page, err := api.ReadPage(r, l)
	if err != nil {
		return err
	}
	return page.Write(w)
}

func (p paging) meta(e api.Extent) (m meta) {
	if !p.byCursor() {
		m.Pagination = p.pagination(e.Count, e.Total)
	}
	if !p.byNumber {
		var first, last string
		if e.Count > 0 {
			first, last = cursor(e.First), cursor(e.Last)
		}
		more := e.Count == p.Size && (p.byCursor() || e.Total > int64(e.Count))
		m.Cursors = p.cursors(e.Count, first, last, more)
	}
	return m
}

func (p paging) pagination(count int, total int64) *pagination {
	size := int64(p.Size)
	m := &pagination{Total: total, Count: count, PerPage: p.Size, CurrentPage: p.Number, TotalPages: (total + size - 1) / size}
	page := func(n int) string { return p.link("page", strconv.Itoa(n)) }
	m.Links.Current = page(p.Number)
	if p.Number > 1 {
		m.Links.Previous = page(p.Number - 1)
	}
	if int64(p.Number) < m.TotalPages {
		m.Links.Next = page(p.Number + 1)
	}
	return m
}

// cursors has a link to the next page when there may be one. Pages by cursor have no
// total, so after a full page by cursor the next page may be empty.
func (p paging) cursors(count int, first, last string, more bool) *cursorPagination {
	m := &cursorPagination{Count: count, PerPage: p.Size, StartCursor: first, EndCursor: last}
	m.Links.Current = p.link("", "")
	switch {
	case p.After != "":
		m.Links.Current = p.link("after", cursor(p.After))
	case p.Before != "":
		m.Links.Current = p.link("before", cursor(p.Before))
	}
	if count > 0 && p.After != "" || p.Before != "" && count == p.Size {
		m.Links.Previous = p.link("before", first)
	}
	if p.Before != "" && count > 0 || p.Before == "" && more {
		m.Links.Next = p.link("after", last)
	}
	return m
}

// allToWire returns the wire forms of a list, which is an empty array if there are none.
func allToWire[T, W any](list []T, toWire func(T) W) []W {
	all := make([]W, len(list))
	for i, v := range list {
		all[i] = toWire(v)
	}
	return all
}

func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// amount is a JSON number without trailing zeros.
type amount decimal.Decimal

// MarshalJSON implements json.Marshaler.
func (a amount) MarshalJSON() ([]byte, error) { return []byte(decimal.Decimal(a).String()), nil }

// optionalAmount is a JSON number, or null.
type optionalAmount decimal.NullDecimal

// MarshalJSON implements json.Marshaler.
func (a optionalAmount) MarshalJSON() ([]byte, error) {
	if !a.Valid {
		return []byte("null"), nil
	}
	return []byte(a.Decimal.String()), nil
}

// dateText formats a date for V3: ISO 8601 in UTC.
func dateText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
