package apiv2

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzDecodeGroup decodes and validates bodies of a create. Every error must be a
// client error. The response of an accepted group must decode to the same group.
func FuzzDecodeGroup(f *testing.F) {
	for _, body := range []string{
		``,
		`{}`,
		`[{"name":"x"}]`,
		`{"name":" Wholesale ","is_default":true,"is_group_for_guests":false}`,
		`{"name":"x","category_access":{"type":"specific","categories":[18,"19",18]}}`,
		`{"name":"x","category_access":{"type":"none","categories":"junk"}}`,
		`{"name":"x","category_access":{"type":""}}`,
		`{"name":"x","discount_rules":[{"type":"price_list","price_list_id":"3"}]}`,
		`{"name":"x","discount_rules":[{"type":"all","method":"percent","amount":5},
			{"type":"category","category_id":18,"method":"price","amount":"2.50"},
			{"type":"product","product_id":9223372036854775807,"method":"fixed","amount":1e-4}]}`,
		`{"name":"x","discount_rules":[{"type":"all","method":"price","amount":1e64}]}`,
		`{"name":"\u0000\ud83d\ude00<&>\u2028","id":1}`,
		`{"name":"a","name":null,"colour":{}}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		g, err := decodeGroup([]byte(body))
		if err != nil {
			mustBeClientError(t, err)
			return
		}
		response := appendGroup(nil, g)
		if want := encoded(t, groupToWire(g)); want != string(response) {
			t.Fatalf("the response differs from encoding/json:\n%s\n%s", response, want)
		}
		object, err := api.ParseObject(response)
		if err != nil {
			t.Fatalf("%v in the response %s", err, response)
		}
		for _, name := range []string{"id", "date_created", "date_modified"} {
			object = object.Without(name)
		}
		var update cohort.GroupUpdate
		if err := decodeObject(object, &update, groupFields); err != nil {
			t.Fatalf("%v in the response %s", err, response)
		}
		if diff := cmp.Diff(g, update.Apply(cohort.Group{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the response differs from the group (-group +response):\n%s", diff)
		}
	})
}

// decodeGroup does what a create does before it stores the group.
func decodeGroup(body []byte) (cohort.Group, error) {
	update, err := decodeBody(&api.Request{Body: body}, groupFields, "name")
	if err != nil {
		return cohort.Group{}, err
	}
	g := update.Apply(cohort.Group{})
	return g, g.Validate()
}

// FuzzGroupQuery decodes queries of a list. Every error must be a client error, and
// every page must be valid. The order of the parameters and their escaping must not
// change the result.
func FuzzGroupQuery(f *testing.F) {
	for _, query := range []string{
		"",
		"&&=&",
		"page=2&limit=250",
		"page=9223372036854775807&limit=250",
		"limit=251",
		"name=a&name%3Alike=b+c&is_default=1&is_group_for_guests=false",
		"date_created:min=2018-09-05&date_created:max=2018-09-05T13:43:54%2B02:00&date_created=2018-09-05",
		"date_modified=Wed%2C%2005%20Sep%202018%2013:43:54%20%2B0000",
		"date_modified:max=0000-01-01&date_modified:min=9999-12-31T23:59:59-23:59",
		"name=%zz",
		"name=%ff",
		"colour=red",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		filter, page, err := decodeGroupQuery(query)
		if err != nil {
			mustBeClientError(t, err)
			return
		}
		if page.Number < 1 || page.Size < 1 || page.Size > maxLimit || page.Offset() < 0 {
			t.Errorf("%q has page %+v", query, page)
		}
		sameFilter, samePage, err := decodeGroupQuery(rewritten(t, query))
		if err != nil {
			t.Fatalf("%q is rejected in another order: %v", query, err)
		}
		if diff := cmp.Diff(filter, sameFilter); diff != "" {
			t.Errorf("%q in another order has other filters (-original +reordered):\n%s", query, diff)
		}
		if page != samePage {
			t.Errorf("%q has page %+v, in another order %+v", query, page, samePage)
		}
	})
}

// rewritten returns the query with its parameters in reverse order and escaped.
func rewritten(t *testing.T, query string) string {
	params, err := api.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for _, p := range slices.Backward(params) {
		pairs = append(pairs, url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
	}
	return strings.Join(pairs, "&")
}

func decodeGroupQuery(query string) (cohort.GroupFilter, cohort.Page, error) {
	r := &api.Request{Request: &http.Request{URL: &url.URL{RawQuery: query}}}
	return decodeQuery(r, groupFilters, defaultLimit)
}

// mustBeClientError fails unless the response to an error is 400 or 413.
func mustBeClientError(t *testing.T, err error) {
	t.Helper()
	w := httptest.NewRecorder()
	status := writeError(w, err)
	if status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge {
		t.Errorf("the response to %v is %d %s", err, status, w.Body)
	}
}
