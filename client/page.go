package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// maxPage is how many rows a page may have.
const maxPage = 250

// Page says which page of a list to read. Its zero value is the first page with 50 rows.
type Page struct {
	Number int // from 1; 0 is 1
	Limit  int // rows of a page, at most 250; 0 is 50
}

func (p Page) params() (url.Values, error) {
	q := url.Values{}
	switch {
	case p.Number < 0 || p.Limit < 0:
		return nil, argument("the page %d with %d rows does not exist", p.Number, p.Limit)
	case p.Limit > maxPage:
		return nil, argument("a page has at most %d rows, not %d", maxPage, p.Limit)
	}
	if p.Number > 0 {
		q.Set("page", strconv.Itoa(p.Number))
	}
	if p.Limit > 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	return q, nil
}

// meta is the meta of a list of V3.
type meta struct {
	Pagination *struct {
		PerPage     int `json:"per_page"`
		CurrentPage int `json:"current_page"`
		TotalPages  int `json:"total_pages"`
	} `json:"pagination"`
	Cursors *struct {
		EndCursor string `json:"end_cursor"`
		PerPage   int    `json:"per_page"`
		Links     struct {
			Next json.RawMessage `json:"next"` // a text, or null
		} `json:"links"`
	} `json:"cursor_pagination"`
}

// perPage is the number of rows of a full page, as the server says.
func (m *meta) perPage() int {
	switch {
	case m.Cursors != nil && m.Cursors.PerPage > 0:
		return m.Cursors.PerPage
	case m.Pagination != nil && m.Pagination.PerPage > 0:
		return m.Pagination.PerPage
	}
	return maxPage
}

// more reports whether the server says that there is another page.
func (m *meta) more() bool {
	if m.Cursors != nil {
		var link string
		return json.Unmarshal(m.Cursors.Links.Next, &link) == nil && link != ""
	}
	return m.Pagination != nil && m.Pagination.CurrentPage < m.Pagination.TotalPages
}

// pages detects a list that does not go on. It keeps the keys of the last page and the
// first key of each page, not those of all rows: a list may have millions.
type pages[K comparable] struct {
	last, firsts map[K]struct{}
}

// add returns which rows of a page are new: a row that has moved from the last page to this
// one is not. A page without a new row, or with a beginning of before, has been sent twice.
func (p *pages[K]) add(keys []K) (fresh []bool, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if p.firsts == nil {
		p.firsts = map[K]struct{}{}
	}
	page, anyFresh := map[K]struct{}{}, false
	fresh = make([]bool, len(keys))
	for i, key := range keys {
		_, before := p.last[key]
		_, twice := page[key]
		fresh[i] = !before && !twice
		anyFresh = anyFresh || fresh[i]
		page[key] = struct{}{}
	}
	if _, before := p.firsts[keys[0]]; before || !anyFresh {
		return nil, fmt.Errorf("client: %w: that of %v", ErrRepeatedPage, keys[0])
	}
	p.firsts[keys[0]] = struct{}{}
	p.last = page
	return fresh, nil
}

// yieldFresh yields the new rows of a page. It reports whether to go on.
func yieldFresh[T any, K comparable](rows []T, key func(T) K, seen *pages[K], yield func(T, error) bool) bool {
	keys := make([]K, len(rows))
	for i, row := range rows {
		keys[i] = key(row)
	}
	fresh, err := seen.add(keys)
	if err != nil {
		var none T
		yield(none, err)
		return false
	}
	for i, row := range rows {
		if fresh[i] && !yield(row, nil) {
			return false
		}
	}
	return true
}

// listV2 reads a page of V2. An empty page is 204 without a body.
func listV2[T any](ctx context.Context, c *Client, r request) ([]T, error) {
	rep, err := c.call(ctx, r)
	if err != nil || len(rep.body) == 0 {
		return nil, err
	}
	var rows []T
	return rows, rep.decode(&rows)
}

// allV2 reads a list of V2 to its end, which is a page that is not full. next sets the
// parameters of the page after a row; without it the pages are counted.
func allV2[T any, K comparable](ctx context.Context, c *Client, r request, key func(T) K, next func(url.Values, T)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var seen pages[K]
		q := maps.Clone(r.query)
		q.Set("limit", strconv.Itoa(maxPage))
		for number := 1; ; number++ {
			one := r
			one.query = q
			if next == nil {
				q.Set("page", strconv.Itoa(number))
			}
			rows, err := listV2[T](ctx, c, one)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if !yieldFresh(rows, key, &seen, yield) || len(rows) < maxPage {
				return
			}
			if next != nil {
				next(q, rows[len(rows)-1])
			}
		}
	}
}

// listV3 reads a page of V3.
func listV3[T any](ctx context.Context, c *Client, r request) ([]T, meta, error) {
	e, err := get[envelope[[]T]](ctx, c, r)
	if err != nil {
		return nil, meta{}, err
	}
	if e.Data == nil {
		return nil, meta{}, fmt.Errorf("client: %s %s: %w: it has no data", r.method, r.path, ErrResponse)
	}
	return *e.Data, e.Meta, nil
}

// allV3 reads a list of V3 to its end: by cursor where the server has one, else by number.
// The numbers of the server decide nothing alone: a full page is followed by another
// request, whatever the total says, and an empty page is the end.
func allV3[T any, K comparable](ctx context.Context, c *Client, r request, key func(T) K) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var seen pages[K]
		q := maps.Clone(r.query)
		q.Set("limit", strconv.Itoa(maxPage))
		for number := 1; ; number++ {
			one := r
			one.query = q
			rows, m, err := listV3[T](ctx, c, one)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if !yieldFresh(rows, key, &seen, yield) || len(rows) == 0 || !m.more() && len(rows) < m.perPage() {
				return
			}
			if m.Cursors != nil && m.Cursors.EndCursor != "" {
				q.Del("page")
				q.Set("after", m.Cursors.EndCursor)
			} else {
				q.Del("after")
				q.Set("page", strconv.Itoa(number+1))
			}
		}
	}
}

// pageOf reads a page of the list of V3 at a path, with a filter.
func pageOf[T any](ctx context.Context, c *Client, path string, filter any, p Page) ([]T, error) {
	q, err := listQuery(filter, p)
	if err != nil {
		return nil, err
	}
	rows, _, err := listV3[T](ctx, c, request{method: http.MethodGet, path: path, query: q})
	return rows, err
}

// allOf reads the list of V3 at a path to its end, with a filter.
func allOf[T any, K comparable](ctx context.Context, c *Client, path string, filter any, key func(T) K) iter.Seq2[T, error] {
	q, err := params(filter)
	if err != nil {
		return failed[T](err)
	}
	return allV3(ctx, c, request{method: http.MethodGet, path: path, query: q}, key)
}

// byID yields the rows with the ids, of any number, which read returns for some of them.
func byID[T, ID any](ids []ID, read func([]ID) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for part := range slices.Chunk(ids, maxIDsInCall) {
			for row, err := range read(part) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// failed is a list that ends with an error before its first row.
func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}
