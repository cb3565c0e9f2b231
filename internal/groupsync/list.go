package groupsync

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"cohort.example/cohort/client"
)

// list yields the rows of a list of V3 that the client has no method for, by page number. What
// the server says of totals decides nothing: the end is a page without rows, or with fewer
// than it says that a page has. A page without a new row is client.ErrRepeatedPage.
func list[T any](ctx context.Context, c *client.Client, path string, query url.Values, key func(T) int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		query := maps.Clone(query)
		query.Set("limit", strconv.Itoa(pageRows))
		seen := map[int64]bool{}
		var none T
		for number := 1; ; number++ {
			query.Set("page", strconv.Itoa(number))
			var page pageOf[T]
			if err := c.Call(ctx, http.MethodGet, path, query, nil, &page); err != nil {
				yield(none, err)
				return
			}
			before := len(seen)
			for _, row := range page.Data {
				if seen[key(row)] {
					continue
				}
				seen[key(row)] = true
				if !yield(row, nil) {
					return
				}
			}
			switch {
			case page.last():
				return
			case len(seen) == before:
				yield(none, fmt.Errorf("GET %s: %w", path, client.ErrRepeatedPage))
				return
			case len(seen) > MaxItems:
				yield(none, ErrTooLarge)
				return
			}
		}
	}
}

// pageOf is a page of a list of V3.
type pageOf[T any] struct {
	Data []T `json:"data"`
	Meta struct {
		Pagination struct {
			PerPage     int `json:"per_page"`
			CurrentPage int `json:"current_page"`
			TotalPages  int `json:"total_pages"`
		} `json:"pagination"`
	} `json:"meta"`
}

func (p *pageOf[T]) last() bool {
	m := p.Meta.Pagination
	full := pageRows
	if m.PerPage > 0 {
		full = m.PerPage
	}
	return len(p.Data) == 0 || len(p.Data) < full && m.CurrentPage >= m.TotalPages
}

func joinIDs(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(texts, ",")
}
