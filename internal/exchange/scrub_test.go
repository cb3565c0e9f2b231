package exchange_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/exchange"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const token = "s3cr3t-t0ken-of-the-store"

// record writes exchanges and returns the text of the recording, and what it has.
func record(t testing.TB, list ...exchange.Raw) (text string, exchanges []*exchange.Exchange) {
	t.Helper()
	var b bytes.Buffer
	w, err := exchange.NewWriter(&b, time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range list {
		if err := w.Add(raw); err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range exchange.Read("test", strings.NewReader(b.String())) {
		if err != nil {
			t.Fatal(err)
		}
		exchanges = append(exchanges, e)
	}
	if len(exchanges) != len(list) || w.Count() != len(list) {
		t.Fatalf("%d exchanges of %d, and the writer counts %d", len(exchanges), len(list), w.Count())
	}
	return b.String(), exchanges
}

func raw(method, path, query, sent string, status int, answer string) exchange.Raw {
	return exchange.Raw{
		Method: method, Path: "/stores/abc123" + path, Query: query, Status: status,
		RequestHeader: http.Header{"X-Auth-Token": {token}, "Accept": {"application/json"}},
		Header:        http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"77"}},
		RequestBody:   exchange.RawBody{Text: []byte(sent), Size: int64(len(sent))},
		Body:          exchange.RawBody{Text: []byte(answer), Size: int64(len(answer))},
	}
}

// answered returns the response of a body as a recording has it.
func answered(t testing.TB, path, body string) string {
	t.Helper()
	_, list := record(t, raw("GET", path, "", "", 200, body))
	if list[0].Response.Body.JSON == nil {
		t.Fatalf("%s is left out: %+v", body, list[0].Response.Body)
	}
	return list[0].Response.Body.JSON.String()
}

// What belongs to the API stays, in its order.
func TestKept(t *testing.T) {
	for _, body := range []string{
		`{"id":7,"category_access":{"type":"specific","categories":[18,19]},"discount_rules":[{"type":"all","method":"percent","amount":"5.0000"}],"date_created":"2023-07-17 06:30:41","is_default":false}`,
		`[]`, `{}`, `12.50`, `{"b":1,"a":2,"b":3}`,
		`{"data":[{"id":"0198c0de-0000-7000-8000-000000000001","date_modified":"2023-07-17T06:30:41Z"}],"meta":{"pagination":{"total":1,"links":{"next":"?page=2&limit=5"}}}}`,
		`{"country":"Germany","country_iso2":"DE","currency_code":"EUR","store_credit":"0.0000","address_type":"residential"}`,
		`{"date_created":"Tue, 13 Nov 2012 21:16:41 +0000","resource":"/customers/1/addresses"}`,
	} {
		if got := answered(t, "/v2/customers", body); got != body {
			t.Errorf("%s is written as %s", body, got)
		}
	}
}

// A text that nothing proves harmless is replaced by one of its form.
func TestReplaced(t *testing.T) {
	for body, want := range map[string]string{
		`{"first_name":"percent"}`:                              `^\{"first_name":"[a-z]{7}"\}$`,
		`{"email":"Jo.Smith@acme.test"}`:                        `^\{"email":"fake-[0-9a-f]{12}@example.com"\}$`,
		`{"phone":"+49 (30) 1234-5"}`:                           `^\{"phone":"\+\d\d \(\d\d\) \d{4}-\d"\}$`,
		`{"phone":4930}`:                                        `^\{"phone":[1-9]\d{3}\}$`,
		`{"registration_ip_address":"8.8.8.8"}`:                 `^\{"registration_ip_address":"198\.1[89]\.\d+\.\d+"\}$`,
		`{"ip":"2a00::5"}`:                                      `^\{"ip":"2001:db8:[0-9a-f:]+"\}$`,
		`{"attribute_value":"1980-02-29"}`:                      `^\{"attribute_value":"\d{4}-\d\d-\d\d"\}$`,
		`{"date_created":"Jo Smith"}`:                           `^\{"date_created":"[A-Z][a-z] [A-Z][a-z]{4}"\}$`,
		`{"country":"Smithland"}`:                               `^\{"country":"[A-Z][a-z]{8}"\}$`,
		`{"url":"https://jo.test/smith"}`:                       `^\{"url":"https://fake-[0-9a-f]{12}\.example\.com/[a-z]{5}"\}$`,
		`{"url":"https://x/stores/abc123/v2/customers/1"}`:      `^\{"url":"https://api\.example\.com/stores/store/v2/customers/1"\}$`,
		`{"value":["Jo",{"x":"Al"},5]}`:                         `^\{"value":\["[A-Z][a-z]",\{"x":"[A-Z][a-z]"\},\d\]\}$`,
		`{"jo@acme.test":1}`:                                    `^\{"fake-[0-9a-f]{12}@example.com":1\}$`,
		`{"access_token":"x","secret":{"a":[1,"b",true,null]}}`: `^\{"access_token":"\*\*\*","secret":\{"a":\[\d,"\*\*\*",true,null\]\}\}$`,
		`{"id":"abc123"}`:                                       `^\{"id":"[a-z]{3}\d{3}"\}$`,
		`"Größe 客户"`:                                            `^"[A-Za-z]{5} [a-z]{2}"$`,
	} {
		got := answered(t, "/v2/customers", body)
		if !matches(want, got) {
			t.Errorf("%s is written as %s", body, got)
		}
	}
}

