package recorder_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/exchange"
	"cohort.example/cohort/internal/recorder"
	"cohort.example/cohort/internal/upstream"
)

const token = "s3cr3t-t0ken-of-the-store"

// proxy is a proxy in front of a store.
type proxy struct {
	url    string
	end    func() []*exchange.Exchange // waits for all requests, and returns the recording
	errors []error
}

func start(t *testing.T, allowWrites bool, store http.HandlerFunc) *proxy {
	t.Helper()
	s := httptest.NewServer(store)
	t.Cleanup(s.Close)
	to, err := upstream.ParseURL(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := exchange.NewWriter(&file, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	var mu sync.Mutex
	h := recorder.New(recorder.Options{To: to, Writer: w, AllowWrites: allowWrites, Failed: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		p.errors = append(p.errors, err)
	}})
	front := httptest.NewServer(h)
	t.Cleanup(front.Close)
	p.url = front.URL
	p.end = func() (list []*exchange.Exchange) {
		front.Close()
		h.Close()
		if strings.Contains(file.String(), token) {
			t.Errorf("the recording has the token:\n%s", file.String())
		}
		for e, err := range exchange.Read("file", &file) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, e)
		}
		return list
	}
	return p
}

func (p *proxy) send(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	// A transport repeats a GET whose connection it has used before and is closed.
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return nil, "(" + err.Error() + ")"
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		text = append(text, " ("+err.Error()+")"...)
	}
	return res, string(text)
}

// The store gets what the client has sent, and the client what the store has answered.
func TestPassesOn(t *testing.T) {
	t.Parallel()
	p := start(t, true, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Mine", "1")
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
		fmt.Fprintf(w, `{"id":7,"name":%q}`, fmt.Sprint(r.Method, r.RequestURI, string(body), r.Header["X-Auth-Token"], r.Header["X-Hop"], r.Header["X-Forwarded-For"]))
	})
	res, body := p.send(t, "POST", "/stores/abc/v2//customers/%2e?a=1;b&%zz", `{"first_name":"Jo"}`, "Connection", "X-Hop", "X-Hop", "1", "X-Forwarded-For", "1.2.3.4")
	want := `{"id":7,"name":` + fmt.Sprintf("%q", `POST/stores/abc/v2//customers/%2e?a=1;b&%zz{"first_name":"Jo"}[`+token+`] [] []`) + `}`
	if res.StatusCode != http.StatusFound || res.Header.Get("X-Mine") != "1" || res.Header.Get("X-Hop") != "" || body != want {
		t.Errorf("%d %v %s, want %s", res.StatusCode, res.Header, body, want)
	}
	list := p.end()
	if len(list) != 1 || list[0].Status != 302 || list[0].Response.Body.Size != int64(len(want)) || !strings.HasPrefix(list[0].Request.Body.JSON.String(), `{"first_name":`) {
		t.Fatalf("%+v", list)
	}
	if name, _ := list[0].Request.Body.JSON.Get("first_name"); name.Text == "Jo" || len(name.Text) != 2 {
		t.Errorf("the name is written as %s", name)
	}
}

// Only GET and HEAD of stores reach it without AllowWrites.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	p := start(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" && r.Method != "HEAD" {
			t.Errorf("the store got %s", r.Method)
		}
		fmt.Fprint(w, `[]`)
	})
	for request, want := range map[string]int{
		"POST /stores/abc/v2/customers": 403, "DELETE /stores/abc/v2/customers": 403, "OPTIONS /stores/abc/v2/customers": 403,
		"GET /livez": 404, "GET /stores/abc/payments": 404, "GET /stores//v2/customers": 404, "GET /stores/abc/v2/../../x": 404,
		"GET /stores/abc/v2/customers": 200, "HEAD /stores/abc/v3/customers": 200,
	} {
		method, path, _ := strings.Cut(request, " ")
		if res, body := p.send(t, method, path, ""); res.StatusCode != want {
			t.Errorf("%s: %d %s", request, res.StatusCode, body)
		}
	}
	list := p.end()
	if len(list) != 2 || len(p.errors) > 0 {
		t.Errorf("%+v, %v", list, p.errors)
	}
	for _, e := range list {
		if e.Method == "HEAD" && e.Response.Body != (exchange.Body{}) {
			t.Errorf("the body of HEAD is %+v", e.Response.Body)
		}
	}
}

// A compressed response is recorded as text, and the client gets it as text.
func TestGzip(t *testing.T) {
	t.Parallel()
	p := start(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding: %s", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		fmt.Fprint(z, `[{"id":1}]`)
		z.Close()
	})
	res, body := p.send(t, "GET", "/stores/abc/v2/customers", "", "Accept-Encoding", "br, gzip")
	if body != `[{"id":1}]` || res.Header.Get("Content-Encoding") != "" {
		t.Errorf("%v %q", res.Header, body)
	}
	if list := p.end(); list[0].Response.Body.JSON.String() != `[{"id":1}]` {
		t.Errorf("%+v", list[0].Response.Body)
	}
}

// A large body is passed on and left out of the recording. One beyond the limit is not
// passed on whole.
func TestLarge(t *testing.T) {
	t.Parallel()
	large := `["` + strings.Repeat("x", exchange.MaxBody) + `"]`
	p := start(t, true, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/announced"):
			w.Header().Set("Content-Length", fmt.Sprint(upstream.MaxResponse+1))
			w.WriteHeader(http.StatusOK)
		default:
			_, _ = io.Copy(w, r.Body)
		}
	})
	if _, body := p.send(t, "POST", "/stores/abc/v2/echo", large); body != large {
		t.Errorf("%d bytes arrive", len(body))
	}
	if res, body := p.send(t, "POST", "/stores/abc/v2/echo", strings.Repeat("x", upstream.MaxRequest+1)); res != nil && res.StatusCode != http.StatusRequestEntityTooLarge { // nil: the connection closed while the client sent
		t.Errorf("%d %.100s", res.StatusCode, body)
	}
	if res, body := p.send(t, "GET", "/stores/abc/v2/announced", ""); res.StatusCode != http.StatusBadGateway {
		t.Errorf("%d %.100s", res.StatusCode, body)
	}
	list := p.end()
	for _, e := range list {
		if e.Response.Body.Left != "too large" || e.Response.Body.JSON != nil {
			t.Errorf("%s: %+v", e.Path, e.Response.Body)
		}
	}
	if len(list) != 1 || len(p.errors) != 1 {
		t.Errorf("%+v, %v", list, p.errors)
	}
}

// A store that does not answer, or breaks off, is an error and the client learns of it.
func TestBrokenStore(t *testing.T) {
	t.Parallel()
	p := start(t, false, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/half") {
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "[{")
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	})
	if res, body := p.send(t, "GET", "/stores/abc/v2/none", ""); res.StatusCode != http.StatusBadGateway || body != "cohort record cannot reach the store" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if _, body := p.send(t, "GET", "/stores/abc/v2/half", ""); !strings.HasSuffix(body, "EOF)") {
		t.Errorf("%s", body)
	}
	list := p.end()
	if len(list) != 1 || list[0].Response.Body.Left != "too large" || list[0].Response.Body.Size != 10 || len(p.errors) != 1 {
		t.Errorf("%+v, %v", list, p.errors)
	}
}
