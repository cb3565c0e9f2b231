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

// thing is a resource with a field of every type.
type thing struct {
	Name  *string
	On    *bool
	Group int64
	Above int64
	IDs   []int64
	Cost  decimal.Decimal
	Price decimal.NullDecimal
}

var thingFields = api.Fields[thing]{
	"id":     nil,
	"name":   api.Optional(func(t *thing) **string { return &t.Name }, readText[string]),
	"on":     api.Optional(func(t *thing) **bool { return &t.On }, texts.ReadBool),
	"group":  api.Plain(func(t *thing) *int64 { return &t.Group }, texts.ReadID),
	"above":  api.Plain(func(t *thing) *int64 { return &t.Above }, texts.ReadIDOrNone),
	"ids":    api.Plain(func(t *thing) *[]int64 { return &t.IDs }, readIDs),
	"cost":   api.Plain(func(t *thing) *decimal.Decimal { return &t.Cost }, texts.ReadAmount),
	"price":  price(func(t *thing) *decimal.NullDecimal { return &t.Price }),
	"broken": func(*thing, api.Value) error { return http.ErrBodyNotAllowed }, // an unclassified error
	"inner": func(t *thing, v api.Value) error {
		return decodeObject(v, t, api.Fields[thing]{"group": api.Plain(func(t *thing) *int64 { return &t.Group }, texts.ReadID)}, "group")
	},
	"list": func(_ *thing, v api.Value) error {
		values, _ := v.Array()
		_, err := decodeArray(values, api.Fields[thing]{"group": api.Plain(func(t *thing) *int64 { return &t.Group }, texts.ReadID)}, "group")
		return err
	},
}

// thingFilter has the filters of a list of things.
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

// written returns the response to an error.
func written(err error) (int, string, http.Header) {
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "REQUEST")
	status := writeError(w, err)
	if status != w.Code {
		return -1, "writeError returns a status other than the one it sends", nil
	}
	return status, w.Body.String(), w.Header()
}

// wantError compares the response to an error byte for byte. reasons is the content of
// the object "errors" in JSON.
func wantError(t *testing.T, what string, err error, status int, title, reasons string) {
	t.Helper()
	got, body, _ := written(err)
	want := `{"status":` + strconv.Itoa(status) + `,"title":"` + title +
		`","type":"https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes","errors":{` + reasons + `}}`
	if got != status || body != want {
		t.Errorf("%s: %d\n%s\nwant %d\n%s", what, got, body, status, want)
	}
}

func ptr[T any](v T) *T { return &v }
