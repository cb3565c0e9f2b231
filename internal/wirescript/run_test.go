package wirescript_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cohort.example/cohort/internal/wirescript"

	"github.com/google/go-cmp/cmp"
)

// run runs a script against a handler and returns its exchanges.
func run(t *testing.T, h http.HandlerFunc, script string) (exchanges []wirescript.Exchange, err error) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	target := wirescript.Target{URL: s.URL, Vars: map[string]string{"store": "abc", "token": "secret", "five": "5"}}
	err = mustParse(t, script).Run(t.Context(), target, func(x wirescript.Exchange) { exchanges = append(exchanges, x) })
	if _, ok := target.Vars["taken"]; ok {
		t.Errorf("a let reached into the target's own variables")
	}
	return exchanges, err
}

// sample is the response that the checks below are applied to.
func sample(w http.ResponseWriter, _ *http.Request) {
	w.Header()["X-Two"] = []string{"one", "two"}
	w.Header().Set("X-Empty", "")
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprint(w, "{\"n\":-5,\"s\":\"a+b\",\n \"d\":\"2023-07-17 06:30:41\"}")
}

// TestChecks applies each operator to a response that passes and to one that fails.
func TestChecks(t *testing.T) {
	for _, c := range []struct {
		check string
		holds bool
	}{
		{`code == 202`, true},
		{`code == 200`, false},
		{`code == 20`, false},
		{`code == 2020`, false},

		{"body == {\"n\":<int>,\"s\":\"<text>\",\n \"d\":\"<date>\"}", true}, // on two lines
		{"body == {\"n\":<int>,\"s\":\"<text>\",\n  \"d\":\"<date>\"}", false},
		{`body == {"n":<int>,"s":"<text>",<any>`, false},
		{`body contains "n":-5,`, true},
		{`body contains "n":-{five},`, true},
		{`body contains "n":<int>`, false}, // marks are for ==
		{`body contains "N"`, false},
		{`body ~ ^\{"n":-?\d,`, true},
		{`body ~ "s":"a\+b"`, true},
		{`body ~ "s":"a+b"`, false},
		{`body ~ (?s)\{.*\}$`, true},
		{`body ~ ^.*$`, false}, // a line end
		{`body empty`, false},

		{`header X-Two == one, two`, true},
		{`header x-two == one, two`, true},
		{`header X-Two == one`, false},
		{`header X-Two contains two`, true},
		{`header X-Two contains three`, false},
		{`header X-Two ~ ^one`, true},
		{`header X-Two ~ ^two`, false},
		{`header X-Two missing`, false},
		{`header X-Three missing`, true},
		{`header X-Empty missing`, false}, // it is there, and empty
		{`header X-Empty ==`, true},
		{`header X-Three == x`, false},
	} {
		exchanges, err := run(t, sample, "GET /x\n"+c.check)
		if err != nil {
			t.Fatal(err)
		}
		failures := exchanges[0].Failures
		if c.holds != (len(failures) == 0) {
			t.Errorf("%s: %q, want it to hold: %t", c.check, failures, c.holds)
		}
	}
}

// TestPlaceholders: a placeholder matches what it stands for and nothing else.
func TestPlaceholders(t *testing.T) {
	for _, c := range []struct {
		want, answer string
		holds        bool
	}{
		{`{"id":<int>}`, `{"id":7}`, true},
		{`{"id":<int>}`, `{"id":-7}`, true},
		{`{"id":<int>}`, `{"id":7.5}`, false},
		{`{"id":<int>}`, `{"id":"7"}`, false},
		{`{"id":<int>}`, `{"id":}`, false},
		{`{"id":<int>}`, `{"id":7} `, false},
		{`{"id":<int>}`, ` {"id":7}`, false},
		{`{"id":<int>}`, `{"id":7,"name":"x"}`, false},
		{`[<int>,<int>]`, `[1,2]`, true},
		{`{"d":"<date>"}`, `{"d":"2023-07-17 06:30:41"}`, true},
		{`{"d":"<date>"}`, `{"d":"2023-07-17T06:30:41"}`, false},
		{`{"d":"<date>"}`, `{"d":""}`, false},
		{`{"s":"<text>"}`, `{"s":""}`, true},
		{`{"s":"<text>"}`, `{"s":"Größe <b>"}`, true},
		{`{"s":"<text>"}`, `{"s":"a","t":"b"}`, false},
		// What means something in patterns means itself.
		{`{"a":"."}`, `{"a":"."}`, true},
		{`{"a":"."}`, `{"a":"x"}`, false},
		{`{"a":"(x)*[y]+\d$"}`, `{"a":"(x)*[y]+\d$"}`, true},
		{`<bold>`, `<bold>`, true},
		{``, ``, true},
		{``, `x`, false},
	} {
		exchanges, err := run(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.answer) }, "GET /x\nbody == "+c.want)
		if err != nil {
			t.Fatal(err)
		}
		if failures := exchanges[0].Failures; c.holds != (len(failures) == 0) {
			t.Errorf("body == %s of %s: %q, want it to hold: %t", c.want, c.answer, failures, c.holds)
		}
	}
}

