package pricing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/pricing"
	"cohort.example/cohort/internal/service"
)

// received is a request that a system has received.
type received struct {
	method, path string
	header       http.Header
	body         []byte
}

// system is a pricing system that confirms all calls, unless the test sets another
// handler.
type system struct {
	*httptest.Server
	respond http.HandlerFunc
	mu      sync.Mutex
	calls   []received
}

func newSystem(t *testing.T) *system {
	t.Helper()
	s := &system{respond: echo}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *system) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.calls = append(s.calls, received{r.Method, r.URL.Path, r.Header, body})
	s.mu.Unlock()
	s.respond(w, r)
}

func (s *system) last() received {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) == 0 {
		return received{}
	}
	return s.calls[len(s.calls)-1]
}

func (s *system) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

func echo(w http.ResponseWriter, r *http.Request) {
	_ = json.NewEncoder(w).Encode(map[string]string{"idempotency_key": r.Header.Get("Idempotency-Key")})
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func newClient(t *testing.T, url string) *pricing.Client {
	t.Helper()
	c, err := pricing.New(pricing.Options{URL: url, Secret: exampleSecret, Now: func() time.Time { return exampleTime }, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newImpatientClient returns a client with a short timeout.
func newImpatientClient(t *testing.T, url string) *pricing.Client {
	t.Helper()
	c, err := pricing.New(pricing.Options{URL: url, Secret: exampleSecret, Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantFailure fails unless a call fails with an error that contains the text and no
// secret.
func wantFailure(t *testing.T, c *pricing.Client, text string) {
	t.Helper()
	five, _ := example()
	err := c.PushSitewide(context.Background(), five)
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want one with %q", err, text)
		return
	}
	for _, secret := range []string{exampleSecret, "hidden", "sha256="} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error contains %q: %v", secret, err)
		}
	}
}

func TestFailedResponses(t *testing.T) {
	t.Parallel()
	const noKey, noObject = "does not repeat the idempotency key", "not a JSON object"
	echoed := fmt.Sprintf(`{"idempotency_key":%q}`, exampleKey)
	for name, c := range map[string]struct {
		respond http.HandlerFunc
		text    string
	}{
		"200 with a page":              {say(200, "<html>Please sign in</html>"), noObject},
		"200 with nothing":             {say(200, ""), noObject},
		"200 with null":                {say(200, "null"), noObject},
		"200 with a list":              {say(200, "["+echoed+"]"), noObject},
		"200 with the key alone":       {say(200, `"`+exampleKey+`"`), noObject},
		"200 with more than an object": {say(200, echoed+echoed), noObject},
		"200 cut off":                  {say(200, echoed[:len(echoed)-1]), noObject},
		"200 without the key":          {say(200, `{"ok":true}`), noKey},
		"200 with another key":         {say(200, `{"idempotency_key":"X`+exampleKey[1:]+`"}`), noKey},
		"200 with a null key":          {say(200, `{"idempotency_key":null}`), noKey},
		"200 with a number":            {say(200, `{"idempotency_key":1}`), noKey},
		"200 with a name like it":      {say(200, strings.ToUpper(echoed)), noKey},
		"200 with the key further in":  {say(200, `{"data":`+echoed+`}`), noKey},
		"204":                          {say(204, ""), noObject},
		"304":                          {say(304, ""), "status 304"},
		"300 with the key":             {say(300, echoed), "status 300"},
		"400 with the key":             {say(400, echoed), "status 400"},
		"401":                          {say(401, echoed), "status 401"},
		"500":                          {say(500, echoed), "status 500"},
		"200 too long":                 {say(200, echoed+strings.Repeat(" ", 64<<10)), "too long"},
		"200 without an end":           {endless, "too long"},
		"200 less than it says": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, echoed)
		}, "cannot be reached"},
		"a header without an end": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
			echo(w, r)
		}, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			s.respond = c.respond
			wantFailure(t, newClient(t, s.URL+"/hidden"), c.text)
			if s.count() != 1 {
				t.Errorf("%d calls", s.count())
			}
		})
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 1<<10)); err != nil {
			return
		}
	}
}

