package apiv3

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// thingOrder lists things by a text if the filter has one, else by id.
func thingOrder(f thingFilter) listOrder {
	if f.Name != nil {
		return orderByText("name:" + *f.Name)
	}
	return orderByID
}

// std returns a text in base64.
func std(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestCursorPages(t *testing.T) {
	for query, want := range map[string]cohort.Page{
		"":                                  {Number: 1, Size: 50},
		"page=3&limit=7":                    {Number: 3, Size: 7},
		"limit=251":                         {Number: 1, Size: 250},
		"after=aWQ6Nw==":                    {Number: 1, Size: 50, After: "7"},
		"after=aWQ6Nw%3D%3D&page=2":         {Number: 1, Size: 50, After: "7"},
		"before=aWQ6Nw&limit=2&page=broken": {Number: 1, Size: 2, Before: "7"},
		"name=x&after=" + url.QueryEscape(std("name:x:a/b:c/7")): {Number: 1, Size: 50, After: "a/b:c/7"},
		"name=x&after=" + std("name:x:~~>/7"):                    {Number: 1, Size: 50, After: "~~>/7"}, // a "+" that is not escaped
		"name=x&after=" + url.QueryEscape(std("name:x:/7")):      {Number: 1, Size: 50, After: "/7"},
	} {
		_, page, err := decodeCursorQuery(queried(query), thingFilters, thingOrder)
		if diff := cmp.Diff(want, page.Page); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", query, err, diff)
		}
	}
}

func TestCursorQueryRejects(t *testing.T) {
	const (
		count  = `"The value must be a whole number from 1."`
		noSuch = `"The value is not a cursor of this list in this order."`
	)
	unknown := func(names string) string {
		return "The filter(s): " + names + " are not valid filter parameter(s)."
	}
	for _, c := range []struct{ query, title, reasons string }{
		{"colour=red", unknown("colour"), ""},
		{"a=1&b=2&page=0", unknown("a, b"), ""},
		{"&page=2", unknown(""), ""},
		{"&", unknown(""), ""},
		{"&a=1", unknown(", a"), ""},
		{"page=0", titleInvalid, `"page":` + count},
		{"limit=x&page=", titleInvalid, `"limit":` + count + `,"page":` + count},
		{"after=", titleInvalid, `"after":` + noSuch},
		{"after=Nw", titleInvalid, `"after":` + noSuch}, // a cursor of another V3 list
		{"after=%2A%2A%2A&before=Nw", titleInvalid, `"after":` + noSuch + `,"before":"Only one of before and after can be given."`},
		{"after=aWQ6Nw&before=aWQ6Nw", titleInvalid, `"before":"Only one of before and after can be given."`},
		{"after=" + std("id:x"), titleInvalid, `"after":` + noSuch},
		{"after=" + std("id:+7"), titleInvalid, `"after":` + noSuch},
		{"after=" + std("id:7/8"), titleInvalid, `"after":` + noSuch},
		{"after=" + std("id:9223372036854775808"), titleInvalid, `"after":` + noSuch},
		{"after=" + std("name:x:a/7"), titleInvalid, `"after":` + noSuch},
		{"name=x&after=" + std("id:7"), titleInvalid, `"after":` + noSuch},
		{"name=x&after=" + std("name:y:a/7"), titleInvalid, `"after":` + noSuch},
		{"name=x&after=" + std("name:x:a"), titleInvalid, `"after":` + noSuch},
		{"name=x&before=" + url.QueryEscape(std("name:x:a\x00/7")), titleInvalid, `"before":` + noSuch},
		{"name=x&before=" + url.QueryEscape(std("name:x:\xff/7")), titleInvalid, `"before":` + noSuch},
		{"id:in=x&page=0", titleInvalid, `"id:in":"The value must be an id, or several with commas between them.","page":` + count},
	} {
		_, _, err := decodeCursorQuery(queried(c.query), thingFilters, thingOrder)
		wantError(t, c.query, err, 422, c.title, c.reasons)
	}
}