// Equal texts have equal fakes within a recording, and other ones in the next.
func TestFakesAreStable(t *testing.T) {
	one, other := exchange.Fake(), exchange.Fake()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(8, 40, -1).Draw(t, "text")
		if a, b := one(text), one(text); a != b {
			t.Errorf("%q: %q and %q", text, a, b)
		}
	})
	for _, text := range []string{"jo@acme.test", "Jo Smith of Berlin", "2001-02-03", "192.0.2.77", "https://acme.test/jo-smith"} {
		if one(text) == other(text) || one(text) == text {
			t.Errorf("%q: %q and %q", text, one(text), other(text))
		}
	}
	if a, b := one("Jo@Acme.test "), one("jo@acme.test"); a != b {
		t.Errorf("%q and %q are fakes of one address", a, b)
	}
}

// The fake of a number is a number.
func TestFakeNumbers(t *testing.T) {
	fake := exchange.FakeNumber()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9]\d{0,12})(\.\d{1,6})?([eE][+-]?\d{1,3})?`).Draw(t, "number")
		if got := fake(text); !json.Valid([]byte(got)) || len(got) != len(text) {
			t.Errorf("%s: %s", text, got)
		}
	})
}

// The request says whether it was another one on the network.
func TestAltered(t *testing.T) {
	for _, c := range []struct {
		raw    exchange.Raw
		want   bool
		target string
	}{
		{raw("GET", "/v2/customers", "page=2&limit=5&sort=id", "", 200, `[{"email":"jo@acme.test"}]`), false, `^/v2/customers\?page=2&limit=5&sort=`},
		{raw("GET", "/v2/customers/17.json", "", "", 200, ""), false, `^/v2/customers/17.json$`},
		{raw("GET", "/v3/customers", "include=addresses&id:in=1,2", "", 200, ""), false, `^/v3/customers\?include=addresses&id:in=1,2$`},
		{raw("GET", "/v3/customers", "email:in=jo%40acme.test,al%40acme.test", "", 200, ""), true, `^/v3/customers\?email:in=fake-[0-9a-f]{12}%40example.com%2Cfake-[0-9a-f]{12}%40example.com$`},
		{raw("GET", "/v3/customers/jo%40acme.test", "", "", 404, ""), true, `^/v3/customers/fake-[0-9a-f]{12}@example.com$`},
		{raw("GET", "/v3/customers", "token=hunter2", "", 200, ""), true, `^/v3/customers\?token=%2A%2A%2A$`},
		{raw("GET", "/v3/customers", "page="+token, "", 200, ""), true, `^/v3/customers\?page=%2A%2A%2A$`},
		{raw("GET", "/v3/"+token, "", "", 404, ""), true, `^/v3/%2A%2A%2A$`},
		{raw("POST", "/v2/customer_groups", "", `{"is_default":true}`, 200, ""), false, "^/v2/customer_groups$"},
		{raw("POST", "/v2/customer_groups", "", `{"name":"Wholesale"}`, 200, ""), true, "^/v2/customer_groups$"},
	} {
		_, list := record(t, c.raw)
		if e := list[0]; e.Altered != c.want || !matches(c.target, e.Target()) {
			t.Errorf("%s: altered %t, %s", c.raw.Path, e.Altered, e.Target())
		}
	}
}

// The texts of errors stay, without what the request had and what they quote.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ sent, body, want string }{
		{`{}`, `[{"status":400,"message":"The required field 'first_name' was not supplied."}]`, `The required field 'first_name' was not supplied\.`},
		{`{"company":"Acme Corp"}`, `{"title":"Acme corp is taken","errors":{"0.company":"ACME CORP is taken"}}`, `^\{"title":"([A-Z][a-z]{3} [A-Z][a-z]{3}) is taken","errors":\{"0.company":"[A-Z][a-z]{3} [A-Z][a-z]{3} is taken"\}\}$`},
		{``, `{"title":"jo@acme.test and 4930123456 'Jo'","type":"https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"}`, `^\{"title":"fake-[0-9a-f]{12}@example.com and \d{10} '[A-Z][a-z]'","type":"https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"\}$`},
	} {
		_, list := record(t, raw("POST", "/v3/customers", "", c.sent, 422, c.body))
		if got := list[0].Response.Body.JSON.String(); !matches(c.want, got) || strings.Contains(got, "4930123456") {
			t.Errorf("%s is written as %s", c.body, got)
		}
	}
}

// A body that is too large, or no JSON, is left out with its size.
func TestLeftOut(t *testing.T) {
	large := raw("GET", "/v2/customers", "", "", 200, `[]`)
	large.Body.Size = 5 << 20
	_, list := record(t, large, raw("GET", "/v2/x", "", "", 502, "<p>Jo Smith</p>"), raw("GET", "/v2/x", "", "", 404, "The route is not found, check the URL"))
	want := []exchange.Body{{Size: 5 << 20, Left: "too large"}, {Size: 15, Left: "not JSON"}, {Size: 37, Text: "The route is not found, check the URL"}}
	for i, e := range list {
		if diff := cmp.Diff(want[i], e.Response.Body); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// Only the headers of the list are written.
func TestHeaders(t *testing.T) {
	r := raw("POST", "/v2/customers", "", "", 200, "")
	r.RequestHeader.Set("Content-Type", "application/json; x="+token)
	r.RequestHeader.Set("Cookie", "a=b")
	r.Header.Set("Location", "https://api.test/stores/abc123/v2/customers/7?email=jo%40acme.test")
	r.Header.Set("X-Rate-Limit-Requests-Left", "5")
	r.Header.Set("Set-Cookie", "a=b")
	_, list := record(t, r)
	if diff := cmp.Diff(map[string]string{"Accept": "application/json", "Content-Type": "***"}, list[0].Request.Header); diff != "" {
		t.Errorf("of the request (-want +got):\n%s", diff)
	}
	location := list[0].Response.Header["Location"]
	if !matches(`^https://api\.example\.com/stores/store/v2/customers/7\?email=fake-[0-9a-f]{12}%40example\.com$`, location) {
		t.Errorf("Location: %s", location)
	}
	delete(list[0].Response.Header, "Location")
	if diff := cmp.Diff(map[string]string{"Content-Type": "application/json", "X-Rate-Limit-Requests-Left": "5"}, list[0].Response.Header); diff != "" {
		t.Errorf("of the response (-want +got):\n%s", diff)
	}
}

