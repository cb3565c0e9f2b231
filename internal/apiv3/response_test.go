package apiv3

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// numbered is a row of a list.
type numbered struct {
	ID int `json:"id"`
}

// rowsOf returns a reader of rows in memory.
func rowsOf[T any](rows []T, total int64) reader[T] {
	return func(_ context.Context, _ cohort.Page, to *api.Piece[T]) (int64, error) {
		to.Begin()
		for _, row := range rows {
			to.Add(row)
		}
		return total, nil
	}
}

func numberKey(n int) string { return strconv.Itoa(n) }

// listOf returns the response to a query on the list of the numbers from 1 to total.
func listOf(t testing.TB, query string, rows int) string {
	t.Helper()
	_, p, err := decodeQuery(queried(query), thingFilters)
	if err != nil {
		t.Fatal(err)
	}
	var page []int
	for n := 1; n <= rows; n++ {
		after, _ := strconv.Atoi(p.After)
		before, backwards := strconv.Atoi(p.Before)
		switch {
		case backwards == nil && n < before && n >= before-p.Size, p.After != "" && n > after && n <= after+p.Size,
			!p.byCursor() && n > int(p.Offset()) && n <= int(p.Offset())+p.Size:
			page = append(page, n)
		}
	}
	total := int64(rows)
	if p.byCursor() {
		total = 0 // pages by cursor are not counted
	}
	w := httptest.NewRecorder()
	if err := writeCollection(w, queried(query), p, rowsOf(page, total), func(n int) numbered { return numbered{n} }, numberKey); err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	return w.Body.String()
}

// The test compares whole responses. The cursors of 1, 2, 3, 4 and 5 are MQ, Mg, Mw, NA
// and NQ.
func TestCollections(t *testing.T) {
	for _, c := range []struct {
		query      string
		rows       int
		data, meta string
	}{
		{"", 0, ``, `"pagination":{"total":0,"count":0,"per_page":50,"current_page":1,"total_pages":0,"links":{"current":"?page=1&limit=50"}},` +
			`"cursor_pagination":{"count":0,"per_page":50,"start_cursor":"","end_cursor":"","links":{"current":"?limit=50"}}`},
		{"", 2, `{"id":1},{"id":2}`, `"pagination":{"total":2,"count":2,"per_page":50,"current_page":1,"total_pages":1,"links":{"current":"?page=1&limit=50"}},` +
			`"cursor_pagination":{"count":2,"per_page":50,"start_cursor":"MQ","end_cursor":"Mg","links":{"current":"?limit=50"}}`},
		{"limit=2", 5, `{"id":1},{"id":2}`, `"pagination":{"total":5,"count":2,"per_page":2,"current_page":1,"total_pages":3,` +
			`"links":{"current":"?page=1&limit=2","next":"?page=2&limit=2"}},` +
			`"cursor_pagination":{"count":2,"per_page":2,"start_cursor":"MQ","end_cursor":"Mg","links":{"current":"?limit=2","next":"?after=Mg&limit=2"}}`},
		{"limit=2", 2, `{"id":1},{"id":2}`, `"pagination":{"total":2,"count":2,"per_page":2,"current_page":1,"total_pages":1,"links":{"current":"?page=1&limit=2"}},` +
			`"cursor_pagination":{"count":2,"per_page":2,"start_cursor":"MQ","end_cursor":"Mg","links":{"current":"?limit=2"}}`},
		{"limit=999", 1, `{"id":1}`, `"pagination":{"total":1,"count":1,"per_page":250,"current_page":1,"total_pages":1,"links":{"current":"?page=1&limit=250"}},` +
			`"cursor_pagination":{"count":1,"per_page":250,"start_cursor":"MQ","end_cursor":"MQ","links":{"current":"?limit=250"}}`},
		{"page=1&limit=2", 5, `{"id":1},{"id":2}`, `"pagination":{"total":5,"count":2,"per_page":2,"current_page":1,"total_pages":3,` +
			`"links":{"current":"?page=1&limit=2","next":"?page=2&limit=2"}}`},
		{"limit=2&page=2", 5, `{"id":3},{"id":4}`, `"pagination":{"total":5,"count":2,"per_page":2,"current_page":2,"total_pages":3,` +
			`"links":{"previous":"?page=1&limit=2","current":"?page=2&limit=2","next":"?page=3&limit=2"}}`},
		{"limit=2&page=3", 5, `{"id":5}`, `"pagination":{"total":5,"count":1,"per_page":2,"current_page":3,"total_pages":3,` +
			`"links":{"previous":"?page=2&limit=2","current":"?page=3&limit=2"}}`},
		{"limit=2&page=9", 5, ``, `"pagination":{"total":5,"count":0,"per_page":2,"current_page":9,"total_pages":3,` +
			`"links":{"previous":"?page=8&limit=2","current":"?page=9&limit=2"}}`},
		{"after=Mg&limit=2", 5, `{"id":3},{"id":4}`, `"cursor_pagination":{"count":2,"per_page":2,"start_cursor":"Mw","end_cursor":"NA",` +
			`"links":{"previous":"?before=Mw&limit=2","current":"?after=Mg&limit=2","next":"?after=NA&limit=2"}}`},
		{"after=NA&limit=2", 5, `{"id":5}`, `"cursor_pagination":{"count":1,"per_page":2,"start_cursor":"NQ","end_cursor":"NQ",` +
			`"links":{"previous":"?before=NQ&limit=2","current":"?after=NA&limit=2"}}`},
		{"after=NQ&limit=2", 5, ``, `"cursor_pagination":{"count":0,"per_page":2,"start_cursor":"","end_cursor":"","links":{"current":"?after=NQ&limit=2"}}`},
		{"before=NA&limit=2", 5, `{"id":2},{"id":3}`, `"cursor_pagination":{"count":2,"per_page":2,"start_cursor":"Mg","end_cursor":"Mw",` +
			`"links":{"previous":"?before=Mg&limit=2","current":"?before=NA&limit=2","next":"?after=Mw&limit=2"}}`},
		{"before=Mg&limit=2", 5, `{"id":1}`, `"cursor_pagination":{"count":1,"per_page":2,"start_cursor":"MQ","end_cursor":"MQ",` +
			`"links":{"current":"?before=Mg&limit=2","next":"?after=MQ&limit=2"}}`},
		{"before=MQ&limit=2", 5, ``, `"cursor_pagination":{"count":0,"per_page":2,"start_cursor":"","end_cursor":"","links":{"current":"?before=MQ&limit=2"}}`},
		// Links have the filters, in their order and escaped.
		{"price:min=1&limit=1&name=a+%26%3D&page=1&id:in=1,2", 2, `{"id":1}`, `"pagination":{"total":2,"count":1,"per_page":1,"current_page":1,"total_pages":2,` +
			`"links":{"current":"?price%3Amin=1&name=a+%26%3D&id%3Ain=1%2C2&page=1&limit=1","next":"?price%3Amin=1&name=a+%26%3D&id%3Ain=1%2C2&page=2&limit=1"}}`},
	} {
		want := `{"data":[` + c.data + `],"meta":{` + c.meta + `}}`
		if got := listOf(t, c.query, c.rows); got != want {
			t.Errorf("%s of %d:\n%s\nwant\n%s", c.query, c.rows, got, want)
		}
	}
}

