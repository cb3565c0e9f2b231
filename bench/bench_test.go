// Package bench measures Cohort from the side of its clients: whole requests
// through the whole handler, on a database as "cohort serve" opens it.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/content"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

const (
	// present is the number of groups in the store before a benchmark begins.
	present = 10_000
	// callers is the number of concurrent clients. It is the concurrency limit
	// of one store and operation.
	callers = 40

	secret = "bench-token"
	groups = "/stores/bench/v2/customer_groups"
	body   = `{"name":"Wholesale","category_access":{"type":"specific","categories":[18,19]},` +
		`"discount_rules":[{"type":"all","method":"percent","amount":5},{"type":"category","category_id":18,"method":"price","amount":"2.50"}]}`
)

// stack is the whole of Cohort behind one handler.
type stack struct{ handler http.Handler }

// newStack returns a server on a copy of the filled database.
func newStack(b *testing.B) *stack {
	b.Helper()
	content, err := filled()
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "cohort.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		b.Fatal(err)
	}
	return &stack{server.New(service.New(openDB(b, "sqlite:"+path)), server.Options{})}
}

// openDB opens a database until the benchmark ends.
func openDB(b *testing.B, url string) *db.DB {
	b.Helper()
	d, err := db.Open(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := d.Close(); err != nil {
			b.Error(err)
		}
	})
	return d
}

// addStores creates stores with the limits of the default plan.
func addStores(b *testing.B, svc *service.Service, hashes ...string) {
	b.Helper()
	for _, hash := range hashes {
		if _, err := svc.CreateStore(b.Context(), cohort.Store{Hash: hash}); err != nil {
			b.Fatal(err)
		}
	}
}

// addBenchStore creates a store whose concurrency limit is out of the way, and a
// token for it.
func addBenchStore(ctx context.Context, svc *service.Service, hash, secret string, scope cohort.Scope) error {
	if _, err := svc.CreateStore(ctx, cohort.Store{Hash: hash, Concurrency: cohort.MaxConcurrency}); err != nil {
		return err
	}
	_, err := svc.CreateTokenWithSecret(ctx, cohort.Token{StoreKey: hash, Scopes: []cohort.Scope{scope}}, secret)
	return err
}

// sqliteURL returns the URL of a new SQLite database.
func sqliteURL(b testing.TB) string {
	b.Helper()
	return "sqlite:" + filepath.Join(b.TempDir(), "cohort.db")
}

// filled returns the file of a filled database. It is made once, because
// benchmarks are called repeatedly with growing counts.
var filled = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "cohort-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "cohort.db")
	ctx := context.Background()
	d, err := db.Open(ctx, "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(prepare(ctx, d), d.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func prepare(ctx context.Context, d *db.DB) error {
	if err := addBenchStore(ctx, service.New(d), "bench", secret, cohort.ScopeCustomers); err != nil {
		return err
	}
	return content.Groups(ctx, d, "bench", present)
}

// operations are the measured requests; i is the number of the request.
var operations = []struct {
	name string
	path func(i int) string
	body func(i int) string // nil: GET
}{
	{"create", func(int) string { return groups }, numberedBody},
	{"get", func(i int) string { return fmt.Sprintf("%s/%d", groups, pick(i, present)) }, nil},
	{"list50", func(i int) string { return fmt.Sprintf("%s?limit=50&page=%d", groups, pick(i, present/50)) }, nil},
}

// pick returns a number from 1 to n. It yields all of them in turn, with
// neighbours far apart.
func pick(i, n int) int { return i*7919%n + 1 }

func request(method, url, body string) (*http.Request, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Auth-Token", secret)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// numberedBody is body with another name for each i.
func numberedBody(i int) string {
	return strings.Replace(body, "Wholesale", fmt.Sprint("Wholesale ", i), 1)
}

// methodAndBody returns the method and the body of request i of an operation.
func methodAndBody(body func(int) string, i int) (method, text string) {
	if body == nil {
		return http.MethodGet, ""
	}
	return http.MethodPost, body(i)
}

// BenchmarkHandler measures one caller without a network, which is the cost of
// Cohort alone.
func BenchmarkHandler(b *testing.B) {
	for _, op := range operations {
		b.Run(op.name, func(b *testing.B) {
			s := newStack(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				method, text := methodAndBody(op.body, i)
				req, err := request(method, op.path(i), text)
				if err != nil {
					b.Fatal(err)
				}
				w := httptest.NewRecorder()
				s.handler.ServeHTTP(w, req)
				if w.Code != http.StatusOK {
					b.Fatalf("%s: %d %s", req.URL, w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkHTTP measures concurrent callers over the loopback interface, each
// with a connection that stays open. Callers and server share the machine.
func BenchmarkHTTP(b *testing.B) {
	for _, op := range operations {
		b.Run(op.name, func(b *testing.B) {
			s := newStack(b)
			h := httptest.NewServer(s.handler)
			defer h.Close()
			transport := &http.Transport{MaxIdleConnsPerHost: callers, DisableCompression: true}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			var n atomic.Int64
			b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := int(n.Add(1))
					method, text := methodAndBody(op.body, i)
					if err := call(client, method, h.URL+op.path(i), text); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.StopTimer()
		})
	}
}

func call(client *http.Client, method, url, body string) error {
	req, err := request(method, url, body)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, url, res.StatusCode, answer)
	}
	return err
}