// TestFailures: each check that fails is reported with its line, the expected and the
// actual text, and the script continues.
func TestFailures(t *testing.T) {
	exchanges, err := run(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "no") },
		"# One.\nGET /x\ncode == 404\nbody == yes {five}\nheader Allow == GET\n\nGET /y\nbody empty\nbody == no")
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, x := range exchanges {
		got = append(got, x.Failures)
	}
	want := [][]string{
		{"test.txt:3: code == 404\n\tgot: 200", "test.txt:4: body == yes 5\n\tgot: no", "test.txt:5: Allow == GET\n\tgot: "},
		{"test.txt:8: body empty \n\tgot: no"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRequests: a request is sent as the script describes it.
func TestRequests(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		token, hasToken := r.Header["X-Auth-Token"]
		contentType, hasType := r.Header["Content-Type"]
		fmt.Fprintf(w, "%s %s token=%t%q type=%t%q mine=%q body=%q", r.Method, r.RequestURI, hasToken, token, hasType, contentType, r.Header.Get("X-Mine"), body)
	}
	for script, want := range map[string]string{
		"GET /v2/things?x={five}":                                             `GET /stores/abc/v2/things?x=5 token=true["secret"] type=false[] mine="" body=""`,
		"GET /v3/things":                                                      `GET /stores/abc/v3/things token=true["secret"] type=false[] mine="" body=""`,
		"GET /livez":                                                          `GET /livez token=false[] type=false[] mine="" body=""`,
		"GET /stores/x/v2/things\ntoken {five}":                               `GET /stores/x/v2/things token=true["5"] type=false[] mine="" body=""`,
		"GET /v2/things\ntoken none":                                          `GET /stores/abc/v2/things token=false[] type=false[] mine="" body=""`,
		"GET /v2/x\ntoken none\nheader X-Auth-Token:":                         `GET /stores/abc/v2/x token=true[""] type=false[] mine="" body=""`,
		"PUT /v2/x\nsend {\"a\":{five},\n {six}}":                             `PUT /stores/abc/v2/x token=true["secret"] type=true["application/json"] mine="" body="{\"a\":5,\n {six}}"`,
		"POST /v2/x\nheader Content-Type:\nsend 5":                            `POST /stores/abc/v2/x token=true["secret"] type=false[] mine="" body="5"`,
		"POST /v2/x\nsend 5\nheader Content-Type: a/b\nheader X-Mine: {five}": `POST /stores/abc/v2/x token=true["secret"] type=true["a/b"] mine="5" body="5"`,
		"GET /v2//x/%2e%2e/y?a:b=c%3Ad":                                       `GET /stores/abc/v2//x/%2e%2e/y?a:b=c%3Ad token=true["secret"] type=false[] mine="" body=""`,
	} {
		exchanges, err := run(t, echo, script)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, exchanges[0].Response); diff != "" {
			t.Errorf("%q (-want +got):\n%s", script, diff)
		}
	}
}

// TestLet: a let line sets a variable for the requests and checks after it, in that run
// only.
func TestLet(t *testing.T) {
	answers := map[string]string{"/first": `{"id":9223372036854775807,"name":"x y","flag":true,"data":[0,{"id":"deep"}]}`, "/second/9223372036854775807": `x y true deep`}
	h := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answers[r.URL.Path]) }
	exchanges, err := run(t, h, "GET /first\nlet taken = id\nlet name = name\nlet flag = flag\nlet deep = data.1.id\nGET /second/{taken}\nbody == {name} {flag} {deep}")
	if err != nil {
		t.Fatal(err)
	}
	if got := exchanges[1]; len(got.Failures) > 0 || !strings.HasSuffix(got.URL, "/second/9223372036854775807") {
		t.Errorf("%s: %q", got.URL, got.Failures)
	}
}

// TestStops: the error of a script that cannot continue names the line.
func TestStops(t *testing.T) {
	h := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"id":1}`) }
	exchanges, err := run(t, h, "GET /x\nGET /x\nlet a = name\nGET /x")
	const want = `test.txt:2: the response has no field name: {"id":1}`
	if err == nil || err.Error() != want || len(exchanges) != 2 {
		t.Errorf("%d exchanges, %v, want 2, %s", len(exchanges), err, want)
	}
	if _, ok := errors.AsType[*wirescript.FieldError](err); !ok {
		t.Errorf("the error is a %T", err)
	}
	list := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `[{"id":1}]`) }
	if _, err := run(t, list, "GET /x\nlet a = id"); err == nil || err.Error() != `test.txt:1: the response is not an object to take a field from: [{"id":1}]` {
		t.Errorf("a let of an array: %v", err)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	away := wirescript.Target{URL: gone.URL}
	err = mustParse(t, "GET /x").Run(t.Context(), away, func(wirescript.Exchange) { t.Error("there was an exchange") })
	if err == nil || !strings.HasPrefix(err.Error(), "test.txt:1: ") {
		t.Errorf("a server that is closed: %v", err)
	}
	if _, ok := errors.AsType[*wirescript.FieldError](err); ok {
		t.Error("the error is that of a field")
	}
}
