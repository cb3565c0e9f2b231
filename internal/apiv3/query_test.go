package apiv3

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

func amountOf(text string) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.RequireFromString(text))
}

func TestFilters(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2018, 4, n, 0, 0, 0, 0, time.UTC) }
	for query, want := range map[string]thingFilter{
		"":                              {},
		"id=7":                          {IDs: []int64{7}},
		"id:in=7":                       {IDs: []int64{7}},
		"id%3Ain=7%2C8,9":               {IDs: []int64{7, 8, 9}},
		"id:in=7,+8,0":                  {IDs: []int64{7, 8, 0}},
		"id=7&id:in=8,7":                {IDs: []int64{7}},
		"id=7&id:in=8":                  {IDs: []int64{}},
		"word=a,b":                      {Words: []string{"a,b"}},
		"word:in=a,b":                   {Words: []string{"a", "b"}},
		"name=a+b%26c":                  {Name: ptr("a b&c")},
		"name=":                         {Name: ptr("")},
		"when=2018-04-05":               {When: cohort.TimeRange{From: day(5), Until: day(6)}},
		"when:min=2018-04-05":           {When: cohort.TimeRange{From: day(5)}},
		"when:max=2018-04-05":           {When: cohort.TimeRange{Until: day(6)}},
		"when:min=2018-04-05T00:00:00Z": {When: cohort.TimeRange{From: day(5)}},
		"when:min=2018-04-05&when:max=2018-04-07&when=2018-04-06": {When: cohort.TimeRange{From: day(6), Until: day(7)}},
		"price=5":                         {Price: cohort.AmountRange{Min: amountOf("5"), Max: amountOf("5")}},
		"price:min=-1&price:max=9.99995":  {Price: cohort.AmountRange{Min: amountOf("-1"), Max: amountOf("9.99995")}},
		"price=5&price:min=6&price:max=7": {Price: cohort.AmountRange{Min: amountOf("6"), Max: amountOf("5")}},
	} {
		filter, page, err := decodeQuery(queried(query), thingFilters)
		if diff := cmp.Diff(want, filter); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", query, err, diff)
		}
		if diff := cmp.Diff(cohort.Page{Number: 1, Size: 50}, page.Page); diff != "" {
			t.Errorf("%s: the page (-want +got):\n%s", query, diff)
		}
	}
}

func TestPages(t *testing.T) {
	const seven, pair = "Nw", "Ny9VU0Q" // cursors of the keys 7 and 7/USD
	for query, want := range map[string]paging{
		"page=1":                      {Page: cohort.Page{Number: 1, Size: 50}, byNumber: true},
		"page=3&limit=7":              {Page: cohort.Page{Number: 3, Size: 7}, byNumber: true},
		"limit=250":                   {Page: cohort.Page{Number: 1, Size: 250}},
		"limit=251":                   {Page: cohort.Page{Number: 1, Size: 250}},
		"limit=99999999999999999999":  {Page: cohort.Page{Number: 1, Size: 250}},
		"page=99999999999999999999":   {Page: cohort.Page{Number: 1<<63 - 1, Size: 50}, byNumber: true},
		"page=1&page=2":               {Page: cohort.Page{Number: 2, Size: 50}, byNumber: true},
		"after=" + seven:              {Page: cohort.Page{Number: 1, Size: 50, After: "7"}},
		"before=" + pair + "&limit=2": {Page: cohort.Page{Number: 1, Size: 2, Before: "7/USD"}},
	} {
		_, page, err := decodeQuery(queried(query), thingFilters)
		if diff := cmp.Diff(want, page, cmp.AllowUnexported(paging{}), cmpopts.IgnoreFields(paging{}, "query")); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", query, err, diff)
		}
	}
	for _, key := range []string{"7", "7/USD", "-1", "\x00\xff", "é/日"} {
		if got, err := readCursor(cursor(key)); got != key || err != nil || url.QueryEscape(cursor(key)) != cursor(key) {
			t.Errorf("the cursor of %q is %q and decodes to %q, error %v", key, cursor(key), got, err)
		}
	}
}

