package apiv2

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

const testStore = "abc"

// FuzzDecodeCustomer decodes and validates bodies of a create. Every error must be a
// client error. The response of an accepted customer must decode to the same customer.
func FuzzDecodeCustomer(f *testing.F) {
	for _, body := range []string{
		``,
		`{}`,
		`[{"first_name":"Jane"}]`,
		`{"first_name":"Jane","last_name":"Miller","email":"jane@example.com"}`,
		`{"first_name":"J","last_name":"M","email":"J.Ö+x@größe.example","store_credit":"12.5","customer_group_id":"7",
			"company":"<&>\u2028","phone":"+49","registration_ip_address":"2001:db8::17","notes":"a\nb","tax_exempt_category":"D",
			"reset_pass_on_login":true}`,
		`{"first_name":"J","last_name":"M","email":"\"j m\"@[192.0.2.1]","store_credit":1e15}`,
		`{"first_name":"J","last_name":"M","email":"J <j@example.com>","store_credit":-1e-64}`,
		`{"first_name":"J","last_name":"M","email":"j@example.com","_authentication":{"password":"p","password_confirmation":"p","force_reset":true}}`,
		`{"first_name":"J","last_name":"M","email":"j@example.com","_authentication":{"password_confirmation":"p"}}`,
		`{"first_name":"J","last_name":"M","email":"j@example.com","_authentication":[],"addresses":{}}`,
		`{"first_name":"\u0000","last_name":"\ud83d\ude00","email":"a@b","id":1}`,
	} {
		f.Add(body)
	}
	toWire := customerToWire(&api.Request{Request: httptest.NewRequest(http.MethodGet, "/", http.NoBody), Store: cohort.Store{Hash: testStore, Key: testStore}})
	f.Fuzz(func(t *testing.T, body string) {
		c, err := decodeCustomer(body)
		if err != nil {
			mustBeClientError(t, err)
			return
		}
		var again cohort.CustomerUpdate
		decodeResponse(t, toWire(cohort.CustomerDetail{Customer: c}), &again, customerFields)
		if diff := cmp.Diff(c, again.Apply(cohort.Customer{})); diff != "" {
			t.Errorf("the response differs from the customer (-customer +response):\n%s", diff)
		}
	})
}

// decodeCustomer does what a create does before it stores the customer.
func decodeCustomer(body string) (cohort.Customer, error) {
	update, err := decodeBody(&api.Request{Body: []byte(body)}, customerFields, "first_name", "last_name", "email")
	if err != nil {
		return cohort.Customer{}, err
	}
	if update.Password != nil {
		if err := cohort.ValidatePassword(*update.Password); err != nil {
			return cohort.Customer{}, err
		}
	}
	c := update.Apply(cohort.Customer{})
	return c, c.Validate()
}

// decodeResponse encodes a response and decodes it as a request, without the
// read-only fields.
func decodeResponse[T any](t *testing.T, response any, into *T, table api.Fields[T]) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := api.WriteJSON(w, http.StatusOK, response); err != nil {
		t.Fatal(err)
	}
	object, err := api.ParseObject(w.Body.Bytes())
	if err != nil {
		t.Fatalf("%v in the response %s", err, w.Body)
	}
	for name, set := range table {
		if set == nil {
			object = object.Without(name)
		}
	}
	if err := decodeObject(object, into, table); err != nil {
		t.Fatalf("%v in the response %s", err, w.Body)
	}
}

// FuzzCustomerQuery sends queries to the list and the count. Every error must be a
// client error. The list and the count of an accepted query must agree.
func FuzzCustomerQuery(f *testing.F) {
	for _, query := range []string{
		"",
		"&&=&",
		"page=2&limit=250",
		"page=9223372036854775807&limit=250",
		"limit=251",
		"first_name=Jane&last_name=Miller&company=&phone=%2B1&tax_exempt_category=D",
		"email=JANE%40EXAMPLE.COM&store_credit=5e0&customer_group_id=0",
		"store_credit=-0.00000000001",
		"store_credit=1e64",
		"customer_group_id=9223372036854775807",
		"min_id=1&max_id=9223372036854775807",
		"min_id=0",
		"min_date_created=Tue,%2013%20Nov%202012%2021:16:41%20%2B0000&max_date_created=2199-01-01",
		"min_date_modified=0000-01-01&max_date_modified=9999-12-31T23:59:59-23:59",
		"first_name=%00",
		"email=%ff",
		"colour=red",
	} {
		f.Add(query)
	}
	d := dbtest.Open(f, "sqlite:"+f.TempDir()+"/cohort.db")
	svc := service.New(d)
	mustCreateStore(f, svc)
	mustCreateCustomers(f, svc, 1)
	f.Fuzz(func(t *testing.T, query string) {
		r := &api.Request{Request: &http.Request{URL: &url.URL{RawQuery: query}}}
		filter, page, err := decodeQuery(r, customerFilters, defaultLimit)
		if err != nil {
			mustBeClientError(t, err)
			return
		}
		if page.Number < 1 || page.Size < 1 || page.Size > maxLimit || page.Offset() < 0 {
			t.Errorf("%q has page %+v", query, page)
		}
		n, err := svc.CountCustomers(t.Context(), testStore, filter)
		if err != nil {
			t.Fatalf("the count of %q: %v", query, err)
		}
		customers, err := svc.ListCustomers(t.Context(), testStore, filter, page)
		if err != nil {
			t.Fatalf("the list of %q: %v", query, err)
		}
		if page.Number == 1 && int64(len(customers)) != n {
			t.Errorf("%q lists %d customers and counts %d", query, len(customers), n)
		}
	})
}