func TestCursorMeta(t *testing.T) {
	const first, last = "aWQ6Mw==", "aWQ6NA==" // 3 and 4
	for _, c := range []struct {
		name, query string
		extent      api.Extent
		want        string
	}{
		{"the first page of two", "limit=2&id:in=3,4,5", api.Extent{Count: 2, First: "3", Last: "4", Total: 3},
			`{"pagination":{"total":3,"count":2,"per_page":2,"current_page":1,"total_pages":2,"links":{"current":"?page=1&limit=2&id%3Ain=3%2C4%2C5","next":"?page=2&limit=2&id%3Ain=3%2C4%2C5"}},` +
				`"cursor_pagination":{"count":2,"per_page":2,"start_cursor":"` + first + `","end_cursor":"` + last + `","links":{"current":"?page=1&limit=2&id%3Ain=3%2C4%2C5","next":"?page=1&after=aWQ6NA%3D%3D&limit=2&id%3Ain=3%2C4%2C5"}}}`},
		{"the only page", "page=1", api.Extent{Count: 2, First: "3", Last: "4", Total: 2},
			`{"pagination":{"total":2,"count":2,"per_page":50,"current_page":1,"total_pages":1,"links":{"current":"?page=1&limit=50"}},` +
				`"cursor_pagination":{"count":2,"per_page":50,"start_cursor":"` + first + `","end_cursor":"` + last + `","links":{"current":"?page=1"}}}`},
		{"nothing", "", api.Extent{},
			`{"pagination":{"total":0,"count":0,"per_page":50,"current_page":1,"total_pages":0,"links":{"current":"?page=1&limit=50"}},` +
				`"cursor_pagination":{"count":0,"per_page":50,"start_cursor":"","end_cursor":"","links":{"current":"?page=1"}}}`},
		{"a later page", "page=2&limit=2", api.Extent{Count: 2, First: "3", Last: "4", Total: 5},
			`{"pagination":{"total":5,"count":2,"per_page":2,"current_page":2,"total_pages":3,"links":{"previous":"?page=1&limit=2","current":"?page=2&limit=2","next":"?page=3&limit=2"}}}`},
		{"after a cursor", "after=aWQ6MQ==&limit=2", api.Extent{Count: 2, First: "3", Last: "4", Total: 3},
			`{"cursor_pagination":{"count":2,"per_page":2,"start_cursor":"` + first + `","end_cursor":"` + last + `","links":{"previous":"?page=1&before=aWQ6Mw%3D%3D&limit=2","current":"?page=1&after=aWQ6MQ%3D%3D&limit=2","next":"?page=1&after=aWQ6NA%3D%3D&limit=2"}}}`},
		{"after a cursor, the last page, full", "after=aWQ6MQ==&limit=2", api.Extent{Count: 2, First: "3", Last: "4", Total: 2},
			`{"cursor_pagination":{"count":2,"per_page":2,"start_cursor":"` + first + `","end_cursor":"` + last + `","links":{"previous":"?page=1&before=aWQ6Mw%3D%3D&limit=2","current":"?page=1&after=aWQ6MQ%3D%3D&limit=2"}}}`},
		{"after a cursor, without a look ahead", "after=aWQ6MQ==&limit=2", api.Extent{Count: 2, First: "3", Last: "4"},
			`{"cursor_pagination":{"count":2,"per_page":2,"start_cursor":"` + first + `","end_cursor":"` + last + `","links":{"previous":"?page=1&before=aWQ6Mw%3D%3D&limit=2","current":"?page=1&after=aWQ6MQ%3D%3D&limit=2","next":"?page=1&after=aWQ6NA%3D%3D&limit=2"}}}`},
		{"before a cursor, the first page", "before=aWQ6OQ==", api.Extent{Count: 2, First: "3", Last: "4", Total: 2},
			`{"cursor_pagination":{"count":2,"per_page":50,"start_cursor":"` + first + `","end_cursor":"` + last + `","links":{"current":"?page=1&before=aWQ6OQ%3D%3D","next":"?page=1&after=aWQ6NA%3D%3D"}}}`},
		{"before a cursor, in the middle", "before=aWQ6OQ==&limit=2", api.Extent{Count: 2, First: "3", Last: "4", Total: 3},
			`{"cursor_pagination":{"count":2,"per_page":2,"start_cursor":"` + first + `","end_cursor":"` + last + `","links":{"previous":"?page=1&before=aWQ6Mw%3D%3D&limit=2","current":"?page=1&before=aWQ6OQ%3D%3D&limit=2","next":"?page=1&after=aWQ6NA%3D%3D&limit=2"}}}`},
		{"after the last row", "after=aWQ6OQ==", api.Extent{},
			`{"cursor_pagination":{"count":0,"per_page":50,"start_cursor":"","end_cursor":"","links":{"current":"?page=1&after=aWQ6OQ%3D%3D"}}}`},
	} {
		_, page, err := decodeCursorQuery(queried(c.query), thingFilters, thingOrder)
		if err != nil {
			t.Fatal(err)
		}
		got, err := api.AppendJSON(nil, page.meta(c.extent))
		if diff := cmp.Diff(c.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

// FuzzCursorQuery decodes queries. Every error must be a client error, every page valid,
// and every link of a page must have the same filters and be a valid query.
func FuzzCursorQuery(f *testing.F) {
	for _, query := range []string{
		"", "&", "?", "page=2&limit=250", "after=aWQ6Nw==", "before=aWQ6Nw&limit=1", "name=x&after=" + std("name:x:é/7"), "after=bmFtZTphOmIvNw",
		"id:in=1,2&id=3&page=9223372036854775808", "when:min=2018-04-05&price=1", "name=%26%3D+%E6%97%A5&before=eA", "after=aWQ6Nw&before=aWQ6Nw", "colour=1",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		filter, page, err := decodeCursorQuery(queried(query), thingFilters, thingOrder)
		if err != nil {
			mustBeClientError(t, query, err)
			return
		}
		if page.Number < 1 || page.Size < 1 || page.Size > maxLimit || page.Offset() < 0 || page.After != "" && page.Before != "" {
			t.Errorf("%q has page %+v", query, page.Page)
		}
		for _, key := range []string{page.After, page.Before} {
			if again, err := page.order.readCursor(page.order.cursor(key)); key != "" && (again != key || err != nil) {
				t.Errorf("the cursor of %q decodes to %q, error %v", key, again, err)
			}
		}
		key := "7"
		if filter.Name != nil {
			key = "/7"
		}
		meta, err := json.Marshal(page.meta(api.Extent{Count: 1, First: key, Last: key, Total: 2}))
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Pagination *pagination       `json:"pagination"`
			Cursors    *cursorPagination `json:"cursor_pagination"`
		}
		if err := json.Unmarshal(meta, &m); err != nil {
			t.Fatal(err)
		}
		var all []links
		if m.Pagination != nil {
			all = append(all, m.Pagination.Links)
		}
		if m.Cursors != nil {
			all = append(all, m.Cursors.Links)
		}
		for _, l := range all {
			for _, link := range []string{l.Previous, l.Current, l.Next} {
				if link == "" {
					continue
				}
				same, other, err := decodeCursorQuery(queried(strings.TrimPrefix(link, "?")), thingFilters, thingOrder)
				if diff := cmp.Diff(filter, same, cmpopts.EquateEmpty()); diff != "" || err != nil || other.Size != page.Size {
					t.Errorf("the link %s of %q: error %v, size %d (-query +link):\n%s", link, query, err, other.Size, diff)
				}
			}
		}
	})
}
