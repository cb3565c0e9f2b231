package apiv3

import (
	"net/http"
	"strconv"
	"time"

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

// collection is the answer that shows a page of a list.
type collection[W any] struct {
	Data []W  `json:"data"`
	Meta meta `json:"meta"`
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

// writeCollection answers with a page of a list. total is how many pass the
// filters; where a cursor was sent it is not shown and not needed. key is what
// the list is sorted by.
func writeCollection[T, W any](w http.ResponseWriter, p paging, items []T, total int64, toWire func(T) W, key func(T) string) error {
	wires := make([]W, len(items))
	for i, item := range items {
		wires[i] = toWire(item)
	}
	answer := collection[W]{Data: wires}
	if !p.byCursor() {
		answer.Meta.Pagination = p.pagination(len(items), total)
	}
	if !p.byNumber {
		var first, last string
		if len(items) > 0 {
			first, last = cursor(key(items[0])), cursor(key(items[len(items)-1]))
		}
		more := len(items) == p.Size && (p.byCursor() || total > int64(len(items)))
		answer.Meta.Cursors = p.cursors(len(items), first, last, more)
	}
	return api.WriteJSON(w, http.StatusOK, answer)
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