// No secret and no text about a person is in a recording, wherever the store or the client
// puts it.
func TestNoOriginalIsWritten(t *testing.T) {
	keys := rapid.SampledFrom([]string{
		"first_name", "last_name", "company", "email", "phone", "notes", "name", "value", "form_fields", "addresses", "street_1", "city", "id", "type",
		"message", "title", "errors", "date_created", "url", "next", "amount", "country", "password", "access_token", "data", "unknown_key", "attribute_value",
	})
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9]{12,30}`).Draw(t, "token")
		var originals []string
		person := func() string {
			text := rapid.OneOf(
				rapid.StringMatching(`[A-Z][a-z]{5,9} [A-Z][a-z]{6,9}`), rapid.StringMatching(`[a-z]{6,9}@[a-z]{6}\.test`),
				rapid.StringMatching(`\+[0-9]{11}`), rapid.StringMatching(`[A-Z][a-zß]{6,9}straße [0-9]{5}`), rapid.Just("Bearer "+secret),
			).Draw(t, "text")
			originals = append(originals, text)
			return text
		}
		var document func(depth int) any
		document = func(depth int) any {
			switch kind := rapid.IntRange(0, 3).Draw(t, "kind"); {
			case kind == 0 && depth < 4:
				object := map[string]any{}
				for range rapid.IntRange(1, 4).Draw(t, "members") {
					object[keys.Draw(t, "key")] = document(depth + 1)
				}
				return object
			case kind == 1 && depth < 4:
				return []any{document(depth + 1), document(depth + 1)}
			}
			return person()
		}
		sent, _ := json.Marshal(document(0))
		answer, _ := json.Marshal(document(0))
		r := raw("POST", "/v3/customers/"+url.PathEscape(person()), "email="+url.QueryEscape(person())+"&"+url.QueryEscape(person())+"=1", string(sent),
			rapid.SampledFrom([]int{200, 207, 404, 422}).Draw(t, "status"), string(answer))
		r.RequestHeader = http.Header{"X-Auth-Token": {secret}, "Authorization": {"Bearer " + secret}, "Accept": {person()}, "Content-Type": {person()}}
		r.Header = http.Header{"Content-Type": {person()}, "Location": {"/" + url.PathEscape(person())}, "Allow": {secret}}
		var b bytes.Buffer
		w, _ := exchange.NewWriter(&b, time.Time{})
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
		written := strings.ToLower(b.String())
		for _, original := range append(originals, secret, "abc123") {
			plain := strings.ToLower(original)
			for _, form := range []string{plain, strings.ToLower(url.QueryEscape(original)), strings.ToLower(url.PathEscape(original))} {
				if strings.Contains(written, form) {
					t.Fatalf("%q is in the recording:\n%s", original, b.String())
				}
			}
		}
	})
}

// Whatever comes, a line can be read back, and has no token.
func FuzzWriter(f *testing.F) {
	f.Add("/v2/customers/1", "a=b", `{"a":"b"}`, 200)
	f.Add("/v3/customers", "email:in=%zz&", `[{"value":1e999,"x":"`+token+`"}]`, 422)
	f.Add("//%2f", "&&=", `{"a`, 207)
	f.Fuzz(func(t *testing.T, path, query, body string, status int) {
		r := raw("POST", path, query, body, status, body)
		var b bytes.Buffer
		w, err := exchange.NewWriter(&b, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(r); err != nil {
			t.Skip()
		}
		if strings.Contains(b.String(), token) {
			t.Errorf("the token is in %s", b.String())
		}
		for _, line := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
			if !json.Valid([]byte(line)) {
				t.Errorf("%q is not JSON", line)
			}
		}
	})
}

