package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// browser sends requests with the cookies that it has got.
type browser struct {
	*fixture
	host    string
	cookies map[string]string
}

// withLogin is a console with a login, and a browser on this machine.
func withLogin(t *testing.T) *browser {
	t.Helper()
	f := newFixture(t)
	o := f.Options
	o.Login, o.Now = true, func() time.Time { return f.time }
	f.Console = New(o)
	return &browser{f, "localhost:9000", map[string]string{}}
}

func (b *browser) send(t *testing.T, method, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form.Encode()))
	r.Host = b.host
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

// operator creates an operator and logs in.
func (b *browser) operator(t *testing.T, name string, readOnly bool) (o cohort.Operator) {
	t.Helper()
	o, token, err := b.svc.CreateOperator(t.Context(), name, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	if w := b.send(t, "POST", "/console/login", url.Values{"token": {token}}); w.Code != 303 || w.Header().Get("Location") != Prefix {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return o
}

// Without a session, no route but those for logging in gives or does anything.
func TestEveryRouteNeedsASession(t *testing.T) {
	b := withLogin(t)
	for _, session := range []string{"", "a session that is none", secret} {
		b.cookies = map[string]string{"cohort-session": session}
		for _, r := range b.routes() {
			if r.public {
				continue
			}
			path := Prefix + strings.NewReplacer("{hash}", "abc", "{id}", "1").Replace(r.path)
			w := b.send(t, r.method, path, url.Values{"confirmed": {"yes"}})
			want := http.StatusSeeOther
			if r.method == "POST" {
				want = http.StatusUnauthorized
			}
			if w.Code != want || strings.Contains(w.Body.String(), "abc") && r.method == "POST" {
				t.Errorf("%s %s: %d\n%s", r.method, path, w.Code, w.Body)
			}
		}
	}
	if got := b.send(t, "GET", b.path("tokens")+"?x=1", nil).Header().Get("Location"); got != "/console/login?to=%2Fconsole%2Fstores%2Fabc%2Ftokens%3Fx%3D1" {
		t.Error(got)
	}
}

// An operator who may only read gets no route that changes something.
func TestReadOnlyOperator(t *testing.T) {
	b := withLogin(t)
	b.operator(t, "Ann", true)
	for _, r := range b.routes() {
		if r.public || r.method != "POST" {
			continue
		}
		path := Prefix + strings.NewReplacer("{hash}", "abc", "{id}", "1").Replace(r.path)
		if w := b.send(t, r.method, path, nil); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := b.send(t, "GET", b.path("tokens"), nil); w.Code != 200 || !strings.Contains(w.Body.String(), "<span>Ann") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The history names the operator who made a change.
func TestOperatorInHistory(t *testing.T) {
	b := withLogin(t)
	b.operator(t, "Ann", false)
	for _, reason := range []string{"", "a contract"} {
		b.send(t, "POST", b.path("groups", "new"), url.Values{"name": {"Trade" + reason}, "access": {"all"}, "reason": {reason}})
	}
	page, err := b.svc.Events(t.Context(), b.store.Key, cohort.EventFilter{}, 10)
	if err != nil || len(page.Events) != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	for i, reason := range []string{"", "a contract"} {
		if e := page.Events[i]; e.Actor != cohort.ActorConsole || e.ActorName != "Ann" || e.Reason != reason {
			t.Errorf("%+v", e)
		}
	}
}

func TestSession(t *testing.T) {
	b := withLogin(t)
	b.operator(t, "Ann", false)
	first := b.cookies["cohort-session"]
	b.time = b.time.Add(service.SessionIdle + time.Second)
	if w := b.send(t, "GET", "/console/stores", nil); w.Code != 303 {
		t.Errorf("an idle session: %d", w.Code)
	}
	o := b.operator(t, "Bob", false)
	if second := b.cookies["cohort-session"]; second == first {
		t.Error("a login has kept the session")
	}
	if w := b.send(t, "GET", "/console/operators", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "Bob <span") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	stolen := b.cookies["cohort-session"]
	b.send(t, "POST", "/console/logout", nil)
	b.cookies["cohort-session"] = stolen
	if w := b.send(t, "GET", "/console/stores", nil); w.Code != 303 {
		t.Errorf("a session that was logged out: %d", w.Code)
	}
	ann := b.operator(t, "Eve", false)
	if w := b.send(t, "POST", "/console/operators/"+o.ID+"/revoke", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "All sessions of the operator end") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.send(t, "POST", "/console/operators/"+ann.ID+"/revoke", url.Values{"confirmed": {"yes"}})
	if w := b.send(t, "GET", "/console/stores", nil); w.Code != 303 {
		t.Errorf("a session of a revoked operator: %d", w.Code)
	}
}

// Beyond this machine the cookie is for TLS alone, and no other host can set it.
func TestCookie(t *testing.T) {
	b := withLogin(t)
	b.host, b.AnyHost = "console.example", true
	b.operator(t, "Ann", false)
	if b.cookies["__Host-cohort"] == "" || len(b.cookies) != 1 {
		t.Errorf("%v", b.cookies)
	}
	b.send(t, "POST", "/console/logout", nil)
	_, token, err := b.svc.CreateOperator(t.Context(), "Bob", false)
	if err != nil {
		t.Fatal(err)
	}
	w := b.send(t, "POST", "/console/login", url.Values{"token": {token}})
	for _, want := range []string{"; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Strict"} {
		if got := w.Header().Get("Set-Cookie"); !strings.HasSuffix(got, want) {
			t.Errorf("%q", got)
		}
	}
}

// After some failures an address has to wait, also with the right token.
func TestFailedLogins(t *testing.T) {
	b := withLogin(t)
	_, token, err := b.svc.CreateOperator(t.Context(), "Ann", false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxFailures {
		if w := b.send(t, "POST", "/console/login", url.Values{"token": {secret}}); w.Code != 401 || !strings.Contains(w.Body.String(), "No operator has this token.") {
			t.Errorf("%d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := b.send(t, "POST", "/console/login", url.Values{"token": {token}}); w.Code != 429 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.time = b.time.Add(failureWindow)
	if w := b.send(t, "POST", "/console/login", url.Values{"token": {token}, "to": {"/console/stores?x=1"}}); w.Code != 303 || w.Header().Get("Location") != "/console/stores?x=1" {
		t.Errorf("%d %s", w.Code, w.Header())
	}
}

// A login leads to pages of the console only.
func TestOwnPath(t *testing.T) {
	for to, want := range map[string]string{
		"/console/stores": "/console/stores", "": Prefix, "https://evil.example/console/": Prefix, "//evil.example/console/": Prefix,
		"/console/../x": Prefix, `/\evil.example`: Prefix, `/console/\x`: Prefix, "javascript:alert(1)": Prefix, "/stores/abc": Prefix,
	} {
		if got := ownPath(to); got != want {
			t.Errorf("%q: %q", to, got)
		}
	}
}
