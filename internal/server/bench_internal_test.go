package server

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// These benchmarks measure the cost of a request around its handler, without a network:
// GET /time needs no database query once the token is cached. bench/ measures whole
// requests.

// discarded is a response writer that discards the response.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(b []byte) (int, error) { return len(b), nil }
func (d *discarded) WriteHeader(status int)      { d.status = status }

// newLocal returns a server on a database with the store, and a token of the store.
func newLocal(b *testing.B, store cohort.Store, log *slog.Logger) (s *Server, token string) {
	b.Helper()
	svc := service.New(dbtest.SQLite(b))
	if _, err := svc.CreateStore(b.Context(), store); err != nil {
		b.Fatal(err)
	}
	_, token, err := svc.CreateToken(b.Context(), cohort.Token{StoreKey: store.Hash, Scopes: cohort.Scopes()})
	if err != nil {
		b.Fatal(err)
	}
	return New(svc, Options{Log: log}), token
}

// request returns a request with the headers that common clients send.
func request(path, token string, header ...string) *http.Request {
	r := &http.Request{Method: "GET", URL: &url.URL{Path: path}, Header: http.Header{
		"X-Auth-Token": {token}, "Accept": {"application/json"}, "User-Agent": {"client/1.0"},
	}}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func BenchmarkRequest(b *testing.B) {
	unlimited := cohort.Store{Hash: "abc", Key: "abc", Plan: cohort.PlanUnlimited}
	metered := cohort.Store{Hash: "abc", Key: "abc", Plan: cohort.PlanEnterprise, Quota: cohort.MaxQuota}
	text := slog.New(slog.NewTextHandler(io.Discard, nil))
	for _, c := range []struct {
		name   string
		store  cohort.Store
		log    *slog.Logger
		header []string
	}{
		{"plain", unlimited, nil, nil},
		{"text-log", unlimited, text, nil},
		{"json-log", unlimited, slog.New(slog.NewJSONHandler(io.Discard, nil)), nil},
		{"metered", metered, nil, nil},
		{"gzip", unlimited, nil, []string{"Accept-Encoding", "gzip"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, token := newLocal(b, c.store, c.log)
			r := request("/stores/abc/v2/time", token, c.header...)
			w := &discarded{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				s.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// BenchmarkRequestID compares newRequestID with an id from crypto/rand.
func BenchmarkRequestID(b *testing.B) {
	for name, id := range map[string]func() string{"ours": newRequestID, "crypto-rand": rand.Text} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = id()
			}
		})
	}
}
