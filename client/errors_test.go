package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The bodies have the shapes of recorded responses, with texts of our own.
func TestErrorsOfAllShapes(t *testing.T) {
	for _, c := range []struct {
		answer        string
		is            error
		title, reason string
		fields        map[string]string
	}{
		{`400 [{"status":400,"message":"The field 'name' is invalid.","details":{"invalid_reason":"Taken."}}]`,
			ErrInvalid, "The field 'name' is invalid.", "Taken.", map[string]string{"name": "Taken."}},
		{`404 [{"status":404,"message":"The requested resource was not found."}]`, ErrNotFound, "The requested resource was not found.", "", nil},
		{"401 X-Auth-Token header is required\n", ErrUnauthorized, "X-Auth-Token header is required", "", nil},
		{"404 The route is not found, check the URL", ErrNotFound, "The route is not found, check the URL", "", nil},
		{`403 {"status":403,"title":"No scope","type":"https://x.example","errors":{}}`, ErrForbidden, "No scope", "", map[string]string{}},
		{`422 {"status":422,"title":"Wrong","type":"x","errors":{"name":"error.path.missing"}}`,
			ErrInvalid, "Wrong", "", map[string]string{"name": "error.path.missing"}},
		{`409 {"data":[],"errors":[{"status":409,"title":"Twice.","type":"x","errors":{"1":"Again."}}],"meta":{"failed":1}}`,
			ErrConflict, "Twice.", "", map[string]string{"1": "Again."}},
		{`405 {"status":405,"title":"Method Not Allowed","type":"x","detail":"No."}`, nil, "Method Not Allowed", "", map[string]string{}},
		{`422 {"title":"Nested","errors":{"a":{"b":["c"]},"n":5}}`, ErrInvalid, "Nested", "", map[string]string{"a": `{"b":["c"]}`, "n": "5"}},
		{`422 {"title":"A text","errors":"no object"}`, ErrInvalid, "A text", "", map[string]string{}},
		{`422 {"title":7}`, ErrInvalid, `{"title":7}`, "", nil},
		{`500 []`, ErrUnavailable, "[]", "", nil},
		{`502 <html><body>Bad gateway</body></html>`, ErrUnavailable, "<html><body>Bad gateway</body></html>", "", nil},
		{`504 `, ErrUnavailable, "Gateway Timeout", "", nil},
		{`412 [{"status":412,"message":"Changed."}]`, ErrChanged, "Changed.", "", nil},
		{`413 {"status":413,"title":"Max batch size allowed is 10","errors":{}}`, ErrInvalid, "Max batch size allowed is 10", "", map[string]string{}},
		{`429 {"status":429,"title":"Too many requests","errors":{}}`, ErrRateLimited, "Too many requests", "", map[string]string{}},
		{`301 Location: https://evil.example/` + "\n", nil, "Moved Permanently", "", nil},
	} {
		h, _ := answers(t, c.answer)
		client, _ := newFake(t, h, WithRetry(RetryPolicy{Attempts: 1}))
		_, err := client.Groups.Get(t.Context(), 1)
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%s: %v is no *Error", c.answer, err)
			continue
		}
		if e.Title != c.title || e.Reason != c.reason || !maps.Equal(e.Fields, c.fields) || c.fields == nil && e.Fields != nil {
			t.Errorf("%s: got %q, %q, %q", c.answer, e.Title, e.Reason, e.Fields)
		}
		for _, known := range statusErrors {
			if errors.Is(err, known) != (known == c.is) { //nolint:errorlint // the variables themselves
				t.Errorf("%s: errors.Is(err, %v) is %t", c.answer, known, known != c.is) //nolint:errorlint // the variables themselves
			}
		}
		if e.Method != "GET" || e.Path != "/v2/customer_groups/1" || fmt.Sprint(e.Status) != c.answer[:3] {
			t.Errorf("%s: got %s %s %d", c.answer, e.Method, e.Path, e.Status)
		}
	}
}

