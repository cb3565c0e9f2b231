package journal_test

import (
	"fmt"
	"math"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/journal"

	"pgregory.net/rapid"
)

func entry(method, path, body string) *journal.Entry {
	return &journal.Entry{Method: method, Path: path, Status: 200, Request: journal.Message{Body: journal.NewRequestBody([]byte(body), int64(len(body)))}}
}

func find(t testing.TB, j *journal.Journal, store string) []*journal.Entry {
	return j.Find(t.Context(), store, 0, &journal.Criteria{})
}

// No spelling of a secret's name keeps the secret, in JSON and in what only looks like it.
func TestSecretsAreCutOut(t *testing.T) {
	const secret = "hunter2"
	for _, text := range []string{
		`{"password":"hunter2"}`, `{"new_password" : "hunter2"}`, `{"PassWord":"hunter2"}`, `{"a":{"b":[{"api-key":"hunter2"}]}}`,
		`{"pass\u0077ord":"hunter2"}`, `{"password":"a\"hunter2"}`, `{"password":"a\\","b":1,"token":"hunter2"}`,
		`{"credentials":{"user":"hunter2"}}`, `{"secret":["a]","hunter2"]}`, `{"token":"hunter2`, `{"token":["hunter2`,
		`{"password":"x"hunter2"}`, `{"password":"x""hunter2"}`, `{"password":"x" "hunter2"}`, `{"password":'hunter2'}`, `{password:"hunter2"}`,
		`{"password" "hunter2"}`, `{"a":"b, "password":"hunter2"}`, `{"password":x"hunter2"}`, `{"password":1"hunter2"}`,
		`password=hunter2`, `"password":"hunter2"`, `{"password":,"hunter2"}`, "{\"pass\\u0077ord\":x \"hunter2\"}", `{"a":1,}{"password" = "hunter2"}`,
	} {
		if kept := journal.NewRequestBody([]byte(text), int64(len(text))); strings.Contains(kept.Text, secret) {
			t.Errorf("%s is kept as %s", text, kept.Text)
		}
	}
	for _, query := range []string{"token=hunter2", "a=1&access_token=hunter2&b", "t%6Fken=hunter2", "to%zzken=hunter2", "API_KEY=hunter2"} {
		if kept := journal.NewQuery(query); strings.Contains(kept, secret) {
			t.Errorf("%s is kept as %s", query, kept)
		}
	}
	for _, name := range []string{"X-Auth-Token", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "X-Client-Secret"} {
		if kept, _ := journal.NewHeaders(http.Header{name: {secret, secret}}, nil); len(kept) != 2 || kept[0].Value != "***" || kept[1].Value != "***" {
			t.Errorf("%s is kept as %v", name, kept)
		}
	}
}

// What is no secret stays byte for byte.
func TestOtherTextStays(t *testing.T) {
	for _, text := range []string{
		``, `null`, `{"name":"A \"quoted\" text","n":[1e5,-2.5E+3,true,false,null]}`, `{"force_password_reset":true,"password":null}`,
		`{"field":"password","x":"y"}`, `["token","secret"]`, `"password"`, `{"key":"a","value":"b"}`, `{"note":"token: "}`, `not JSON`, `{"a":tru`,
	} {
		if kept := journal.NewRequestBody([]byte(text), int64(len(text))); kept.Text != text {
			t.Errorf("%s is kept as %s", text, kept.Text)
		}
	}
	for _, query := range []string{"", "page=2&limit=5", "name:like=a%20b", "q=token"} {
		if kept := journal.NewQuery(query); kept != query {
			t.Errorf("%s is kept as %s", query, kept)
		}
	}
	for text, want := range map[string]string{
		`{"password":"x","a":"b"}`:            `{"password":"***","a":"b"}`,
		`{"a":1, "token" : 5 , "b":2}`:        `{"a":1, "token" : "***" , "b":2}`,
		`[{"password":"x"},{"password":"y"}]`: `[{"password":"***"},{"password":"***"}]`,
		`{"secret":{"a":["}"]},"b":1}`:        `{"secret":"***","b":1}`,
	} {
		if kept := journal.NewRequestBody([]byte(text), int64(len(text))); kept.Text != want {
			t.Errorf("%s is kept as %s", text, kept.Text)
		}
	}
}

