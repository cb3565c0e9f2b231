package apiv3

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// The lists of customers, form-field values and metafields page in their own way,
// which the vendor introduced in January 2025. They differ from the other V3 lists:
//
//   - "meta" has both kinds of pagination on the first page, only "pagination" on a
//     later page by number, and only "cursor_pagination" on a page by cursor.
//   - A request with a cursor may have a page number, which is ignored.
//   - A cursor names its order: "id:7" in base64. A list with another order rejects it.
//   - A query string that begins with "&" is rejected.
//
// A handler of such a list calls decodeCursorQuery, then writeCursorList.

// listOrder is the order of a list, as its cursors show it.
type listOrder struct {
	// name begins each cursor. Two orders of one list have different names.
	name string
	// valid reports whether a text has the form of a sort key in this order. A sort key
	// is what [cohort.Page] has in After and Before.
	valid func(key string) bool
}

// orderByID is the order of a list whose sort key is an id.
var orderByID = orderByNumbers("id", 1)

// orderByNumbers is the order of a list whose sort key is n numbers with slashes between
// them.
func orderByNumbers(name string, n int) listOrder {
	return listOrder{name, func(key string) bool {
		parts := strings.Split(key, "/")
		for _, part := range parts {
			if !isNumber(part) {
				return false
			}
		}
		return len(parts) == n
	}}
}

// orderByText is the order of a list whose sort key is a text, a slash and an id.
func orderByText(name string) listOrder {
	return listOrder{name, func(key string) bool {
		slash := strings.LastIndexByte(key, '/')
		return slash >= 0 && isNumber(key[slash+1:]) && utf8.ValidString(key) && !strings.ContainsRune(key, 0)
	}}
}

// isNumber reports whether a text is an int64 as strconv.FormatInt writes it.
func isNumber(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == s
}

// cursor returns the cursor of the row with a sort key.
func (o listOrder) cursor(key string) string {
	return base64.StdEncoding.EncodeToString([]byte(o.name + ":" + key))
}

// readCursor returns the sort key in a cursor. It accepts a cursor without the padding,
// and one whose "+" the client has sent unescaped, which arrives as a space.
func (o listOrder) readCursor(value string) (key string, err error) {
	text, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.ReplaceAll(value, " ", "+"), "="))
	key, named := strings.CutPrefix(string(text), o.name+":")
	if err != nil || !named || !o.valid(key) {
		return "", cohort.Invalid("", "The value is not a cursor of this list in this order.")
	}
	return key, nil
}

// cursorPaging is the requested page of a list, and how it was requested.
type cursorPaging struct {
	cohort.Page
	order listOrder
	query []api.Param
}

// byCursor reports whether the client sent a cursor.
func (p cursorPaging) byCursor() bool { return p.After != "" || p.Before != "" }

// decodeCursorQuery reads the parameters of a list: the filters in the table and the
// parameters of paging. order returns the order that the filters select. Of the errors
// it returns those about names first, and otherwise all.
func decodeCursorQuery[F any](r *api.Request, table filters[F], order func(F) listOrder) (filter F, page cursorPaging, err error) {
	return decodePageQuery(r, table, order, isPaging)
}

// decodePageQuery is decodeCursorQuery for a list with the parameters of paging that
// isPage reports.
func decodePageQuery[F any](r *api.Request, table filters[F], order func(F) listOrder, isPage func(name string) bool) (filter F, page cursorPaging, err error) {
	page.Page = cohort.Page{Number: 1, Size: defaultLimit}
	if page.query, err = r.ParseQuery(); err != nil {
		return filter, page, err
	}
	if strings.HasPrefix(r.URL.RawQuery, "&") { // the vendor sees a parameter without a name there
		page.query = append([]api.Param{{}}, page.query...)
	}
	var failed failures
	var unknown []string
	sent := map[string]string{}
	for _, p := range page.query {
		set, known := table[p.Name]
		switch {
		case isPage(p.Name):
			sent[p.Name] = p.Value
		case !known:
			unknown = append(unknown, p.Name)
		default:
			if err := set(&filter, p.Value); err != nil {
				failed.add(p.Name, err)
			}
		}
	}
	if len(unknown) > 0 {
		return filter, page, unknownFilters(unknown)
	}
	page.order = order(filter)
	page.read(sent, &failed)
	if _, numbered := sent["page"]; numbered && page.byCursor() {
		r.Unread.IgnoreParam("page")
	}
	return filter, page, failed.err()
}