func TestTextOfAnError(t *testing.T) {
	e := &Error{Status: 422, Title: "Wrong.", Fields: map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}, RequestID: "77", Method: "POST", Path: "/v3/x"}
	if got, want := e.Error(), "client: POST /v3/x: 422: Wrong.; a: 1; b: 2; c: 3; and 2 more (request 77)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestErrorsOfItems(t *testing.T) {
	h, _ := answers(t, `422 {"title":"Create customers failed.","errors":{"1.email":"invalid email","1.phone":"long","0":"again","7.x":"not in the batch","obj":"y"}}`)
	c, _ := newFake(t, h)
	_, err := c.CustomersV3.Create(t.Context(), make([]CustomerV3Create, 2))
	batch, ok := errors.AsType[*BatchError](err)
	if !ok || len(batch.Items) != 2 {
		t.Fatalf("got %v", err)
	}
	if i := batch.Items[0]; i.Index != 0 || i.Fields[""] != "again" || i.Error() != "item 0: again" {
		t.Errorf("the first item has %v", i)
	}
	if i := batch.Items[1]; i.Index != 1 || i.Fields["email"] != "invalid email" || i.Fields["phone"] != "long" {
		t.Errorf("the second item has %v", i)
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.Fields["obj"] != "y" || !errors.Is(err, ErrInvalid) {
		t.Errorf("the batch has not the error of the response: %v", err)
	}
}

func TestErrorsOfRecords(t *testing.T) {
	h, _ := answers(t, `422 {"batch_errors":[{"data":{"price_list_id":1,"variant_id":5,"currency":"usd"},"field_errors":{"variant_id":"None."}},
		{"data":{"sku":"A","currency":"EUR"},"field_errors":{"sku":"Unknown."}}]}`)
	c, _ := newFake(t, h)
	records := []PriceRecordPut{{VariantID: 4, Currency: "usd"}, {VariantID: 5, Currency: "USD"}, {SKU: "A", Currency: "eur"}}
	err := c.PriceRecords.Put(t.Context(), 1, records)
	batch, ok := errors.AsType[*BatchError](err)
	if !ok || len(batch.Items) != 2 || batch.Items[0].Index != 1 || batch.Items[1].Index != 2 || batch.Items[1].Fields["sku"] != "Unknown." {
		t.Errorf("got %v, %+v", err, batch)
	}
}

func TestStatus207(t *testing.T) {
	const said = "X-Request-Id: 5\nLocation: /stores/abc/v2/customer_groups/9\n" + `{"status":207,"message":"The discount failed."}`
	h, got := answers(t, "207 "+said, `200 {"id":9,"name":"A"}`, "207 "+said, "500 ", "207 {}")
	c, _ := newFake(t, h)
	g, err := c.Groups.Create(t.Context(), GroupUpdate{Name: Set("A")})
	partial, ok := errors.AsType[*PartialError](err)
	if !ok || partial.Message != "The discount failed." || partial.RequestID != "5" || g.ID != 9 || g.Name != "A" {
		t.Errorf("got %+v, %v", g, err)
	}
	if g, err = c.Groups.Update(t.Context(), 9, GroupUpdate{}); g.ID != 9 || !errors.As(err, &partial) {
		t.Errorf("a group that cannot be read: %+v, %v", g, err)
	}
	if g, err = c.Groups.Create(t.Context(), GroupUpdate{}); g.ID != 0 || !errors.As(err, &partial) {
		t.Errorf("without a place: %+v, %v", g, err)
	}
	if len(*got) != 5 {
		t.Errorf("requests: %q", *got)
	}
}

func TestUnreadableResponses(t *testing.T) {
	for _, answer := range []string{
		`200 {"id":`, `200 <html>`, `200 []`, `200 `, `200 {"id":"x"}`, `200 ` + strings.Repeat("[", 20_000), `200 {"name":"` + strings.Repeat("x", 2000) + `"}`,
	} {
		h, got := answers(t, answer)
		c, _ := newFake(t, h, WithMaxResponse(1000))
		if g, err := c.Groups.Get(t.Context(), 1); !errors.Is(err, ErrResponse) {
			t.Errorf("%.30s: got %+v, %v", answer, g, err)
		}
		if len(*got) != 1 {
			t.Errorf("%.30s: %d requests", answer, len(*got))
		}
	}
	h, _ := answers(t, `200 {}`, `200 {"data":null}`, `200 {"count":-1}`, `200 {}`)
	c, _ := newFake(t, h)
	if _, err := c.PriceLists.Get(t.Context(), 1); !errors.Is(err, ErrResponse) {
		t.Errorf("without data: %v", err)
	}
	if _, err := c.PriceLists.List(t.Context(), PriceListFilter{}, Page{}); !errors.Is(err, ErrResponse) {
		t.Errorf("a list without data: %v", err)
	}
	for range 2 {
		if _, err := c.Groups.Count(t.Context(), GroupFilter{}); !errors.Is(err, ErrResponse) {
			t.Errorf("without a count: %v", err)
		}
	}
}