func TestSuccessfulResponses(t *testing.T) {
	t.Parallel()
	echoed := fmt.Sprintf(`{"idempotency_key":%q}`, exampleKey)
	for name, respond := range map[string]http.HandlerFunc{
		"200":              say(200, echoed),
		"201":              say(201, echoed),
		"202, more fields": say(202, ` {"ok":{"x":[1]},"idempotency_key":"`+exampleKey+`","n":1} `),
		"the longest body": say(200, echoed+strings.Repeat(" ", 64<<10-len(echoed))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			s.respond = respond
			five, _ := example()
			if err := newClient(t, s.URL).PushSitewide(context.Background(), five); err != nil {
				t.Error(err)
			}
		})
	}
}

// A redirect is a failure, and its target gets no call.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	target := newSystem(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := newSystem(t)
		s.respond = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, status) }
		wantFailure(t, newClient(t, s.URL+"/hidden"), fmt.Sprint("status ", status))
	}
	if n := target.count(); n != 0 {
		t.Errorf("the target of the redirect got %d calls", n)
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	wantFailure(t, newClient(t, "http://"+l.Addr().String()+"/hidden"), "connection refused")
}

// A call ends by its timeout, no matter how far the response has come.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for name, respond := range map[string]http.HandlerFunc{
		"no response": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a header without a body": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"byte by byte": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(10 * time.Millisecond):
				case <-r.Context().Done():
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			s.respond = respond
			wantFailure(t, newImpatientClient(t, s.URL+"/hidden"), "did not respond in time")
		})
	}
	t.Run("accepts the connection only", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		wantFailure(t, newImpatientClient(t, "http://"+l.Addr().String()+"/hidden"), "did not respond in time")
	})
}

// Canceling the caller's context ends the call.
func TestContextCanceled(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.respond = func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }
	five, _ := example()
	if err := newClient(t, s.URL).PushSitewide(ctx, five); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestUnknownCertificate(t *testing.T) {
	t.Parallel()
	s := &system{respond: echo}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	wantFailure(t, newClient(t, s.URL+"/hidden"), "certificate")
	if s.count() != 0 {
		t.Error("the call was sent")
	}
}

func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"":                                "https://HOST/PATH",
		"pricing.example.com":             "https://HOST/PATH",
		"ftp://example.com":               "https://HOST/PATH",
		"https://":                        "https://HOST/PATH",
		"https:///path":                   "https://HOST/PATH",
		"https://:443/path":               "https://HOST/PATH",
		"http://example.com":              "has to be https",
		"http://192.0.2.1/":               "has to be https",
		"http://localhost.example.com":    "has to be https",
		"http://127.0.0.1.example.com":    "has to be https",
		"https://user:hidden@example.com": "no user",
		"https://example.com/?k=hidden":   "no query",
		"https://example.com/?":           "no query",
		"https://example.com/#x":          "no fragment",
		"https://hidden\x7f":              "not a URL",
	} {
		_, err := pricing.New(pricing.Options{URL: url, Secret: exampleSecret})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: error %v, want %q", url, err, want)
		}
	}
	for _, url := range []string{"https://example.com", "https://192.0.2.1:8443/a/b", "http://localhost:1/", "http://127.8.9.1", "http://[::1]:80/"} {
		if _, err := pricing.New(pricing.Options{URL: url, Secret: strings.Repeat("x", 16)}); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	_, err := pricing.New(pricing.Options{URL: "https://example.com", Secret: "fifteen bytes.."})
	if err == nil || !strings.Contains(err.Error(), "15 bytes") || strings.Contains(err.Error(), "fifteen") {
		t.Errorf("a short secret: %v", err)
	}
}

var _ service.Pusher = (*pricing.Client)(nil)
