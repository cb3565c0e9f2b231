package control_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/wiretest"
)

// TestWire runs the wire scripts in testdata, each with an empty database.
func TestWire(t *testing.T) {
	wiretest.Run(t, os.DirFS("testdata"), (*servertest.Server).V3Vars)
}

// Every operation refuses requests without the token and requests of pages of other sites,
// and does nothing.
func TestEveryOperationIsGuarded(t *testing.T) {
	const token = "the control token"
	svc := service.New(dbtest.SQLite(t))
	open := control.New(control.Options{Service: svc})
	guarded := control.New(control.Options{Service: svc, Token: token})
	for _, r := range open.Routes() {
		for name, test := range map[string]struct {
			api    *control.API
			header http.Header
			status int
		}{
			"no token":          {guarded, http.Header{}, 401},
			"a wrong token":     {guarded, http.Header{"Authorization": {"Bearer the control toker"}}, 401},
			"no scheme":         {guarded, http.Header{"Authorization": {token}}, 401},
			"an empty token":    {guarded, http.Header{"Authorization": {"Bearer "}}, 401},
			"another site":      {guarded, http.Header{"Authorization": {"Bearer " + token}, "Origin": {"https://evil.example"}}, 403},
			"another port":      {open, http.Header{"Origin": {"http://localhost:9"}}, 403},
			"no origin":         {open, http.Header{"Origin": {"null"}}, 403},
			"a page's request":  {open, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
			"a sibling's":       {open, http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
			"origin and no key": {guarded, http.Header{"Origin": {"http://localhost"}}, 401},
		} {
			path := control.Prefix + strings.ReplaceAll(r.Path, "{hash}", "abc")
			req := httptest.NewRequestWithContext(t.Context(), r.Method, path, nil)
			req.Host, req.Header = "localhost", test.header
			w := httptest.NewRecorder()
			test.api.ServeHTTP(w, req)
			if w.Code != test.status || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s, %s: %d %s", r.Method, path, name, w.Code, w.Body)
			}
		}
	}
	if stores, err := svc.ListStores(t.Context()); len(stores) > 0 || err != nil {
		t.Errorf("a refused request created %v, error %v", stores, err)
	}
}

// A server without the control API has none of its paths.
func TestServerWithoutControl(t *testing.T) {
	s := httptest.NewServer(server.New(service.New(dbtest.SQLite(t)), server.Options{}))
	defer s.Close()
	for _, r := range control.New(control.Options{}).Routes() {
		got := servertest.Send(t, r.Method, s.URL+control.Prefix+r.Path, "", "")
		if got.Status != http.StatusNotFound || got.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("%s %s: %d %s", r.Method, r.Path, got.Status, got.Body)
		}
	}
}

// With --dev, a page whose host name leads to this machine is refused (DNS rebinding).
func TestForeignHost(t *testing.T) {
	s := servertest.Start(t, dbtest.SQLite(t), server.Options{LoopbackOnly: true})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+control.Prefix+"/stores", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "rebound.example"
	req.Header.Set("Authorization", "Bearer "+servertest.ControlToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", res.StatusCode)
	}
}

// Rules of stores that are gone make room for new ones.
func TestFaultsOfStoresThatAreGone(t *testing.T) {
	var faults fault.Set
	for i := 0; ; i++ {
		_, err := faults.Put(fmt.Sprint("gone-", i), make([]fault.Rule, fault.MaxRules))
		if errors.Is(err, fault.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	svc := service.New(dbtest.SQLite(t))
	if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "abc"}); err != nil {
		t.Fatal(err)
	}
	api := control.New(control.Options{Service: svc, Faults: &faults})
	for i, want := range []int{201, 200, 422} {
		method, body := "POST", `{"action":"reset"}`
		if i > 0 {
			method, body = "PUT", `{"faults":[`+strings.Repeat(body+",", fault.MaxRules-2+i)+body+`]}`
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, control.Prefix+"/stores/abc/faults", strings.NewReader(body)))
		if w.Code != want {
			t.Errorf("%s: %d %.200s, want %d", method, w.Code, w.Body, want)
		}
	}
	if len(faults.List("gone-0")) > 0 || len(faults.List("abc")) != fault.MaxRules {
		t.Errorf("abc has %d rules", len(faults.List("abc")))
	}
}