func TestQueryRejects(t *testing.T) {
	const (
		count  = `"The value must be a whole number from 1."`
		noID   = `"The value must be an id, or several with commas between them."`
		number = `"The value must be a number."`
		date   = `"The value must be a date in ISO 8601 or RFC 2822."`
		noSuch = `"The value is not a cursor of this list."`
		one    = `"page":"Only one of page, before and after can be given."`
		broken = "The query string is not valid: it has an escape that cannot be read, text that is not UTF-8, or a zero character."
	)
	unknown := func(names string) string {
		return "The filter(s): " + names + " are not valid filter parameter(s)."
	}
	for _, c := range []struct{ query, title, reasons string }{
		{"colour=red", unknown("colour"), ""},
		{"y=1&name=a&x=2&y=3", unknown("y, x"), ""},
		{"id%3Alike=7", unknown("id:like"), ""},
		{"ID=7&Page=1", unknown("ID, Page"), ""},
		{"colour=red&page=0&id=x", unknown("colour"), ""}, // unknown parameters come before invalid values
		{"=7", unknown(""), ""},
		{"page=0", titleInvalid, `"page":` + count},
		{"page=-1&limit=x", titleInvalid, `"limit":` + count + `,"page":` + count},
		{"page=", titleInvalid, `"page":` + count},
		{"limit=0&id:in=7,x&price=1,5&price:min=&when=yesterday", titleInvalid,
			`"id:in":` + noID + `,"limit":` + count + `,"price":` + number + `,"price:min":` + number + `,"when":` + date},
		{"id=7,8&id:in=", titleInvalid, `"id":"The value must be an id.","id:in":` + noID},
		{"id:in=-1", titleInvalid, `"id:in":` + noID},
		{"id:in=9223372036854775808", titleInvalid, `"id:in":` + noID},
		{"id:in=" + strings.Repeat("1,", 1000) + "1", titleInvalid, `"id:in":"The list has too many values."`},
		{"after=&before=Nw%3D%3D", titleInvalid, `"after":` + noSuch + `,"before":` + noSuch},
		{"after=N", titleInvalid, `"after":` + noSuch},
		{"after=%2B%2F%2B%2F", titleInvalid, `"after":` + noSuch},
		{"after=Nw&before=Nw", titleInvalid, one},
		{"after=Nw&page=1", titleInvalid, one},
		{"page=2&before=Nw", titleInvalid, one},
		{"name=%zz", broken, ""},
		{"name=%ff", broken, ""},
		{"name=%00", broken, ""},
	} {
		_, _, err := decodeQuery(queried(c.query), thingFilters)
		wantError(t, c.query, err, 422, c.title, c.reasons)
	}
	if _, _, err := decodeQuery(queried("id:in="+strings.Repeat("1,", 999)+"1"), thingFilters); err != nil {
		t.Errorf("a list of 1000 values: %v", err)
	}
}

func TestDeletionRequiresFilter(t *testing.T) {
	const empty = `"The value must not be empty."`
	for _, c := range []struct{ query, title, reasons string }{
		{"", "A filter must say what to delete.", ""},
		{"&&", "A filter must say what to delete.", ""},
		{"id:in=", titleInvalid, `"id:in":` + empty},
		{"name=&id=7", titleInvalid, `"name":` + empty},
		{"id:in=7,", titleInvalid, `"id:in":"The value must be an id, or several with commas between them."`},
		{"limit=5", "The filter(s): limit are not valid filter parameter(s).", ""},
		{"id=7&colour=", "The filter(s): colour are not valid filter parameter(s).", ""},
		{"name=%zz", "The query string is not valid: it has an escape that cannot be read, text that is not UTF-8, or a zero character.", ""},
	} {
		_, err := decodeDeletion(queried(c.query), thingFilters)
		wantError(t, c.query, err, 422, c.title, c.reasons)
	}
	filter, err := decodeDeletion(queried("id:in=7,8&id=8"), thingFilters)
	if diff := cmp.Diff(thingFilter{IDs: []int64{8}}, filter); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// FuzzQuery decodes queries of a list. Every error must be a client error, and every page
// must be valid. The order of the parameters must not change the result, and the links of
// the page must have the same filters.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"", "&&=&", "page=2&limit=250", "page=9223372036854775808", "after=Nw", "before=Ny9VU0Q&limit=1", "id=7&id:in=7,8", "id:in=1,2&id=3",
		"price=5&price:min=6&price:max=4", "when:min=2018-04-05&when=2018-04-06T00:00:00%2B02:00", "word=a,b&word:in=a,b,c&name=%26%3D+%E6%97%A5", "colour=1", "name=%zz",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		filter, page, err := decodeQuery(queried(query), thingFilters)
		if err != nil {
			mustBeClientError(t, query, err)
			return
		}
		if page.Number < 1 || page.Size < 1 || page.Size > maxLimit || page.Offset() < 0 {
			t.Errorf("%q has page %+v", query, page.Page)
		}
		for _, other := range []string{reversed(t, query), strings.TrimPrefix(page.link("page", "3"), "?")} {
			same, _, err := decodeQuery(queried(other), thingFilters)
			for _, f := range []*thingFilter{&filter, &same} { // the order of values in a list does not matter
				f.IDs, f.Words = distinct(f.IDs), distinct(f.Words)
			}
			if diff := cmp.Diff(filter, same); diff != "" || err != nil {
				t.Errorf("%q and %q have different filters: error %v (-first +second):\n%s", query, other, err, diff)
			}
		}
	})
}

func distinct[V interface{ ~int64 | ~string }](list []V) []V {
	if list == nil {
		return nil
	}
	return append([]V{}, slices.Compact(slices.Sorted(slices.Values(list)))...) // an empty list must not become nil, which means no filter
}

func reversed(t *testing.T, query string) string {
	params, err := api.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for _, p := range slices.Backward(params) {
		pairs = append(pairs, fmt.Sprint(url.QueryEscape(p.Name), "=", url.QueryEscape(p.Value)))
	}
	return strings.Join(pairs, "&")
}
