package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/numeral"
)

func requestRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/requests", handle: (*call).listRequests, tests: true},
		{method: "POST", path: "stores/{hash}/requests/clear", handle: (*call).clearRequests, tests: true},
		{method: "GET", path: "stores/{hash}/requests/stream", handle: (*call).streamRequests, tests: true, waits: true},
		{method: "GET", path: "stores/{hash}/requests/{id}", handle: (*call).showRequest, tests: true},
		{method: "POST", path: "stores/{hash}/requests/{id}/again", handle: (*call).sendAgain, tests: true},
	}
}

// requestsShown is how many requests one page of the list has. With JavaScript, the page
// keeps as many when further ones arrive.
const requestsShown = 100

// requestsPage is what the list of requests shows.
type requestsPage struct {
	Rows       []requestRow
	Total      int // that the journal has and that pass the filter
	Filter     requestFilter
	Operations []string // that the store's clients have called
	Stream     string   // the address of further requests
	Last       int64    // the id of the newest request in the journal
	pager
}

// requestRow is a request in the list.
type requestRow struct {
	ID        int64    `json:"id"`
	Link      string   `json:"link"`
	Time      string   `json:"time"`
	ISO       string   `json:"iso"`
	Method    string   `json:"method"`
	Path      string   `json:"path"` // after the store, with the query
	Status    int      `json:"status"`
	Tone      string   `json:"tone"` // of the status: good, warn, bad or note
	Took      string   `json:"took"`
	Operation string   `json:"operation"`
	Token     string   `json:"token"`
	Fault     string   `json:"fault"`
	Unread    []string `json:"unread"`
	Reason    string   `json:"reason"` // why it was refused
}

func (c *call) newRow(e *journal.Entry) requestRow {
	path := strings.TrimPrefix(e.Path, "/stores/"+c.store.Hash)
	if e.Query != "" {
		path += "?" + e.Query
	}
	return requestRow{
		ID: e.ID, Link: c.path("requests", fmt.Sprint(e.ID)), Time: e.Time.UTC().Format("15:04:05.000"), ISO: e.Time.UTC().Format(time.RFC3339Nano),
		Method: e.Method, Path: shortened(path, maxShownPath), Status: e.Status, Tone: tone(e.Status), Took: milliseconds(e.Duration),
		Operation: e.Operation, Token: e.TokenID, Fault: e.Fault, Unread: e.Unread, Reason: shortened(reasonOf(e), maxShownReason),
	}
}

const (
	// maxShownPath and maxShownReason bound the texts of a row, in bytes.
	maxShownPath   = 200
	maxShownReason = 160
)

// tone returns the class of a status.
func tone(status int) string {
	switch {
	case status == 0 || status >= 500:
		return "bad"
	case status >= 400 || status == 207:
		return "warn"
	case status >= 300:
		return "note"
	}
	return "good"
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
}

// reasonOf returns what the response says about a refusal; "": the request was not refused.
func reasonOf(e *journal.Entry) string {
	if e.Status < 400 {
		return ""
	}
	text := e.Response.Body.Text
	var list []map[string]any
	var one map[string]any
	switch {
	case json.Unmarshal([]byte(text), &list) == nil && len(list) > 0:
		one = list[0]
	case json.Unmarshal([]byte(text), &one) != nil:
		return text
	}
	reason, _ := one["details"].(map[string]any)
	for _, from := range []map[string]any{reason, one} {
		for _, name := range []string{"invalid_reason", "title", "message", "detail"} {
			if text, ok := from[name].(string); ok && text != "" {
				return text
			}
		}
	}
	return text
}

// requestFilter selects requests.
type requestFilter struct {
	Operation, Method, Path, Status, Token string
}

// readRequestFilter returns the filter in the address. A status is one, such as 404, or a
// class, such as 4xx.
func (c *call) readRequestFilter() requestFilter {
	return requestFilter{c.query("operation"), strings.ToUpper(c.query("method")), c.query("path"), c.query("status"), c.query("token")}
}

