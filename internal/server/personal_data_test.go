package server_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/wirescript"
)

// personal are the fields with personal data, in bodies and filters.
var personal = []string{
	"first_name", "last_name", "email", "phone", "company", "notes", "registration_ip_address",
	"street_1", "street_2", "city", "zip", "password", "password_confirmation",
}

// shortest is the length of the shortest value that is searched for. Shorter values
// occur in any text by chance.
const shortest = 4

// secrets are values that must not be logged, each with the place where it was sent.
type secrets map[string]string

func (s secrets) add(value, where string) {
	if len(value) >= shortest {
		s[value] = where
	}
}

// addSent adds the personal data of a request, and its token.
func (s secrets) addSent(r *http.Request, body string) {
	where := r.Method + " " + r.URL.Path + " "
	s.add(r.Header.Get("X-Auth-Token"), where+"X-Auth-Token")
	query, _ := url.ParseQuery(r.URL.RawQuery) // malformed pairs are omitted
	for _, name := range personal {
		for _, value := range query[name] {
			s.add(value, where+"?"+name)
		}
	}
	d := json.NewDecoder(strings.NewReader(body))
	_ = s.addValue(d, "", where) // an incomplete body is read as far as possible
}

func (s secrets) addValue(d *json.Decoder, field, where string) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case string:
		if slices.Contains(personal, field) {
			s.add(token, where+field)
		}
	case json.Delim:
		for d.More() {
			if token == '{' {
				name, err := d.Token()
				if err != nil {
					return err
				}
				field, _ = name.(string)
			}
			if err := s.addValue(d, field, where); err != nil {
				return err
			}
		}
		_, err = d.Token() // the closing delimiter
	}
	return err
}

// in returns the secrets that a text contains, in any form in which a log or an error
// may quote them.
func (s secrets) in(text string) (found []string) {
	for value, where := range s {
		quoted := strconv.Quote(value)
		for _, form := range []string{value, quoted[1 : len(quoted)-1], url.QueryEscape(value), url.PathEscape(value)} {
			if strings.Contains(text, form) {
				found = append(found, where+" "+quoted)
				break
			}
		}
	}
	slices.Sort(found)
	return found
}

// logs has the log of a server, as text and as JSON.
type logs struct{ text, json buffer }

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var requestID = regexp.MustCompile(`^[A-Z2-7]{26}$`)

func (l *logs) logger() *slog.Logger {
	o := &slog.HandlerOptions{
		Level: slog.LevelDebug - 4, // all levels
		// Times, numbers and request ids have no personal data, but can match a phone
		// number or a name by chance.
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Value.Kind() {
			case slog.KindTime, slog.KindDuration, slog.KindInt64:
				return slog.Attr{}
			case slog.KindString:
				if requestID.MatchString(a.Value.String()) {
					return slog.Attr{}
				}
			}
			return a
		},
	}
	return slog.New(slog.NewMultiHandler(slog.NewTextHandler(&l.text, o), slog.NewJSONHandler(&l.json, o)))
}

// varying are the parts of a log that contain any digits by chance, such as a postal code:
// ids of requests and tokens, times and durations.
var varying = regexp.MustCompile(`[0-9a-f]{16,}|\b(time|took)"?[=:]"?[^ ,"]+`)

// ofRequest matches the message of a line about a request.
var ofRequest = regexp.MustCompile(` msg=request |"msg":"request"`)

// check fails if the log contains a secret, or if it does not have one line per request.
func (l *logs) check(t *testing.T, s secrets, requests int) {
	t.Helper()
	for format, text := range map[string]string{"text": l.text.String(), "JSON": l.json.String()} {
		for _, found := range s.in(varying.ReplaceAllString(text, "")) {
			t.Errorf("the %s log contains %s", format, found)
		}
		if strings.Contains(text, "argon2") {
			t.Errorf("the %s log contains a password hash", format)
		}
		// Work in the background may log too.
		if lines := len(ofRequest.FindAllString(text, -1)); lines != requests {
			t.Errorf("the %s log has %d lines of requests for %d requests:\n%s", format, lines, requests, text)
		}
	}
}

// No personal data of the wire scripts is logged, and no error response repeats it.
func TestNoPersonalDataInLog(t *testing.T) {
	t.Parallel()
	scripts := os.DirFS("../apiv2/testdata")
	names, err := fs.Glob(scripts, "*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var values atomic.Int64
	t.Run("scripts", func(t *testing.T) {
		for _, name := range names {
			text, err := fs.ReadFile(scripts, name)
			if err != nil {
				t.Fatal(err)
			}
			script, err := wirescript.Parse(name, string(text))
			if err != nil {
				t.Fatal(err)
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				dbtest.EachLogic(t, func(t *testing.T, d *db.DB) { values.Add(runLogged(t, d, script)) })
			})
		}
	})
	// The test proves something only if there are values to search for.
	if n := values.Load(); n < 100 {
		t.Errorf("%d scripts send %d values, want at least 100", len(names), n)
	}
}