// One call deletes at most 100 customers, whatever the filters and the limit.
func TestDeleteCustomersLimit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHandler(t, d)
		ids := mustCreateCustomers(t, h.svc, 120)
		for _, step := range []struct {
			query string
			left  []int64
		}{
			{"?limit=7", ids[7:]},
			{"?limit=250", ids[107:]},
			{"", nil},
			{"", nil},
		} {
			if w := call(h.deleteCustomers, http.MethodDelete, step.query, ""); w.Code != http.StatusNoContent {
				t.Fatalf("DELETE %s: %d %s", step.query, w.Code, w.Body)
			}
			customers, err := h.svc.ListCustomers(t.Context(), testStore, cohort.CustomerFilter{}, cohort.Page{Number: 1, Size: 250})
			if err != nil {
				t.Fatal(err)
			}
			var left []int64
			for _, c := range customers {
				left = append(left, c.ID)
			}
			if diff := cmp.Diff(step.left, left); diff != "" {
				t.Fatalf("after DELETE %q (-want +got):\n%s", step.query, diff)
			}
		}
		mustCreateCustomers(t, h.svc, 120)
		if w := call(h.deleteCustomers, http.MethodDelete, "", ""); w.Code != http.StatusNoContent {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if n, err := h.svc.CountCustomers(t.Context(), testStore, cohort.CustomerFilter{}); n != 20 || err != nil {
			t.Errorf("a delete without a limit leaves %d of 120 (%v), want 20", n, err)
		}
	})
}

// Responses show dates to the second, so a filter matches the whole second or the
// whole day.
func TestCustomerDates(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := time.Date(2012, 11, 3, 9, 6, 4, 999_000_000, time.FixedZone("", 2*60*60))
		h := newHandler(t, d, service.WithClock(func() time.Time { return now }))
		mustCreateCustomers(t, h.svc, 1)
		wantDates := func(created, modified string) {
			t.Helper()
			w := call(h.getCustomer, http.MethodGet, "", "")
			if want := fmt.Sprintf(`"date_created":%q,"date_modified":%q,`, created, modified); !strings.Contains(w.Body.String(), want) {
				t.Errorf("want %s, got %s", want, w.Body)
			}
		}
		const created, modified = "Sat, 03 Nov 2012 07:06:04 +0000", "Sun, 04 Nov 2012 07:06:04 +0000"
		wantDates(created, created)

		now = now.Add(24 * time.Hour)
		call(h.updateCustomer, http.MethodPut, "", `{}`)
		wantDates(created, created)
		call(h.updateCustomer, http.MethodPut, "", `{"notes":"Moved."}`)
		wantDates(created, modified)
		// date_modified does not go back when the clock does.
		now = now.Add(-time.Hour)
		call(h.updateCustomer, http.MethodPut, "", `{"notes":"Moved again."}`)
		wantDates(created, modified)

		for query, want := range map[string]string{
			"min_date_created=" + url.QueryEscape(created):             `{"count":1}`,
			"max_date_created=" + url.QueryEscape(created):             `{"count":1}`,
			"min_date_created=2012-11-03T07:06:05":                     `{"count":0}`,
			"max_date_created=2012-11-03T07:06:03":                     `{"count":0}`,
			"min_date_created=2012-11-03T09:06:04%2B02:00":             `{"count":1}`,
			"min_date_created=2012-11-03&max_date_created=2012-11-03":  `{"count":1}`,
			"min_date_created=2012-11-04":                              `{"count":0}`,
			"max_date_created=2012-11-02":                              `{"count":0}`,
			"min_date_modified=" + url.QueryEscape(modified):           `{"count":1}`,
			"max_date_modified=" + url.QueryEscape(modified):           `{"count":1}`,
			"min_date_modified=2012-11-04T07:06:05":                    `{"count":0}`,
			"max_date_modified=2012-11-03":                             `{"count":0}`,
			"max_date_created=2012-11-03&min_date_modified=2012-11-04": `{"count":1}`,
		} {
			if got := call(h.countCustomers, http.MethodGet, "?"+query, "").Body.String(); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	})
}

// newHandler returns the dialect's handlers for a service with testStore.
func newHandler(t *testing.T, d *db.DB, opts ...service.Option) *handler {
	t.Helper()
	svc := service.New(d, opts...)
	mustCreateStore(t, svc)
	return &handler{svc: svc, responses: newResponseCache(svc)}
}

// call sends a request for customer 1 to a handler, without the server.
func call(handle api.Handler, method, query, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/"+query, strings.NewReader(body))
	w := httptest.NewRecorder()
	request := &api.Request{Request: r, Body: []byte(body), Store: cohort.Store{Hash: testStore, Key: testStore}, IDs: api.IDs{{Name: "customer_id", Text: "1"}}}
	if err := handle(w, request); err != nil {
		writeError(w, err)
	}
	return w
}

func mustCreateStore(t testing.TB, svc *service.Service) {
	t.Helper()
	if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: testStore, Key: testStore}); err != nil {
		t.Fatal(err)
	}
}

// mustCreateCustomers creates customers with random emails and returns their ids.
func mustCreateCustomers(t testing.TB, svc *service.Service, n int) (ids []int64) {
	t.Helper()
	for range n {
		name, email := "Jane", strings.ToLower(rand.Text())+"@example.com"
		c, err := svc.CreateCustomer(t.Context(), testStore, cohort.CustomerUpdate{FirstName: &name, LastName: &name, Email: &email})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
	return ids
}
