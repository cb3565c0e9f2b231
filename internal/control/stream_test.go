package control_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// A stream sends each request as it ends, without those of other stores, and ends with the
// journal. The client accepts gzip, as most do.
func TestStream(t *testing.T) {
	j := journal.New()
	s := servertest.Start(t, dbtest.SQLite(t), server.Options{Journal: j})
	vars := s.Vars(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+control.Prefix+"/stores/abc/requests/stream?operation=getTime", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+servertest.ControlToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func(prefix string) string {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), prefix) {
				return lines.Text()
			}
		}
		t.Fatalf("the stream ended before %q: %v", prefix, lines.Err())
		return ""
	}
	next(": the requests of abc") // from here on the stream gets all
	for _, path := range []string{"/stores/other/v2/time", "/stores/abc/v2/store", "/stores/abc/v2/time"} {
		servertest.Send(t, http.MethodGet, s.URL+path, vars["token"], "")
	}
	if got := next("data: "); !strings.Contains(got, `"path":"/stores/abc/v2/time"`) || !strings.Contains(got, `"status":200`) {
		t.Error(got)
	}
	j.Close()
	if lines.Scan() && lines.Text() != "" || lines.Scan() || lines.Err() != nil {
		t.Errorf("the stream goes on with %q, error %v", lines.Text(), lines.Err())
	}
}

// The requests of a deleted store are gone, and those of a new one with its hash are its
// own.
func TestDeletedStore(t *testing.T) {
	s := servertest.Start(t, dbtest.SQLite(t), server.Options{})
	call := func(method, path, body string) servertest.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+control.Prefix+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+servertest.ControlToken)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return servertest.Response{Status: res.StatusCode, Body: string(text)}
	}
	const create = `{"hash":"one","token":"a secret of the test"}`
	for range 2 {
		call(http.MethodPost, "/stores", create)
		servertest.Send(t, http.MethodGet, s.URL+"/stores/one/v2/time", "a secret of the test", "")
		if got := call(http.MethodPost, "/stores/one/requests/count", ""); got.Body != `{"count":1}` {
			t.Error(got.Body)
		}
		call(http.MethodDelete, "/stores/one", "")
		servertest.Send(t, http.MethodGet, s.URL+"/stores/one/v2/time", "a secret of the test", "") // leaves a trace of a store that does not exist
		if got := call(http.MethodGet, "/stores/one/requests", ""); got.Status != http.StatusNotFound {
			t.Error(got.Status)
		}
	}
}

// A server without the journal says so.
func TestWithoutJournal(t *testing.T) {
	api := control.New(control.Options{})
	for _, r := range api.Routes() {
		if !strings.Contains(r.Path, "/requests") {
			continue
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), r.Method, control.Prefix+r.Path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s %s: %d", r.Method, r.Path, w.Code)
		}
	}
}
