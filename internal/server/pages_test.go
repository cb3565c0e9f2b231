package server_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
)

// longestRow is more than the JSON of any row that can be stored: a customer whose
// notes are all escapes has 394 KB, a group 140 KB, a variant 16 KB.
const longestRow = 420 << 10

// listRoutes are all that answer with a list: how each is asked, and whether the
// largest rows make a page of several pieces.
var listRoutes = map[string]struct {
	path   string
	pieces bool
}{
	"listGroups":                {"/v2/customer_groups", true},
	"listCustomers":             {"/v2/customers", true},
	"listAddresses":             {"/v2/customers/1/addresses", true},
	"listCategories":            {"/v3/catalog/categories", false},
	"listProducts":              {"/v3/catalog/products?include=variants,bulk_pricing_rules", true},
	"listVariants":              {"/v3/catalog/variants", true},
	"listVariantsOfProduct":     {"/v3/catalog/products/1/variants", true},
	"listPriceLists":            {"/v3/pricelists", false},
	"listPriceRecords":          {"/v3/pricelists/1/records?include=bulk_pricing_tiers,sku", true},
	"listPriceRecordsOfVariant": {"/v3/pricelists/1/records/1?include=bulk_pricing_tiers,sku", true},
	"listAssignments":           {"/v3/pricelists/assignments", false},
}

// notLists are the other routes of GET.
var notLists = []string{
	"getTime", "countGroups", "getGroup", "countCustomers", "getCustomer", "countAddresses", "getAddress", "getAddressOfAny",
	"getCategoryTree", "getCategory", "getProduct", "getVariant", "getPriceList", "getPriceRecord",
}

// Every page of the largest rows is complete, and no more than a piece of it and one
// row is ever held.
func TestPagesOfTheLargestRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		addLargestRows(t, f, d)
		token := f.token(t)
		for _, route := range everyListRoute(t, f) {
			t.Run(route.operation, func(t *testing.T) {
				target := withLimit(route.target, 250)
				w := &pieces{ResponseRecorder: httptest.NewRecorder()}
				f.ServeHTTP(w, newRequest("GET", target, token, ""))
				if w.Code != http.StatusOK {
					t.Fatalf("status %d: %.200s", w.Code, w.Body)
				}
				if w.largest > api.PieceBytes+longestRow {
					t.Errorf("a piece of %d bytes", w.largest)
				}
				if route.pieces != (w.writes > 1) || route.pieces == (w.Header().Get("Content-Length") != "") {
					t.Errorf("%d bytes in %d pieces, Content-Length %q", w.Body.Len(), w.writes, w.Header().Get("Content-Length"))
				}
				got := rowsOf(t, w.Body.Bytes())
				if want := f.rowsInTwos(t, route.target, token); !equalRows(got, want) {
					t.Errorf("%d rows, and in pages of two %d, which are not the same", len(got), len(want))
				}
				if route.pieces {
					f.wantOtherPages(t, route.target, token, got)
				}
			})
		}
	})
}

// wantOtherPages asks for the second half of a list, and for what comes before its
// last row.
func (f *fixture) wantOtherPages(t *testing.T, target, token string, all []json.RawMessage) {
	t.Helper()
	half := len(all) / 2
	second := rowsOf(t, f.mustAnswer(t, 200, "GET", withLimit(target, half)+"&page=2", token, "").Body.Bytes())
	if !equalRows(second, all[half:2*half]) {
		t.Errorf("the second page has %d rows, which are not those behind %d", len(second), half)
	}
	if !strings.Contains(target, "/v3/") {
		return
	}
	var whole struct {
		Meta struct {
			Cursors struct {
				Start string `json:"start_cursor"`
				End   string `json:"end_cursor"`
			} `json:"cursor_pagination"`
		}
	}
	decode(t, f.mustAnswer(t, 200, "GET", withLimit(target, 250), token, "").Body.Bytes(), &whole)
	before := rowsOf(t, f.mustAnswer(t, 200, "GET", withLimit(target, 250)+"&before="+whole.Meta.Cursors.End, token, "").Body.Bytes())
	if !equalRows(before, all[:len(all)-1]) {
		t.Errorf("before the last of %d rows there are %d, which are not the others", len(all), len(before))
	}
	after := rowsOf(t, f.mustAnswer(t, 200, "GET", withLimit(target, len(all)-1)+"&after="+whole.Meta.Cursors.Start, token, "").Body.Bytes())
	if !equalRows(after, all[1:]) {
		t.Errorf("behind the first of %d rows there are %d, which are not the others", len(all), len(after))
	}
}