func TestLongErrorIsAnError(t *testing.T) {
	c, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		for range 3 {
			_, _ = w.Write(make([]byte, maxErrorBytes))
		}
	})
	_, err := c.Groups.Get(t.Context(), 1)
	if e, ok := errors.AsType[*Error](err); !ok || e.Status != 422 || len(e.Title) > maxTitleBytes {
		t.Errorf("got %.100v", err)
	}
}

func TestMistakesOfTheCaller(t *testing.T) {
	c, _ := newFake(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"a page below 1":   func() error { _, err := c.Groups.List(ctx, GroupFilter{}, Page{Number: -1}); return err },
		"a long page":      func() error { _, err := c.Groups.List(ctx, GroupFilter{}, Page{Limit: 251}); return err },
		"an empty batch":   func() error { _, err := c.CustomersV3.Create(ctx, nil); return err },
		"a long batch":     func() error { _, err := c.CustomersV3.Update(ctx, make([]CustomerV3Update, 11)); return err },
		"no records":       func() error { return c.PriceRecords.Put(ctx, 1, nil) },
		"many records":     func() error { return c.PriceRecords.PutOfLists(ctx, make([]PriceRecordPut, 101)) },
		"many assignments": func() error { return c.Assignments.Create(ctx, make([]AssignmentCreate, 26)) },
		"a comma": func() error {
			_, err := c.CustomersV3.List(ctx, CustomerV3Filter{Companies: []string{"Acme, Inc"}}, Page{})
			return err
		},
		"deletion of all customers":   func() error { return c.Customers.DeleteMany(ctx, CustomerFilter{}, 10) },
		"deletion of 0 customers":     func() error { return c.Customers.DeleteMany(ctx, CustomerFilter{MinID: 3}, 0) },
		"deletion of all assignments": func() error { return c.Assignments.Delete(ctx, AssignmentDeletion{}) },
		"deletion of all records":     func() error { return c.PriceRecords.DeleteMany(ctx, 1, PriceRecordDeletion{}) },
		"a currency with a slash":     func() error { return c.PriceRecords.Delete(ctx, 1, 2, "usd/../../x") },
		"no currency":                 func() error { _, err := c.PriceRecords.Get(ctx, 1, 2, ""); return err },
		"a long wait":                 func() error { _, err := c.Cohort.Events(ctx, EventQuery{Wait: time.Hour}); return err },
		"a path of another server":    func() error { return c.Call(ctx, "GET", "evil.example/x", nil, nil, nil) },
		"a body that is no JSON":      func() error { return c.Call(ctx, "POST", "/v3/x", nil, func() {}, nil) },
	} {
		if err := call(); !errors.Is(err, ErrArgument) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := c.CustomersV3.Delete(ctx); err != nil {
		t.Errorf("the deletion of no customers: %v", err)
	}
	for _, wrong := range [][3]string{
		{"ABC", "t", "http://x"}, {"", "t", "http://x"}, {"abc", "", "http://x"}, {"abc", "a b", "http://x"}, {"abc", "a\r\nX: y", "http://x"},
		{"abc", "t", "x.example"}, {"abc", "t", "ftp://x"}, {"abc", "t", "http://u:p@x"}, {"abc", "t", "http://x/?a=b"}, {"abc", "t", ":"},
	} {
		if _, err := New(wrong[0], wrong[1], WithBaseURL(wrong[2])); !errors.Is(err, ErrArgument) {
			t.Errorf("New(%q): %v", wrong, err)
		}
	}
}

func FuzzError(f *testing.F) {
	for _, body := range []string{
		`[{"status":400,"message":"The field 'name' is invalid.","details":{"invalid_reason":"Taken."}}]`, `{"title":"x","errors":{"0.a":"b"}}`,
		`{"errors":[{"title":"x","errors":{"1":"y"}}]}`, `{"batch_errors":[{"data":{"variant_id":"5"},"field_errors":{"a":1}}]}`, `text`, `{"errors":[[[`, "\xff",
	} {
		f.Add(422, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		e := decodeError(status, http.Header{}, []byte(body))
		if e.Status != status || len(e.Error()) > 2*len(body)+8*maxTitleBytes {
			t.Errorf("status %d: %d bytes of text from %d", e.Status, len(e.Error()), len(body))
		}
		for _, err := range []error{batchError(e, 10), recordsError(e, make([]PriceRecordPut, 10))} {
			batch, ok := errors.AsType[*BatchError](err)
			if !ok {
				continue
			}
			for _, item := range batch.Items {
				if item.Index < 0 || item.Index >= 10 {
					t.Errorf("an item that was not sent: %v", item)
				}
			}
		}
	})
}

func TestErrorOfTheContext(t *testing.T) {
	c, _ := newFake(t, func(http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Groups.Get(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