// An operation can name further fields that are secrets, in requests and responses.
func TestFurtherSecrets(t *testing.T) {
	for text, want := range map[string]string{
		`{"headers":{"X-Key":"x"},"a":"b"}`:           `{"headers":"***","a":"b"}`,
		`{"data":[{"he\u0061ders":{"K":"x"},"a":1}]}`: `{"data":[{"he\u0061ders":"***","a":1}]}`,
		`{"headers":{"X-Key":"x`:                      `{"headers":"***"`,
		`{"headers":null,"password":"x"}`:             `{"headers":null,"password":"***"}`,
		`the headers are wrong`:                       `***`,
		``:                                            ``,
	} {
		if kept := journal.NewRequestBody([]byte(text), int64(len(text)), "headers"); kept.Text != want {
			t.Errorf("of a request, %s is kept as %s", text, kept.Text)
		}
		if kept := journal.NewResponseBody(text, int64(len(text)), "headers"); kept.Text != want {
			t.Errorf("of a response, %s is kept as %s", text, kept.Text)
		}
	}
	const text = `{"headers":{"X-Key":"x"}}`
	if kept := journal.NewResponseBody(text, int64(len(text))); kept.Text != text {
		t.Errorf("without further fields, %s is kept as %s", text, kept.Text)
	}
}