// collection is a response as a client decodes it.
type collection struct {
	Data []numbered `json:"data"`
	Meta struct {
		Pagination struct{ Links links }
		Cursors    struct{ Links links } `json:"cursor_pagination"`
	} `json:"meta"`
}

// A client that follows the links to the next page sees every row once. The links to the
// previous page lead back to the first row.
func TestLinksVisitEveryRow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows, size := rapid.IntRange(0, 30).Draw(rt, "rows"), rapid.IntRange(1, 8).Draw(rt, "size")
		for kind, linksOf := range map[string]func(collection) links{
			"number": func(s collection) links { return s.Meta.Pagination.Links },
			"cursor": func(s collection) links { return s.Meta.Cursors.Links },
		} {
			query, seen, pages := "name=x&limit="+strconv.Itoa(size), 0, 0
			var last collection
			for query != "" {
				s := parsed(t, listOf(t, query, rows))
				for _, n := range s.Data {
					if seen++; n.ID != seen {
						rt.Fatalf("by %s: row %d, want %d", kind, n.ID, seen)
					}
				}
				if pages++; pages > rows/size+2 {
					rt.Fatalf("by %s: the links do not end", kind)
				}
				if len(s.Data) > 0 {
					last = s
				}
				query = strings.TrimPrefix(linksOf(s).Next, "?")
			}
			if seen != rows {
				rt.Fatalf("by %s: %d rows of %d", kind, seen, rows)
			}
			for query = strings.TrimPrefix(linksOf(last).Previous, "?"); query != ""; {
				if values, err := url.ParseQuery(query); err != nil || values.Get("name") != "x" {
					rt.Fatalf("by %s: %q does not have the filter", kind, query)
				}
				last = parsed(t, listOf(t, query, rows))
				query = strings.TrimPrefix(linksOf(last).Previous, "?")
			}
			if rows > 0 && len(last.Data) > 0 && last.Data[0].ID != 1 {
				rt.Fatalf("by %s: the links to the previous page end at row %d", kind, last.Data[0].ID)
			}
		}
	})
}

func parsed(t testing.TB, body string) (s collection) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSingle(t *testing.T) {
	w := httptest.NewRecorder()
	if err := writeSingle(w, numbered{7}); err != nil || w.Code != 200 || w.Body.String() != `{"data":{"id":7},"meta":{}}` {
		t.Errorf("%d %s, error %v", w.Code, w.Body, err)
	}
}

// Amounts are numbers without trailing zeros and without an exponent, which some clients
// cannot parse.
func TestAmountEncoding(t *testing.T) {
	got, err := json.Marshal([]any{
		amount(decimal.New(107800, -4)), amount(decimal.New(1, 14)), amount(decimal.New(1, -4)), amount{},
		optionalAmount{}, optionalAmount(decimal.NewNullDecimal(decimal.New(50000, -4))), optionalAmount(decimal.NewNullDecimal(decimal.Decimal{})),
	})
	if want := `[10.78,100000000000000,0.0001,0,null,5,0]`; string(got) != want || err != nil {
		t.Errorf("%s, want %s, error %v", got, want, err)
	}
}

func TestDateEncoding(t *testing.T) {
	at := time.Date(2018, 4, 5, 18, 5, 12, 999_000_000, time.FixedZone("", 2*60*60))
	if got := dateText(at); got != "2018-04-05T16:05:12Z" {
		t.Errorf("got %s", got)
	}
}

// An empty collection is an empty array, not null.
func TestEmptyCollectionIsAnArray(t *testing.T) {
	w := httptest.NewRecorder()
	err := writeCollection(w, queried(""), paging{Page: cohort.Page{Number: 1, Size: 50}}, rowsOf[int](nil, 0), func(n int) numbered { return numbered{n} }, numberKey)
	if diff := cmp.Diff(collection{Data: []numbered{}}.Data, parsed(t, w.Body.String()).Data); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}
