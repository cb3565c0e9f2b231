package controlclient_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/controlclient"
)

// answer serves one response and returns a client of the server.
func answer(t *testing.T, token string, handle http.HandlerFunc) *controlclient.Client {
	t.Helper()
	srv := httptest.NewServer(handle)
	t.Cleanup(srv.Close)
	client, err := controlclient.New(srv.URL+"/", token, "")
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		call       controlclient.Call
		kind, body string
	}{
		{controlclient.Call{Method: "GET", Path: controlclient.StorePath("a/b", "snapshots", "x y")}, "", ""},
		{controlclient.Call{Method: "PUT", Path: controlclient.StorePath("a/b", "snapshots", "x y"), Body: map[string]int{"n": 1}}, "application/json", `{"n":1}`},
		{controlclient.Call{Method: "PUT", Path: controlclient.StorePath("a/b", "snapshots", "x y"), Body: controlclient.Raw{ContentType: "application/yaml", Text: []byte("a: b")}}, "application/yaml", "a: b"},
	} {
		client := answer(t, "secret", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.Method != c.call.Method || r.URL.EscapedPath() != "/_cohort/v1/stores/a%2Fb/snapshots/x%20y" || string(body) != c.body ||
				r.Header.Get("Content-Type") != c.kind || r.Header.Get("Authorization") != "Bearer secret" {
				t.Errorf("%s %s, %q of type %q, %q", r.Method, r.URL.EscapedPath(), body, r.Header.Get("Content-Type"), r.Header.Get("Authorization"))
			}
			fmt.Fprint(w, `{"ok":true}`)
		})
		if text, err := client.Do(t.Context(), c.call); err != nil || string(text) != `{"ok":true}` {
			t.Errorf("%s, error %v", text, err)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const problem = "application/problem+json; charset=utf-8"
	for _, c := range []struct {
		status           int
		kind, body, want string
	}{
		{422, problem, `{"detail":"No.","errors":[{"field":"times","detail":"Must not be negative."},{"field":"a.b","detail":"There is no such field."}]}`,
			"the server refuses times: Must not be negative. the server refuses a.b: There is no such field."},
		{422, problem, `{"detail":"Line 3: a: No.","errors":[{"field":"a","detail":"No.","line":3}]}`, "the server refuses line 3, a: No."},
		{404, problem, `{"detail":"There is no store abc."}`, "There is no store abc."},
		{500, problem, `{}`, "500 Internal Server Error"},
		{401, problem, `{"detail":"needs"}`, "the server does not accept this control token"},
		{404, "application/json", `[{"status":404}]`, "the server at URL has no control API; it needs --dev or --control-token"},
		{502, "text/html", `<html>`, "the server at URL answers 502 Bad Gateway, which is not of the control API"},
		{422, problem, `{"detail":`, "the server at URL answers 422 Unprocessable Entity, which is not of the control API"},
		{307, "", ``, "the server at URL answers 307 Temporary Redirect, which is not of the control API"},
	} {
		client := answer(t, "wrong", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.Header().Set("Location", "http://other.example/")
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		_, err := client.Do(t.Context(), controlclient.Call{Method: "GET", Path: "/health"})
		if err == nil || strings.ReplaceAll(err.Error(), client.URL(), "URL") != c.want {
			t.Errorf("%d %s: %v, want %s", c.status, c.body, err, c.want)
		}
	}
	client := answer(t, "", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", problem)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, "{}")
	})
	if _, err := client.Do(t.Context(), controlclient.Call{Method: "GET", Path: "/health"}); err == nil || !strings.Contains(err.Error(), "COHORT_CONTROL_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
}

func TestBrokenResponses(t *testing.T) {
	t.Parallel()
	cut := answer(t, "", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "{")
	})
	if _, err := cut.Do(t.Context(), controlclient.Call{Method: "GET", Path: "/health"}); err == nil || !strings.Contains(err.Error(), "broke off") {
		t.Errorf("a response that is cut off: %v", err)
	}
	other := answer(t, "", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") })
	var into struct{ N int }
	if err := other.Decode(t.Context(), controlclient.Call{Method: "GET", Path: "/health"}, &into); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("another JSON: %v", err)
	}
	mebibyte := bytes.Repeat([]byte("x"), 1<<20)
	large := answer(t, "", func(w http.ResponseWriter, _ *http.Request) {
		for range 65 {
			if _, err := w.Write(mebibyte); err != nil {
				return
			}
		}
	})
	if err := large.Copy(t.Context(), controlclient.Call{Method: "GET", Path: "/health"}, io.Discard); err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("a large response: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(nil)
	srv.Close()
	client, err := controlclient.New(srv.URL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Do(t.Context(), controlclient.Call{Method: "GET", Path: "/health"})
	if _, ok := errors.AsType[*controlclient.UnreachableError](err); !ok || err.Error() != "no server answers at "+srv.URL+`; "cohort start" starts one` {
		t.Errorf("error %v", err)
	}
	tls := httptest.NewTLSServer(nil)
	defer tls.Close()
	client, err = controlclient.New(tls.URL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Do(t.Context(), controlclient.Call{Method: "GET", Path: "/health"})
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: tls.Certificate().Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	if client, err = controlclient.New(tls.URL, "", file); err != nil {
		t.Fatal(err)
	}
	_, err = client.Do(t.Context(), controlclient.Call{Method: "GET", Path: "/health"})
	if err == nil || strings.Contains(err.Error(), "certificate") { // the server has no such path
		t.Errorf("a certificate to trust: %v", err)
	}
	if _, err := controlclient.New(tls.URL, "", file+"x"); err == nil {
		t.Error("a missing certificate was accepted")
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "127.0.0.1:8080", "ftp://x", "http://", "http://user:password@x", "http://x?a=b", "http://x#a", "http://[", "://"} {
		if _, err := controlclient.New(server, "", ""); err == nil {
			t.Errorf("%q is accepted", server)
		}
	}
}
