package console

import (
	"strconv"
)

// pageSize is how many rows a list shows at once.
const pageSize = 50

// rows is a sink of the service: it keeps the rows of one page.
type rows[T any] struct{ list []T }

// Begin discards the rows of a read that starts again.
func (r *rows[T]) Begin() { r.list = nil }

// Add keeps a row.
func (r *rows[T]) Add(row T) bool {
	r.list = append(r.list, row)
	return true
}

// pager has the addresses of the pages beside one, for the template "pager"; "": there is
// none.
type pager struct{ Prev, Next string }

// number returns the number of the page that the address asks for, from 1.
func (c *call) number() int {
	n, err := strconv.Atoi(c.query("page"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// pagesOf returns the pages beside the one that is shown, of a list of so many rows.
func (c *call) pagesOf(total int64) (p pager) {
	n := c.number()
	if n > 1 {
		p.Prev = c.with("page", strconv.Itoa(n-1))
	}
	if int64(n) < (total+pageSize-1)/pageSize {
		p.Next = c.with("page", strconv.Itoa(n+1))
	}
	return p
}

// with returns the address of the page with another value of a parameter; "" removes it.
// It leaves out the parameters of drop.
func (c *call) with(name, value string, drop ...string) string {
	query := c.r.URL.Query()
	for _, other := range drop {
		query.Del(other)
	}
	query.Set(name, value)
	if value == "" {
		query.Del(name)
	}
	if len(query) == 0 {
		return c.r.URL.Path
	}
	return c.r.URL.Path + "?" + query.Encode()
}