// IsEmpty reports whether all requests pass.
func (f requestFilter) IsEmpty() bool { return f == requestFilter{} }

// query returns the filter as it is in an address.
func (f requestFilter) query() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"operation": f.Operation, "method": f.Method, "path": f.Path, "status": f.Status, "token": f.Token} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// criteria returns the part of the filter that criteria of the journal have.
func (f requestFilter) criteria() (c journal.Criteria, err error) {
	c = journal.Criteria{Operation: f.Operation, Method: f.Method, Path: f.Path}
	return c, control.CheckCriteria(nil, "", &c)
}

// passes reports whether an entry that matches the criteria passes the filter.
func (f requestFilter) passes(e *journal.Entry) bool {
	if f.Token != "" && e.TokenID != f.Token {
		return false
	}
	if class, ok := strings.CutSuffix(f.Status, "xx"); ok {
		return fmt.Sprint(e.Status/100) == class
	}
	return f.Status == "" || fmt.Sprint(e.Status) == f.Status
}

// listRequests shows the requests of the store, the newest first.
func (c *call) listRequests() error {
	p := requestsPage{Filter: c.readRequestFilter()}
	criteria, err := p.Filter.criteria()
	if err != nil {
		return err
	}
	all := c.Tests.Journal.Find(c.ctx(), c.store.Hash, 0, &journal.Criteria{})
	if len(all) > 0 {
		p.Last = all[len(all)-1].ID
	}
	p.Operations = operationsOf(all)
	before, err := strconv.ParseInt(c.query("before"), 10, 64)
	if err != nil {
		before = 0
	}
	for _, e := range slices.Backward(all) {
		if !criteria.Match(e) || !p.Filter.passes(e) {
			continue
		}
		p.Total++
		if before > 0 && e.ID >= before {
			continue
		}
		if len(p.Rows) == requestsShown {
			p.Next = c.with("before", fmt.Sprint(p.Rows[len(p.Rows)-1].ID))
			continue
		}
		p.Rows = append(p.Rows, c.newRow(e))
	}
	if before > 0 {
		p.Prev = c.with("before", "")
	} else {
		query := p.Filter.query()
		query.Set("since", fmt.Sprint(p.Last))
		p.Stream = c.path("requests", "stream") + "?" + query.Encode()
	}
	return c.render(page{name: "requests", title: "Requests", body: p, same: []example{
		{"Command line", "cohort requests -f --store " + c.store.Hash},
		{"curl", fmt.Sprintf("curl '%s/_cohort/v1/stores/%s/requests?limit=50'\ncurl -N '%[1]s/_cohort/v1/stores/%[2]s/requests/stream'", c.APIURL, c.store.Hash)},
	}})
}

func operationsOf(list []*journal.Entry) (names []string) {
	for _, e := range list {
		if e.Operation != "" {
			names = append(names, e.Operation)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// clearRequests forgets the requests that the page has shown, and says how many.
func (c *call) clearRequests() error {
	n := len(c.Tests.Journal.Find(c.ctx(), c.store.Hash, 0, &journal.Criteria{}))
	c.Tests.Journal.Clear(c.ctx(), c.store.Hash)
	return c.sayAndGo(c.path("requests"), numeral.Plural(int64(n), "request was", "requests were")+" removed from the list.")
}

// requestOfPath returns the request that the path names.
func (c *call) requestOfPath() (*journal.Entry, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	e := c.Tests.Journal.Get(c.ctx(), c.store.Hash, id)
	if e == nil {
		return nil, &statusError{404, fmt.Sprintf("The server has no request %d of this store, or keeps it no more.", id)}
	}
	return e, nil
}

// headersOf returns the lines of a head by name.
func headersOf(m journal.Message) []journal.Header {
	return slices.SortedFunc(slices.Values(m.Header), func(a, b journal.Header) int { return cmp.Compare(a.Name, b.Name) })
}