// runLogged runs a script and returns how many values it searched for. It ignores the
// script's own checks, which other tests run.
func runLogged(t *testing.T, d *db.DB, script *wirescript.Script) int64 {
	var l logs
	known, requests := secrets{}, 0
	// The server stops when the subtest ends; then the log is complete.
	t.Run("requests", func(t *testing.T) {
		s := servertest.Start(t, d, server.Options{Log: l.logger()})
		vars := s.Vars(t)
		for name, value := range vars {
			if strings.HasSuffix(name, "token") {
				known.add(value, name)
			}
		}
		err := script.Run(t.Context(), wirescript.Target{URL: s.URL, Vars: vars}, func(x wirescript.Exchange) {
			requests++
			sent := secrets{}
			sent.addSent(x.Sent, x.Body)
			for value, where := range sent {
				known[value] = where
			}
			if x.Status < 400 {
				return
			}
			for _, found := range sent.in(x.Response) {
				t.Errorf("%s:%d: the error response contains %s: %s", script.Name, x.Case.Line, found, x.Response)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	l.check(t, known, requests)
	return int64(len(known))
}

// requestsOfJane are requests with all fields of personal data.
var requestsOfJane = []struct{ method, path, body string }{
	{"POST", "/customers", `{"first_name":"Janequille","last_name":"Millerton","email":"janequille@example.com","phone":"+1 555-0100",
		"company":"Millerton & Sons","notes":"Calls on Mondays.","registration_ip_address":"192.0.2.17",
		"_authentication":{"password":"correct horse battery","password_confirmation":"correct horse battery"}}`},
	{"PUT", "/customers/1", `{"email":"janequille@example.com","notes":"Calls on Tuesdays.","_authentication":{"password":"wrong horse battery"}}`},
	{"POST", "/customers/1/addresses", `{"first_name":"Janequille","last_name":"Millerton","phone":"+1 555-0100","company":"Millerton & Sons",
		"street_1":"17 Quince Lane","street_2":"Millerton house","city":"Springfield","state":"Ohio","zip":"45501-7","country":"United States"}`},
	{"POST", "/customers/1/validate", `{"password":"correct horse battery"}`},
	{"GET", "/customers?email=janequille@example.com&first_name=Janequille&phone=%2B1+555-0100", ""},
	{"DELETE", "/customers?last_name=Millerton&company=Millerton+%26+Sons", ""},
}

// If the database fails during a request, the log has the cause but no personal data,
// and the response has neither.
func TestNoPersonalDataInFailures(t *testing.T) {
	t.Parallel()
	for _, request := range requestsOfJane {
		t.Run(request.method+" "+request.path, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				// The limits read the clock after authentication and before the
				// handler runs.
				closing := func() time.Time {
					if err := d.Close(); err != nil {
						t.Error(err)
					}
					return time.Time{}
				}
				wantFailure(t, http.StatusServiceUnavailable, "database is closed", request.method, request.path, request.body, func(t *testing.T, log *slog.Logger) *servertest.Server {
					return servertest.Start(t, d, server.Options{Log: log, Now: closing})
				})
			})
		})
	}
}

// A panic in a transaction logs no personal data either.
func TestNoPersonalDataInPanics(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var armed atomic.Bool
		panicking := func() time.Time {
			if armed.Load() {
				panic("the clock stopped")
			}
			return time.Time{}
		}
		create := requestsOfJane[0]
		wantFailure(t, http.StatusInternalServerError, "the clock stopped", create.method, create.path, create.body, func(t *testing.T, log *slog.Logger) *servertest.Server {
			t.Cleanup(func() { armed.Store(false) })
			return servertest.Start(t, d, server.Options{Log: log, Now: func() time.Time { armed.Store(true); return time.Time{} }}, service.WithClock(panicking))
		})
	})
}

// wantFailure sends a request to a server that fails. It checks that the log has the
// cause, and that neither log nor response has personal data.
func wantFailure(t *testing.T, status int, cause, method, path, body string, start func(*testing.T, *slog.Logger) *servertest.Server) {
	t.Helper()
	var l logs
	known := secrets{}
	t.Run("request", func(t *testing.T) {
		s := start(t, l.logger())
		// Only a metered store makes the limits read the clock.
		s.Store(t, cohort.Store{Hash: "abc", Plan: cohort.PlanStandard})
		target := s.URL + "/stores/abc/v2" + path
		token := s.Token(t, "abc", cohort.ScopeCustomers)
		a := send(t, method, target, token, strings.NewReader(body))
		want := `[{"status":503,"message":"The service is unavailable for the moment. Please try again."}]`
		if status == http.StatusInternalServerError {
			want = `[{"status":500,"message":"An internal error occurred. Request id: ` + a.header.Get("X-Request-Id") + `"}]`
		}
		if a.status != status || a.body != want {
			t.Errorf("%d %s, want %s", a.status, a.body, want)
		}
		sent, err := http.NewRequest(method, target, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		sent.Header.Set("X-Auth-Token", token)
		known.addSent(sent, body)
	})
	l.check(t, known, 1)
	if len(known) < 2 || !strings.Contains(l.text.String(), cause) || !strings.Contains(l.json.String(), cause) {
		t.Errorf("%d values were sent; want %q in the log:\n%s", len(known), cause, l.text.String())
	}
}
