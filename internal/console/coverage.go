package console

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/vendorapi"
)

func coverageRoutes() []route {
	return []route{{method: "GET", path: "coverage", handle: (*call).coverage, tests: true}}
}

// maxCalled bounds the calls that the page lists, and the stores whose calls it looks at.
const (
	maxCalled  = 50
	maxWatched = 100
)

// coveragePage is what the page of the coverage shows.
type coveragePage struct {
	Called   []calledLine // what clients called and the server does not serve, the most frequent first
	Families []option
	States   []option
	Family   string
	State    string
	Rows     []coverageRow
	Served   int // operations of the vendor
	All      int
	Total    int // that pass the filter
	pager
}

// calledLine is a call that the server does not serve.
type calledLine struct {
	Store, Method, Path string // the path after the store
	Vendor              string // the operation of the vendor; "": it has none there either
	Count               int
	Link                string // of the requests
}

// coverageRow is an operation of the vendor.
type coverageRow struct {
	vendorapi.Operation
	State string // exact, decided here, not there
}

// states are what the coverage says of operations.
func states() []string {
	return []string{vendorapi.Exact.String(), vendorapi.Decided.String(), notThere}
}

// notThere is what the coverage says of an operation that is not served.
const notThere = "not there"

// coverage shows which operations of the vendor the server has.
func (c *call) coverage() error {
	p := coveragePage{Family: c.query("family"), State: c.query("state")}
	served := c.servedShapes()
	families := map[string]bool{}
	for _, o := range vendorapi.Operations() {
		row := coverageRow{o, notThere}
		if served[o.Key()] {
			row.State = o.Mark.String()
			p.Served++
		}
		p.All++
		if !families[o.Family] {
			families[o.Family] = true
			p.Families = append(p.Families, option{o.Family, o.Family})
		}
		if (p.Family == "" || o.Family == p.Family) && (p.State == "" || row.State == p.State) {
			p.Rows = append(p.Rows, row)
		}
	}
	for _, s := range states() {
		p.States = append(p.States, option{s, s})
	}
	p.Total = len(p.Rows)
	p.pager = c.pagesOf(int64(p.Total))
	start := min((c.number()-1)*pageSize, p.Total)
	p.Rows = p.Rows[start:min(start+pageSize, p.Total)]
	var err error
	if p.Called, err = c.called(served); err != nil {
		return err
	}
	return c.render(page{name: "coverage", title: "Coverage", body: p, same: []example{
		{"curl", "curl " + c.APIURL + "/openapi.yaml"},
	}})
}

// servedShapes has the operations of the server, with their variable segments named alike.
func (c *call) servedShapes() map[string]bool {
	shapes := map[string]bool{}
	for _, d := range c.Dialects {
		for _, r := range d.Routes {
			shapes[vendorapi.Key(r.Method, d.Prefix, r.Path)] = true
		}
	}
	return shapes
}

// called returns what the clients of the stores called and the server does not serve, as far
// as it keeps their requests.
func (c *call) called(served map[string]bool) ([]calledLine, error) {
	stores, err := c.Service.ListStores(c.ctx())
	if err != nil {
		return nil, err
	}
	index := vendorapi.NewIndex(func(prefix, method, path string) bool { return served[vendorapi.Key(method, prefix, path)] })
	counts := map[calledLine]int{}
	for _, st := range stores[:min(len(stores), maxWatched)] {
		for _, e := range c.Tests.Journal.Find(c.ctx(), st.Hash, 0, &journal.Criteria{}) {
			if e.Operation != "" {
				continue
			}
			line := calledLine{Store: st.Hash, Method: e.Method, Path: shortened(strings.TrimPrefix(e.Path, "/stores/"+st.Hash), maxShownPath)}
			pattern := line.Path
			if o := vendorOperation(index, line); o != nil { // calls with different ids are one line
				line.Vendor, line.Path = o.String(), o.Prefix+o.Path
				pattern = variable.ReplaceAllString(line.Path, "*")
			}
			line.Link = storePath(st.Hash, "requests") + "?" + url.Values{"path": {pattern}, "method": {line.Method}}.Encode()
			counts[line]++
		}
	}
	var list []calledLine
	for line, n := range counts {
		line.Count = n
		list = append(list, line)
	}
	slices.SortFunc(list, func(a, b calledLine) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	return list[:min(len(list), maxCalled)], nil
}

// variable is a variable segment of the path of an operation.
var variable = regexp.MustCompile(`\{[^}]*\}`)

// vendorOperation returns the operation that a call would be in the vendor's API, or nil.
func vendorOperation(index *vendorapi.Index, line calledLine) *vendorapi.Operation {
	prefix, rest, ok := strings.Cut(strings.TrimPrefix(line.Path, "/"), "/")
	if !ok {
		return nil
	}
	return index.Find("/"+prefix, line.Method, "/"+rest)
}
