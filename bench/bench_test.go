// Package bench measures Cohort from where its clients stand: whole requests
// through the whole handler, on a database as "cohort serve" has it.
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
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

const (
	// present is how many groups the store has before a benchmark begins.
	present = 10_000
	// callers is how many clients call at once, where several do. It is the
	// vendor's limit for one store and operation.
	callers = 40

	secret = "bench-token"
	groups = "/stores/bench/v2/customer_groups"
	body   = `{"name":"Wholesale","category_access":{"type":"specific","categories":[18,19]},` +
		`"discount_rules":[{"type":"all","method":"percent","amount":5},{"type":"category","category_id":18,"method":"price","amount":"2.50"}]}`
)

// stack is the whole of Cohort behind one handler.
type stack struct{ handler http.Handler }

// newStack puts a server on a database of its own that is filled already.
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
	d, err := db.Open(b.Context(), "sqlite:"+path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := d.Close(); err != nil {
			b.Error(err)
		}
	})
	return &stack{server.New(service.New(d), server.Options{})}
}

// filled returns the file of a database that was filled and closed. Benchmarks
// are called again and again with growing counts; this is done once.
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
	svc := service.New(d)
	if _, err := svc.CreateStore(ctx, cohort.Store{Hash: "bench", Concurrency: cohort.MaxConcurrency}); err != nil {
		return err
	}
	if _, err := svc.CreateTokenWithSecret(ctx, cohort.Token{StoreHash: "bench", Scopes: []cohort.Scope{cohort.ScopeCustomers}}, secret); err != nil {
		return err
	}
	return d.Update(ctx, fill)
}

func fill(tx *db.Tx) error {
	created := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for range present {
		id, err := tx.NextGroupID("bench")
		if err != nil {
			return err
		}
		g := cohort.Group{
			ID:             id,
			Name:           fmt.Sprintf("Group %d", id),
			CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{18, 19}},
			DiscountRules: []cohort.DiscountRule{
				{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.New(5, 0)},
				{Type: cohort.RuleCategory, TargetID: 18, Method: cohort.MethodPrice, Amount: decimal.New(25, -1)},
			},
			DateCreated:  created,
			DateModified: created,
		}
		if err := tx.InsertGroup("bench", g); err != nil {
			return err
		}
	}
	return nil
}

// operations are what is measured: the request number i of each.
var operations = []struct {
	name string
	path func(i int) string
	body string // empty: GET
}{
	{"create", func(int) string { return groups }, body},
	{"get", func(i int) string { return fmt.Sprintf("%s/%d", groups, pick(i, present)) }, ""},
	{"list50", func(i int) string { return fmt.Sprintf("%s?limit=50&page=%d", groups, pick(i, present/50)) }, ""},
}

// pick returns a number from 1 to n: all of them in turn, far from each other.
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

func method(body string) string {
	if body == "" {
		return http.MethodGet
	}
	return http.MethodPost
}

// BenchmarkHandler is one caller without a network: what Cohort itself costs.
func BenchmarkHandler(b *testing.B) {
	for _, op := range operations {
		b.Run(op.name, func(b *testing.B) {
			s := newStack(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				req, err := request(method(op.body), op.path(i), op.body)
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

// BenchmarkHTTP is many callers over the loopback interface, each with a
// connection that stays open. Callers and server share the machine.
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
					if err := call(client, method(op.body), h.URL+op.path(int(n.Add(1))), op.body); err != nil {
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