// Whatever a file has, reading it ends, and what it returns can be sent.
func FuzzRead(f *testing.F) {
	text, _ := record(f, raw("POST", "/v2/customer_groups", "a=1", `{"name":"x"}`, 200, `{"id":1}`))
	f.Add(text)
	f.Add("{\"cohort_recording\":1}\n{}\n")
	f.Add("\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		for e, err := range exchange.Read("file", strings.NewReader(text)) {
			if err != nil {
				continue
			}
			if _, err := http.NewRequest(e.Method, "http://localhost/stores/x"+e.Target(), nil); err != nil {
				t.Errorf("%q: %v", e.Target(), err)
			}
		}
	})
}

func TestReadErrors(t *testing.T) {
	const first = `{"cohort_recording":1,"date":"2026-12-01T00:00:00Z"}` + "\n"
	for text, want := range map[string]string{
		"":                                     "f is empty; a recording begins with a line that says so",
		"{}":                                   `f, line 1: this is not a recording: its first line must be {"cohort_recording":1,…}`,
		`{"cohort_recording":2}`:               "f, line 1: the recording has the version 2 of the format, and this program reads version 1",
		first + `{"method":"GET"`:              "f, line 2: the line is not an exchange: unexpected end of JSON input",
		first + `{"method":"get"}`:             `f, line 2: the method "get" is not one`,
		first + `{"method":"GET","path":"/x"}`: `f, line 2: the path "/x" does not begin with /v2/ or /v3/`,
		first + `{"method":"GET","path":"/v2/../x","status":200}`: `f, line 2: "/v2/../x" is not a path with a query`,
		first + `{"method":"GET","path":"/v2/x"}`:                 "f, line 2: the status 0 is not one",
		first + strings.Repeat("x", 9<<20):                        "f, line 2: bufio.Scanner: token too long",
	} {
		var got error
		for _, err := range exchange.Read("f", strings.NewReader(text)) {
			got = err
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%.60s: %v, want %s", text, got, want)
		}
	}
}

// A file that cannot be written is an error once and for all.
func TestWriteFails(t *testing.T) {
	w, err := exchange.NewWriter(&failing{after: 1}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Add(raw("GET", "/v2/time", "", "", 200, "")); err == nil || err.Error() != "disk full" {
			t.Errorf("%v", err)
		}
	}
}

type failing struct{ after int }

func (f *failing) Write(b []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, fmt.Errorf("disk full")
	}
	return len(b), nil
}