// read sets the page from the parameters of paging that were sent.
func (p *cursorPaging) read(sent map[string]string, failed *failures) {
	set := func(name string, read func(value string) error) (found bool) {
		value, found := sent[name]
		if !found {
			return false
		}
		if err := read(value); err != nil {
			failed.add(name, err)
		}
		return true
	}
	set("limit", func(value string) (err error) {
		p.Size, err = readCount(value)
		p.Size = min(p.Size, maxLimit)
		return err
	})
	after := set("after", func(value string) (err error) { p.After, err = p.order.readCursor(value); return err })
	before := set("before", func(value string) (err error) { p.Before, err = p.order.readCursor(value); return err })
	switch {
	case after && before:
		failed.add("before", cohort.Invalid("", "Only one of before and after can be given."))
	case !after && !before:
		set("page", func(value string) (err error) { p.Number, err = readCount(value); return err })
	}
}

// writeCursorList sends a page of a list. key returns the sort key of a row. For a page
// by number read returns how many rows the whole list has. For a page by cursor it
// returns how many rows there are from the page on, in the direction of the cursor, and
// need not count further than one row beyond the page; if it returns 0, a full page has
// a link to a page that may be empty.
func writeCursorList[T, W any](w http.ResponseWriter, r *api.Request, p cursorPaging, read reader[T], toWire func(T) W, key func(T) string) error {
	return writeList(w, r, p.Page, read, toWire, key, func(e api.Extent) any { return p.meta(e) })
}

func (p cursorPaging) meta(e api.Extent) (m meta) {
	if !p.byCursor() {
		m.Pagination = p.pagination(e.Count, e.Total)
	}
	if p.byCursor() || p.Number == 1 {
		m.Cursors = p.cursors(e)
	}
	return m
}

func (p cursorPaging) pagination(count int, total int64) *pagination {
	size := int64(p.Size)
	m := &pagination{Total: total, Count: count, PerPage: p.Size, CurrentPage: p.Number, TotalPages: (total + size - 1) / size}
	m.Links.Current = p.link(p.Number, "", "", true)
	if p.Number > 1 {
		m.Links.Previous = p.link(p.Number-1, "", "", true)
	}
	if int64(p.Number) < m.TotalPages {
		m.Links.Next = p.link(p.Number+1, "", "", true)
	}
	return m
}

func (p cursorPaging) cursors(e api.Extent) *cursorPagination {
	m := &cursorPagination{Count: e.Count, PerPage: p.Size}
	link := func(name, key string) string { return p.link(1, name, key, false) }
	switch {
	case p.After != "":
		m.Links.Current = link("after", p.After)
	case p.Before != "":
		m.Links.Current = link("before", p.Before)
	default:
		m.Links.Current = link("", "")
	}
	if e.Count == 0 {
		return m
	}
	m.StartCursor, m.EndCursor = p.order.cursor(e.First), p.order.cursor(e.Last)
	more := e.Total > int64(e.Count) || e.Total == 0 && e.Count == p.Size
	if p.After != "" || p.Before != "" && more {
		m.Links.Previous = link("before", e.First)
	}
	if p.Before != "" || more {
		m.Links.Next = link("after", e.Last)
	}
	return m
}

// link returns the query string of another page of the list: its paging parameters as
// in the vendor's examples, and then the parameters of this request. A cursor has a
// name, "after" or "before", and a sort key.
func (p cursorPaging) link(page int, name, key string, limit bool) string {
	var b strings.Builder
	b.WriteString("?page=" + strconv.Itoa(page))
	add := func(name, value string) { b.WriteString("&" + url.QueryEscape(name) + "=" + url.QueryEscape(value)) }
	if name != "" {
		add(name, p.order.cursor(key))
	}
	for _, q := range p.query {
		limit = limit || q.Name == "limit"
	}
	if limit {
		add("limit", strconv.Itoa(p.Size))
	}
	for _, q := range p.query {
		if !isPaging(q.Name) {
			add(q.Name, q.Value)
		}
	}
	return b.String()
}