// Clients that do not read hold no connection of the database: more of them than
// there are connections, and others are served, and what those write is acknowledged.
func TestSlowReadersHoldNoConnection(t *testing.T) {
	const readers = 20
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		addLargestGroups(t, f)
		addLargestCustomers(t, f)
		token := f.token(t)
		// There is no at-once limit for this list.
		target := withLimit("/stores/abc"+listRoutes["listCustomers"].path, 250)
		arrived, release, done := make(chan struct{}, readers), make(chan struct{}), make(chan int, readers)
		for range readers {
			go func() {
				w := &pieces{ResponseRecorder: httptest.NewRecorder()}
				w.before = func() { arrived <- struct{}{}; <-release; w.before = nil }
				f.ServeHTTP(w, newRequest("GET", target, token, ""))
				done <- len(w.Body.Bytes())
			}()
		}
		for range readers {
			<-arrived
		}
		f.mustAnswer(t, 200, "GET", f.path("/customer_groups/1"), token, "")
		f.mustAnswer(t, 204, "DELETE", f.path("/customers/2"), token, "")
		whole := f.mustAnswer(t, 200, "GET", target, token, "").Body.Len()
		for range readers { // one after another: all at once are more than there are connections
			release <- struct{}{}
			// The rest is read now: it may or may not have the customer.
			if n := <-done; n < whole {
				t.Errorf("a reader got %d bytes, and another %d", n, whole)
			}
		}
	})
}

// An error in the middle ends the connection, and the log has it.
func TestAPageThatBreaksOff(t *testing.T) {
	d := dbtest.SQLite(t)
	lines := newLogLines()
	f := newFixture(t, d, server.Options{Log: slog.New(slog.NewJSONHandler(lines, nil))})
	addLargestGroups(t, f)
	lines.drain()
	w := &pieces{ResponseRecorder: httptest.NewRecorder()}
	w.before = func() {
		w.before = nil
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // it is a panic's value
			t.Errorf("panic %v", p)
		}
		if w.writes != 1 || w.Code != http.StatusOK {
			t.Errorf("%d writes, status %d", w.writes, w.Code)
		}
		if got := strings.Join(lines.drain(), ""); !strings.Contains(got, "the database is closed") || !strings.Contains(got, `"ERROR"`) {
			t.Errorf("the log has %s", got)
		}
	}()
	f.ServeHTTP(w, newRequest("GET", withLimit("/stores/abc/v2/customer_groups", 250), f.vars["token"], ""))
}

// pieces counts what is written at once.
type pieces struct {
	*httptest.ResponseRecorder
	before          func() // each write; nil: nothing
	writes, largest int
}

func (p *pieces) Write(b []byte) (int, error) {
	if p.before != nil {
		p.before()
	}
	p.writes, p.largest = p.writes+1, max(p.largest, len(b))
	return p.ResponseRecorder.Write(b)
}

type listRoute struct {
	operation, target string
	pieces            bool
}

// everyListRoute goes through the route tables, so that none is forgotten.
func everyListRoute(t *testing.T, f *fixture) (routes []listRoute) {
	t.Helper()
	known := map[string]bool{}
	for _, name := range notLists {
		known[name] = true
	}
	for _, dialect := range server.Dialects(f.Service) {
		for _, r := range dialect.Routes {
			asked, isList := listRoutes[r.Operation]
			switch {
			case isList:
				routes = append(routes, listRoute{r.Operation, "/stores/abc" + asked.path, asked.pieces})
			case r.Method == "GET" && !known[r.Operation]:
				t.Errorf("%s is neither in listRoutes nor in notLists", r.Operation)
			}
		}
	}
	if len(routes) != len(listRoutes) {
		t.Errorf("of %d lists there are %d", len(listRoutes), len(routes))
	}
	return routes
}

func withLimit(target string, n int) string {
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	return target + separator + "limit=" + strconv.Itoa(n)
}

// rowsInTwos returns the first 250 rows of a list, read in pages that are so small
// that each is one piece.
func (f *fixture) rowsInTwos(t *testing.T, target, token string) (rows []json.RawMessage) {
	t.Helper()
	for page := 1; page <= 125; page++ {
		w := f.answer("GET", withLimit(target, 2)+"&page="+strconv.Itoa(page), token, "")
		if w.Code == http.StatusNoContent {
			break
		}
		some := rowsOf(t, w.Body.Bytes())
		rows = append(rows, some...)
		if len(some) < 2 {
			break
		}
	}
	return rows
}

// rowsOf returns the rows of an answer of either dialect.
func rowsOf(t *testing.T, body []byte) (rows []json.RawMessage) {
	t.Helper()
	if body[0] == '[' {
		decode(t, body, &rows)
		return rows
	}
	var answer struct {
		Data []json.RawMessage
		Meta struct {
			Pagination *struct{ Count, Total int }
		}
	}
	decode(t, body, &answer)
	if p := answer.Meta.Pagination; p != nil && p.Count != len(answer.Data) {
		t.Errorf("%d rows, and the meta says %+v", len(answer.Data), *p)
	}
	return answer.Data
}

func decode(t *testing.T, body []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%v in %.100s … %s", err, body, body[max(0, len(body)-100):])
	}
}

func equalRows(a, b []json.RawMessage) bool {
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	for i := range a {
		if string(a[i]) != string(b[i]) {
			return false
		}
	}
	return true
}
