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

// longestRow is larger than the JSON of any row of the test: the largest product has 2.4
// MB (its texts are all escapes) and 1.3 MB of custom fields, images and videos, the largest modifier with its values 1.5 MB, the largest
// category and brand 800 KB, the largest customer 394 KB and 376 KB
// of form fields, the largest group 140 KB, the largest variant 40 KB. With the longest
// labels of 250 option values, which the test leaves out, a variant has 800 KB.
const longestRow = 4000 << 10

// listRoutes are all list operations: the request, and whether a page of the largest
// rows is sent in several pieces.
var listRoutes = map[string]struct {
	path   string
	pieces bool
}{
	"listGroups":                {"/v2/customer_groups", true},
	"listCustomers":             {"/v2/customers", true},
	"listAddresses":             {"/v2/customers/1/addresses", true},
	"listAddressesV3":           {"/v3/customers/addresses", true},
	"listCustomersV3":           {"/v3/customers", true},
	"listCategories":            {"/v3/catalog/categories", true},
	"listProducts":              {"/v3/catalog/products?include=variants,bulk_pricing_rules,custom_fields,images,videos", true},
	"listProductChannels":       {"/v3/catalog/products/channel-assignments", false},
	"listProductCategories":     {"/v3/catalog/products/category-assignments", false},
	"listProductPlaces":         {"/v3/catalog/categories/" + strconv.FormatInt(highID(0), 10) + "/products/sort-order", false},
	"listCustomFields":          {"/v3/catalog/products/1/custom-fields", false},
	"listProductImages":         {"/v3/catalog/products/1/images", false},
	"listProductVideos":         {"/v3/catalog/products/1/videos", false},
	"listVariants":              {"/v3/catalog/variants", true},
	"listVariantsOfProduct":     {"/v3/catalog/products/1/variants", true},
	"listCategoriesOfTrees":     {"/v3/catalog/trees/categories", true},
	"listCategoryTrees":         {"/v3/catalog/trees", false},
	"listBrands":                {"/v3/catalog/brands?sort=name", true},
	"listOptions":               {"/v3/catalog/products/1/options", true},
	"listOptionValues":          {"/v3/catalog/products/1/options/1/values", false},
	"listModifiers":             {"/v3/catalog/products/1/modifiers", true},
	"listModifierValues":        {"/v3/catalog/products/1/modifiers/4/values", true},
	"listPriceLists":            {"/v3/pricelists", false},
	"listPriceRecords":          {"/v3/pricelists/1/records?include=bulk_pricing_tiers,sku", true},
	"listPriceRecordsOfVariant": {"/v3/pricelists/1/records/1?include=bulk_pricing_tiers,sku", true},
	"listAssignments":           {"/v3/pricelists/assignments", false},
	"listSegments":              {"/v3/segments", true},
	"listProfilesOfSegment":     {"/v3/segments/" + firstUUID + "/shopper-profiles", false},
	"listShopperProfiles":       {"/v3/shopper-profiles", false},
	"listSegmentsOfProfile":     {"/v3/shopper-profiles/" + firstUUID + "/segments", false},
	"listMetafields":            {"/v3/customers/metafields", true},
	"listMetafieldsOfCustomer":  {"/v3/customers/1/metafields", true},
	"listAttributes":            {"/v3/customers/attributes", false},
	"listAttributeValues":       {"/v3/customers/attribute-values", false},
	"listFormFieldValues":       {"/v3/customers/form-field-values", true},
	"listChannels":              {"/v3/channels", false},
	"listHooks":                 {"/v3/hooks", true},
}

// notLists are all other GET operations.
var notLists = []string{
	"getTime", "countGroups", "getGroup", "countCustomers", "getCustomer", "countAddresses", "getAddress", "getAddressOfAny",
	"getCategoryTree", "getCategory", "getCategoriesOfTree", "getBrand", "getProduct", "getVariant", "getOption", "getOptionValue", "getModifier", "getModifierValue",
	"getCustomField", "getProductImage", "getProductVideo",
	"getPriceList", "getPriceRecord",
	"getMetafield", "getConsent", "getCustomerSettings", "getChannelCustomerSettings", "getChannel",
	"getStore", "listCurrencies", "getCurrency", "getStoreProfile", "getStoreLocale", "getCatalogSummary",
	"getHook", "getHooksAdmin",
	"listDeliveries", // its pages have at most 250 of the largest deliveries
	"streamEvents", "exportEvents", "getGroupAsOf", "listGroupHistory", "getMembership", "listCustomerHistory",
	"listEvents", // it has a bound of its own; see db.maxEventPage
}

// Every page of the largest rows is complete, and never more than one piece and one
// row of it are in memory.
func TestPagesOfTheLargestRows(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		addLargestRows(t, f, d)
		token := f.token(t)
		addLargestHooks(t, f, token)
		for _, route := range everyListRoute(t, f) {
			t.Run(route.operation, func(t *testing.T) {
				target := withLimit(route.target, 250)
				w := &pieces{ResponseRecorder: httptest.NewRecorder()}
				f.ServeHTTP(w, newRequest("GET", target, token, ""))
				if w.Code != http.StatusOK {
					t.Fatalf("status %d: %.200s", w.Code, w.Body)
				}
				if w.largest > api.PieceBytes+longestRow {
					t.Errorf("the largest piece has %d bytes", w.largest)
				}
				if route.pieces != (w.writes > 1) || route.pieces == (w.Header().Get("Content-Length") != "") {
					t.Errorf("%d bytes in %d pieces, Content-Length %q", w.Body.Len(), w.writes, w.Header().Get("Content-Length"))
				}
				got := rowsOf(t, w.Body.Bytes())
				if want := f.rowsInSmallPages(t, route.target, token, got); !equalRows(got, want) {
					t.Errorf("one page has %d rows, small pages have %d rows, and they differ", len(got), len(want))
				}
				if route.pieces {
					f.wantOtherPages(t, route.target, token, w.Body.Bytes(), got)
				}
			})
		}
	})
}

