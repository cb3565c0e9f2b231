package apiv3

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// thing is what the tests of this package read: a field of every sort.
type thing struct {
	Name  *string
	On    *bool
	Group int64
	Above int64
	IDs   []int64
	Cost  decimal.Decimal
	Price decimal.NullDecimal
}

var thingFields = fields[thing]{
	"id":     nil,
	"name":   optional(func(t *thing) **string { return &t.Name }, readText[string]),
	"on":     optional(func(t *thing) **bool { return &t.On }, readBool),
	"group":  plain(func(t *thing) *int64 { return &t.Group }, readID),
	"above":  plain(func(t *thing) *int64 { return &t.Above }, readIDOrNone),
	"ids":    plain(func(t *thing) *[]int64 { return &t.IDs }, readIDs),
	"cost":   plain(func(t *thing) *decimal.Decimal { return &t.Cost }, readAmount),
	"price":  price(func(t *thing) *decimal.NullDecimal { return &t.Price }),
	"broken": func(*thing, api.Value) error { return http.ErrBodyNotAllowed }, // an error that nobody classified
	"inner": func(t *thing, v api.Value) error {
		return decodeObject(v, t, fields[thing]{"group": plain(func(t *thing) *int64 { return &t.Group }, readID)}, "group")
	},
	"list": func(_ *thing, v api.Value) error {
		values, _ := v.Array()
		_, err := decodeArray(values, fields[thing]{"group": plain(func(t *thing) *int64 { return &t.Group }, readID)}, "group")
		return err
	},
}

// thingFilter is what its lists are filtered by.
type thingFilter struct {
	IDs   []int64
	Words []string
	Name  *string
	When  cohort.TimeRange
	Price cohort.AmountRange
}

var thingFilters = func() filters[thingFilter] {
	ids := func(f *thingFilter) *[]int64 { return &f.IDs }
	words := func(f *thingFilter) *[]string { return &f.Words }
	table := filters[thingFilter]{
		"id": oneIDFilter(ids), "id:in": idFilter(ids),
		"word": oneWordFilter(words), "word:in": wordFilter(words),
		"name": api.TextFilter(func(f *thingFilter) **string { return &f.Name }),
	}
	dateFilters(table, "when", func(f *thingFilter) *cohort.TimeRange { return &f.When })
	amountFilters(table, "price", func(f *thingFilter) *cohort.AmountRange { return &f.Price })
	return table
}()

func post(body string) *api.Request {
	return &api.Request{Body: []byte(body)}
}

func queried(query string) *api.Request {
	return &api.Request{Request: &http.Request{URL: &url.URL{RawQuery: query}}}
}

// written is the answer to an error: its status and body.
func written(err error) (int, string, http.Header) {
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "REQUEST")
	status := writeError(w, err)
	if status != w.Code {
		return -1, "writeError returns another status than it writes", nil
	}
	return status, w.Body.String(), w.Header()
}

// wantAnswer fails unless an error is answered so, byte for byte. places is what
// the errors are, in JSON without braces.
func wantAnswer(t *testing.T, what string, err error, status int, title, places string) {
	t.Helper()
	got, body, _ := written(err)
	want := `{"status":` + strconv.Itoa(status) + `,"title":"` + title +
		`","type":"https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes","errors":{` + places + `}}`
	if got != status || body != want {
		t.Errorf("%s: %d\n%s\nwant %d\n%s", what, got, body, status, want)
	}
}

func ptr[T any](v T) *T { return &v }
