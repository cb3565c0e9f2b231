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

// single is the answer that shows one thing.
type single struct {
	Data any      `json:"data"`
	Meta struct{} `json:"meta"`
}

func writeSingle(w http.ResponseWriter, data any) error {
	return api.WriteJSON(w, http.StatusOK, single{Data: data})
}

// meta has both ways to page unless the client has chosen one.
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

// reader hands on a page of a list and returns how many pass the filters. Where a
// cursor was sent that is not shown and not needed.
type reader[T any] func(ctx context.Context, p cohort.Page, to *api.Piece[T]) (total int64, err error)

// writeCollection answers with a page of a list. key is what the list is sorted by.
func writeCollection[T, W any](w http.ResponseWriter, r *api.Request, p paging, read reader[T], toWire func(T) W, key func(T) string) error {
	return writePage(w, r, api.List[T]{
		Page: p.Page, Read: read, Place: key, Close: p.closeCollection, Open: openCollection,
		Append: func(dst []byte, row T) ([]byte, error) { return api.AppendJSON(dst, toWire(row)) },
	})
}

// openCollection comes before the rows of a page.
const openCollection = `{"data":[`

// closeCollection appends what comes behind the rows of a page.
func (p paging) closeCollection(dst []byte, e api.Extent) ([]byte, error) {
	dst, err := api.AppendJSON(append(dst, `],"meta":`...), p.meta(e))
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

// cursors leads on to where there may be more. Behind a full page that a cursor
// led to, whether there is shows when it is asked for.
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

func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// amount is a JSON number with as many decimals as it needs.
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

// dateText is a date as V3 shows it, ISO 8601 in UTC.
func dateText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