// wantOtherPages requests the second half of a list, the rows before its last one, and
// those after its first one. first is the response with all of its rows.
func (f *fixture) wantOtherPages(t *testing.T, target, token string, first []byte, all []json.RawMessage) {
	t.Helper()
	half := len(all) / 2
	second := rowsOf(t, f.mustDo(t, 200, "GET", withLimit(target, half)+"&page=2", token, "").Body.Bytes())
	if !equalRows(second, all[half:2*half]) {
		t.Errorf("the second page has %d rows, want the rows after the first %d", len(second), half)
	}
	if !strings.Contains(target, "/v3/") {
		return
	}
	var whole struct {
		Meta struct {
			Cursors *struct {
				Start string `json:"start_cursor"`
				End   string `json:"end_cursor"`
			} `json:"cursor_pagination"`
		}
	}
	decode(t, first, &whole)
	if whole.Meta.Cursors == nil { // the list pages by number only
		return
	}
	before := rowsOf(t, f.mustDo(t, 200, "GET", withLimit(target, 250)+"&before="+whole.Meta.Cursors.End, token, "").Body.Bytes())
	if !equalRows(before, all[:len(all)-1]) {
		t.Errorf("before the last of %d rows: %d rows, want all others", len(all), len(before))
	}
	after := rowsOf(t, f.mustDo(t, 200, "GET", withLimit(target, len(all)-1)+"&after="+whole.Meta.Cursors.Start, token, "").Body.Bytes())
	if !equalRows(after, all[1:]) {
		t.Errorf("after the first of %d rows: %d rows, want all others", len(all), len(after))
	}
}

// Clients that do not read their responses hold no database connection: while there
// are more of them than connections, other reads and writes succeed.
func TestSlowReadersHoldNoConnection(t *testing.T) {
	t.Parallel()
	const readers = 20
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		addLargestGroups(t, f)
		addLargestCustomers(t, f)
		token := f.token(t)
		// This operation has no concurrency limit.
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
		f.mustDo(t, 200, "GET", f.path("/customer_groups/1"), token, "")
		f.mustDo(t, 204, "DELETE", f.path("/customers/2"), token, "")
		whole := f.mustDo(t, 200, "GET", target, token, "").Body.Len()
		for range readers { // one after another: together they need more than all connections
			release <- struct{}{}
			// The rest of the page is read now: it may have the deleted customer or not.
			if n := <-done; n < whole {
				t.Errorf("a reader got %d bytes, want at least %d", n, whole)
			}
		}
	})
}

// A database error in the middle of a page cuts the connection and is logged.
func TestPageBreaksOff(t *testing.T) {
	t.Parallel()
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
			t.Errorf("log: %s", got)
		}
	}()
	f.ServeHTTP(w, newRequest("GET", withLimit("/stores/abc/v2/customer_groups", 250), f.vars["token"], ""))
}

// pieces records the number and sizes of writes.
type pieces struct {
	*httptest.ResponseRecorder
	before          func() // called before each write unless nil
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

// everyListRoute returns all list operations of the route tables. It fails for a GET
// operation that is in neither listRoutes nor notLists.
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
		t.Errorf("%d of %d lists are in the route tables", len(routes), len(listRoutes))
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

// rowsInSmallPages returns the first 250 rows of a list, read in pages that each fit
// into one piece. all are the same rows from one page.
func (f *fixture) rowsInSmallPages(t *testing.T, target, token string, all []json.RawMessage) (rows []json.RawMessage) {
	t.Helper()
	longest := 1
	for _, row := range all {
		longest = max(longest, len(row))
	}
	size := max(min(api.PieceBytes/2/longest, len(all)/2), 1)
	for page := 1; len(rows) < 250; page++ {
		w := f.do("GET", withLimit(target, size)+"&page="+strconv.Itoa(page), token, "")
		if w.Code == http.StatusNoContent {
			break
		}
		some := rowsOf(t, w.Body.Bytes())
		rows = append(rows, some...)
		if len(some) < size {
			break
		}
	}
	return rows[:min(len(rows), 250)]
}

// rowsOf returns the rows of a response of either dialect.
func rowsOf(t *testing.T, body []byte) (rows []json.RawMessage) {
	t.Helper()
	if body[0] == '[' {
		decode(t, body, &rows)
		return rows
	}
	var response struct {
		Data []json.RawMessage
		Meta struct {
			Pagination *struct{ Count, Total int }
		}
	}
	decode(t, body, &response)
	if p := response.Meta.Pagination; p != nil && p.Count != len(response.Data) {
		t.Errorf("%d rows, but meta.pagination is %+v", len(response.Data), *p)
	}
	return response.Data
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