// Whatever surrounds a secret and wherever the text is cut, no part of it stays.
func TestNoPartOfASecretStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{`{`, `}`, `[`, `]`, `,`, `:`, `"`, `\`, `"a"`, `"a":1`, `"password"`, ` `, `true`, `1`, `x`, `"token":"HHHH"`, `"token":"\"HHHH"`})
		var b strings.Builder
		for _, p := range rapid.SliceOfN(part, 0, 6).Draw(t, "before") {
			b.WriteString(p)
		}
		b.WriteString(`{"password":"HHHHHH"`)
		for _, p := range rapid.SliceOfN(part, 0, 6).Draw(t, "after") {
			b.WriteString(p)
		}
		text := b.String()
		text = text[:rapid.IntRange(0, len(text)).Draw(t, "cut")]
		if kept := journal.NewRequestBody([]byte(text), int64(len(text))); strings.Contains(kept.Text, "H") {
			t.Errorf("%s is kept as %s", text, kept.Text)
		}
	})
}

// Each store has its last 1000 requests.
func TestRing(t *testing.T) {
	j := journal.New()
	for i := range 1500 {
		j.Add("a", 0, entry("GET", fmt.Sprintf("/stores/a/%d", i), ""))
	}
	j.Add("b", 0, entry("GET", "/stores/b/x", ""))
	if list := find(t, j, "a"); len(list) != 1000 || list[0].ID != 501 || list[999].PathInStore() != "/1499" {
		t.Errorf("%d entries from %d", len(list), list[0].ID)
	}
	if list := j.Find(t.Context(), "a", 1498, &journal.Criteria{}); len(list) != 2 {
		t.Errorf("%d entries after 1498", len(list))
	}
	if j.Get(t.Context(), "a", 500) != nil || j.Get(t.Context(), "b", 501) != nil || j.Get(t.Context(), "a", 501) == nil {
		t.Error("Get returns what the store does not have")
	}
	j.Clear(t.Context(), "a")
	if len(find(t, j, "a")) != 0 || len(find(t, j, "b")) != 1 {
		t.Error("Clear did not clear the store only")
	}
}

// A busy store does not push out the requests of a quiet one.
func TestBusyStore(t *testing.T) {
	j := journal.New()
	j.Add("quiet", 0, entry("GET", "/stores/quiet/x", ""))
	for range 1000 {
		j.Add("busy", 0, entry("POST", "/stores/busy/x", strings.Repeat("x", journal.MaxText)))
	}
	if n := len(find(t, j, "quiet")); n != 1 {
		t.Errorf("the quiet store has %d requests", n)
	}
	if n := len(find(t, j, "busy")); n < 200 || n > 16<<20/journal.MaxText {
		t.Errorf("the busy store has %d requests", n)
	}
	for i := range 1000 { // more stores than a journal has
		j.Add(fmt.Sprint("s", i), 0, entry("GET", "/", ""))
	}
	if n := len(find(t, j, "s0")) + len(find(t, j, "quiet")); n != 0 || len(find(t, j, "s999")) != 1 {
		t.Error("the stores are not bounded")
	}
}

// The memory of a journal is bounded, whatever comes.
func TestMemory(t *testing.T) {
	j := journal.New()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	for g := range 40 {
		all.Go(func() {
			store, body := fmt.Sprint("s", g), []byte(`{"password":"x","a":"`+strings.Repeat("x", 1<<20)+`"}`)
			for range 5 {
				ticket := j.Begin(store)
				e := entry("POST", "/stores/"+store+"/x", "")
				e.Request.Body = journal.NewRequestBody(body, int64(len(body)))
				e.Response.Body = journal.NewResponseBody(string(body[:journal.MaxText]), int64(len(body)))
				if len(e.Request.Body.Text) > journal.MaxText+2 || !e.Request.Body.Cut || e.Request.Body.Size != int64(len(body)) {
					t.Error("the body is not cut")
				}
				j.Add(store, ticket, e)
				find(t, j, store)
			}
		})
	}
	all.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 20<<20 {
		t.Errorf("the journal has %d MiB", grown>>20)
	}
	runtime.KeepAlive(j)
}

// A reader waits for the request whose response it has seen begin.
func TestReaderWaitsForRunningRequests(t *testing.T) {
	j := journal.New()
	ticket := j.Begin("a")
	found := make(chan int)
	go func() { found <- len(j.Find(t.Context(), "a", 0, &journal.Criteria{})) }()
	j.Add("b", 0, entry("GET", "/", ""))
	j.Add("a", ticket, entry("GET", "/", ""))
	if n := <-found; n != 1 {
		t.Errorf("the reader found %d requests", n)
	}
}

func TestVerifyWaits(t *testing.T) {
	j := journal.New()
	c := &journal.Criteria{Method: "GET"}
	results := make(chan journal.Result)
	go func() {
		results <- j.Verify(t.Context(), "a", c, journal.Expectation{Min: 2, Max: 2, Within: time.Minute})
	}()
	for _, method := range []string{"GET", "POST", "GET"} {
		j.Add("a", 0, entry(method, "/", ""))
	}
	if r := <-results; !r.OK || r.Count != 2 {
		t.Errorf("%+v", r)
	}
	// One too many ends the waiting.
	go func() {
		results <- j.Verify(t.Context(), "a", c, journal.Expectation{Min: 0, Max: 2, Within: time.Minute})
	}()
	j.Add("a", 0, entry("GET", "/", ""))
	if r := <-results; r.OK || r.Count != 3 {
		t.Errorf("%+v", r)
	}
	// So does the end of the server.
	go func() {
		results <- j.Verify(t.Context(), "a", c, journal.Expectation{Min: 9, Max: math.MaxInt, Within: time.Minute})
	}()
	j.Close()
	if r := <-results; r.OK || r.Count != 3 || len(r.Misses) != 1 || r.Misses[0].Differences[0].Field != "method" {
		t.Errorf("%+v", r)
	}
}

// The nearest misses are those with the fewest differences.
func TestNearestMisses(t *testing.T) {
	j := journal.New()
	for _, body := range []string{`{"a":1,"b":[1,2]}`, `{"a":2,"b":[1,3]}`, `no JSON`, ``, `{"a":2,"b":[1]}`} {
		j.Add("s", 0, entry("PUT", "/stores/s/v2/x", body))
	}
	c := &journal.Criteria{Method: "PUT", Path: "/v2/*", Body: []byte(`{"a":2.0,"b":[1,2]}`)}
	if err := c.Prepare(); err != nil {
		t.Fatal(err)
	}
	r := j.Verify(t.Context(), "s", c, journal.Expectation{Min: 1, Max: 1})
	got := ""
	for _, m := range r.Misses {
		got += fmt.Sprintln(m.Entry.ID, m.Differences)
	}
	want := "5 [{body.b [1,2] [1]}]\n4 [{body {\"a\":2.0,\"b\":[1,2]} }]\n3 [{body {\"a\":2.0,\"b\":[1,2]} (not JSON)}]\n"
	if r.OK || r.Count != 0 || got != want {
		t.Errorf("%+v\n%s", r, got)
	}
	j.Add("s", 0, entry("PUT", "/stores/s/v2/x", `{"a":2,"b":[1,2.0],"c":3}`))
	if r := j.Verify(t.Context(), "s", c, journal.Expectation{Min: 1, Max: 1}); !r.OK {
		t.Errorf("%+v", r)
	}
}

// A subscriber that does not read loses requests, is told so, and blocks nothing.
func TestSlowSubscriber(t *testing.T) {
	j := journal.New()
	j.Add("a", 0, entry("GET", "/", ""))
	kept, s := j.Subscribe("a", 0)
	for range 300 {
		j.Add("a", 0, entry("GET", "/", ""))
	}
	if got, lost := len(s.C), j.Lost(s); len(kept) != 1 || got+lost != 300 || lost == 0 || j.Lost(s) != 0 {
		t.Errorf("kept %d, got %d, lost %d", len(kept), got, lost)
	}
	j.Forget("a")
	for range s.C { // ends when the store is deleted
	}
	j.Unsubscribe("a", s)
}
