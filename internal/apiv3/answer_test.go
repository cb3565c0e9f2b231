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

// numbered is a thing of a list, by its id.
type numbered struct {
	ID int `json:"id"`
}

// handOn is the reader of a list that is in memory.
func handOn[T any](rows []T, total int64) reader[T] {
	return func(_ context.Context, _ cohort.Page, to *api.Piece[T]) (int64, error) {
		to.Begin()
		for _, row := range rows {
			to.Add(row)
		}
		return total, nil
	}
}

func numberKey(n int) string { return strconv.Itoa(n) }

// listOf answers a query with a page of the numbers from 1 to most.
func listOf(t testing.TB, query string, most int) string {
	t.Helper()
	_, p, err := decodeQuery(queried(query), thingFilters)
	if err != nil {
		t.Fatal(err)
	}
	var page []int
	for n := 1; n <= most; n++ {
		after, _ := strconv.Atoi(p.After)
		before, backwards := strconv.Atoi(p.Before)
		switch {
		case backwards == nil && n < before && n >= before-p.Size, p.After != "" && n > after && n <= after+p.Size,
			!p.byCursor() && n > int(p.Offset()) && n <= int(p.Offset())+p.Size:
			page = append(page, n)
		}
	}
	total := int64(most)
	if p.byCursor() {
		total = 0 // is not counted
	}
	w := httptest.NewRecorder()
	if err := writeCollection(w, queried(query), p, handOn(page, total), func(n int) numbered { return numbered{n} }, numberKey); err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	return w.Body.String()
}

// TestCollections: the answers to lists, byte for byte. The cursors of 1, 2, 3, 4
// and 5 are MQ, Mg, Mw, NA and NQ.
func TestCollections(t *testing.T) {
	for _, c := range []struct {
		query      string
		most       int
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
		// Links keep the filters, in their order and escaped.
		{"price:min=1&limit=1&name=a+%26%3D&page=1&id:in=1,2", 2, `{"id":1}`, `"pagination":{"total":2,"count":1,"per_page":1,"current_page":1,"total_pages":2,` +
			`"links":{"current":"?price%3Amin=1&name=a+%26%3D&id%3Ain=1%2C2&page=1&limit=1","next":"?price%3Amin=1&name=a+%26%3D&id%3Ain=1%2C2&page=2&limit=1"}}`},
	} {
		want := `{"data":[` + c.data + `],"meta":{` + c.meta + `}}`
		if got := listOf(t, c.query, c.most); got != want {
			t.Errorf("%s of %d:\n%s\nwant\n%s", c.query, c.most, got, want)
		}
	}
}

// shown is what a client reads of an answer.
type shown struct {
	Data []numbered `json:"data"`
	Meta struct {
		Pagination struct{ Links links }
		Cursors    struct{ Links links } `json:"cursor_pagination"`
	} `json:"meta"`
}

// Whoever follows the links, of either kind, meets everything once and comes to
// an end, and back.
func TestLinksLeadThroughAList(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		most, size := rapid.IntRange(0, 30).Draw(rt, "most"), rapid.IntRange(1, 8).Draw(rt, "size")
		for kind, linksOf := range map[string]func(shown) links{
			"number": func(s shown) links { return s.Meta.Pagination.Links },
			"cursor": func(s shown) links { return s.Meta.Cursors.Links },
		} {
			query, met, visited := "name=x&limit="+strconv.Itoa(size), 0, 0
			var last shown
			for query != "" {
				s := parsed(t, listOf(t, query, most))
				for _, n := range s.Data {
					if met++; n.ID != met {
						rt.Fatalf("by %s: %d comes where %d should", kind, n.ID, met)
					}
				}
				if visited++; visited > most/size+2 {
					rt.Fatalf("by %s: it does not end", kind)
				}
				if len(s.Data) > 0 {
					last = s
				}
				query = strings.TrimPrefix(linksOf(s).Next, "?")
			}
			if met != most {
				rt.Fatalf("by %s: %d of %d", kind, met, most)
			}
			for query = strings.TrimPrefix(linksOf(last).Previous, "?"); query != ""; {
				if values, err := url.ParseQuery(query); err != nil || values.Get("name") != "x" {
					rt.Fatalf("by %s: %q has lost the filter", kind, query)
				}
				last = parsed(t, listOf(t, query, most))
				query = strings.TrimPrefix(linksOf(last).Previous, "?")
			}
			if most > 0 && len(last.Data) > 0 && last.Data[0].ID != 1 {
				rt.Fatalf("by %s: the way back ends at %d", kind, last.Data[0].ID)
			}
		}
	})
}

func parsed(t testing.TB, body string) (s shown) {
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

// Amounts are numbers with as many decimals as they need, and never in powers of
// ten, which some clients do not read.
func TestAmountsOnTheWire(t *testing.T) {
	got, err := json.Marshal([]any{
		amount(decimal.New(107800, -4)), amount(decimal.New(1, 14)), amount(decimal.New(1, -4)), amount{},
		optionalAmount{}, optionalAmount(decimal.NewNullDecimal(decimal.New(50000, -4))), optionalAmount(decimal.NewNullDecimal(decimal.Decimal{})),
	})
	if want := `[10.78,100000000000000,0.0001,0,null,5,0]`; string(got) != want || err != nil {
		t.Errorf("%s, want %s, error %v", got, want, err)
	}
}

func TestDatesOnTheWire(t *testing.T) {
	at := time.Date(2018, 4, 5, 18, 5, 12, 999_000_000, time.FixedZone("", 2*60*60))
	if got := dateText(at); got != "2018-04-05T16:05:12Z" {
		t.Errorf("got %s", got)
	}
}

// What nothing was read from is an empty array, never null.
func TestEmptyCollectionIsAnArray(t *testing.T) {
	w := httptest.NewRecorder()
	err := writeCollection(w, queried(""), paging{Page: cohort.Page{Number: 1, Size: 50}}, handOn[int](nil, 0), func(n int) numbered { return numbered{n} }, numberKey)
	if diff := cmp.Diff(shown{Data: []numbered{}}.Data, parsed(t, w.Body.String()).Data); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}
