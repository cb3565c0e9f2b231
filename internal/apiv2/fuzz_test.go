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

// FuzzDecodeGroup feeds bodies to what a create does with them. Whatever comes,
// the answer is the caller's group or the caller's fault; and a group that is
// accepted reads back from its own answer as itself.
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
			mustBeTheCallersFault(t, err)
			return
		}
		answer := appendGroup(nil, g)
		if want := encoded(t, groupToWire(g)); want != string(answer) {
			t.Fatalf("the answer is not that of encoding/json:\n%s\n%s", answer, want)
		}
		object, err := api.ParseObject(answer)
		if err != nil {
			t.Fatalf("%v in our own answer: %s", err, answer)
		}
		for _, name := range []string{"id", "date_created", "date_modified"} {
			object = object.Without(name)
		}
		var update cohort.GroupUpdate
		if err := decodeObject(object, &update, groupFields); err != nil {
			t.Fatalf("%v in our own answer: %s", err, answer)
		}
		if diff := cmp.Diff(g, update.Apply(cohort.Group{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("a group is not what its answer says (-group +answer):\n%s", diff)
		}
	})
}

// decodeGroup is a create up to the point where it would be stored.
func decodeGroup(body []byte) (cohort.Group, error) {
	update, err := decodeBody(&api.Request{Body: body}, groupFields, "name")
	if err != nil {
		return cohort.Group{}, err
	}
	g := update.Apply(cohort.Group{})
	return g, g.Validate()
}

// FuzzGroupQuery feeds queries to what a list does with them. Whatever comes,
// the page is one that can be, or the fault is the caller's; and neither the
// order of the parameters nor how they are escaped means anything.
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
			mustBeTheCallersFault(t, err)
			return
		}
		if page.Number < 1 || page.Size < 1 || page.Size > maxLimit || page.Offset() < 0 {
			t.Errorf("%q asks for page %+v", query, page)
		}
		sameFilter, samePage, err := decodeGroupQuery(rewritten(t, query))
		if err != nil {
			t.Fatalf("%q is refused in another order: %v", query, err)
		}
		if diff := cmp.Diff(filter, sameFilter); diff != "" {
			t.Errorf("%q in another order filters otherwise (-this +other):\n%s", query, diff)
		}
		if page != samePage {
			t.Errorf("%q asks for page %+v, in another order for %+v", query, page, samePage)
		}
	})
}

// rewritten is the query with its parameters the other way round and all that
// can be escaped escaped.
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

// mustBeTheCallersFault fails for errors that would be answered with a 5xx, or
// with a status that V2 does not have.
func mustBeTheCallersFault(t *testing.T, err error) {
	t.Helper()
	answer := httptest.NewRecorder()
	status := writeError(answer, err)
	if status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge {
		t.Errorf("%v is answered with %d %s", err, status, answer.Body)
	}
}
