package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/content"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
	"golang.org/x/sys/unix"
)

// The most expensive request for prices within the limits of a catalog: each
// product is in each category, and each category has a rule.
const (
	hostileCategories = cohort.MaxCategoriesOfProduct
	hostileProducts   = 500
)

// BenchmarkPricesHostile measures that request: its wall-clock time and
// processor time, its peak memory, and the size of the response.
func BenchmarkPricesHostile(b *testing.B) {
	for _, engine := range []struct {
		name string
		url  func(testing.TB) string
	}{
		{"sqlite", sqliteURL},
		{"postgres", pgtest.URL},
	} {
		b.Run(engine.name, func(b *testing.B) {
			svc := newHostile(b, engine.url(b))
			h := server.New(svc, server.Options{})
			body := hostileBody(b)
			for _, path := range []string{"/v3/pricing/products", "/cohort/v1/prices/explain"} {
				b.Run(path[strings.LastIndexByte(path, '/')+1:], func(b *testing.B) {
					b.ReportAllocs()
					var peak, answer int64
					var used time.Duration
					for b.Loop() {
						b.StopTimer()
						stop := watchHeap()
						before := processorTime(b)
						b.StartTimer()
						answer = post(b, h, path, body)
						b.StopTimer()
						used += processorTime(b) - before
						peak = max(peak, stop())
						b.StartTimer()
					}
					b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/request")
					b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "cpu-ms/request")
					b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
					b.ReportMetric(float64(answer)/(1<<20), "answer-MiB")
				})
			}
		})
	}
}

// counted is a response of which only the size is kept, as with a fast client.
type counted struct {
	*httptest.ResponseRecorder
	bytes int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.bytes += int64(len(b))
	return len(b), nil
}

func post(b *testing.B, h *server.Server, path, body string) int64 {
	r := authorized(b.Context(), "POST", path, body)
	w := &counted{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(w, r)
	if w.Code != 200 {
		b.Fatalf("status %d", w.Code)
	}
	return w.bytes
}

// processorTime is the processor time of this process. It is more reliable than
// the wall-clock time on a shared machine.
func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// watchHeap returns a function that reports the largest growth of the heap
// since the call.
func watchHeap() (stop func() int64) {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	var mu sync.Mutex
	heap := func() int64 { // unlike ReadMemStats, this does not stop the world
		mu.Lock()
		defer mu.Unlock()
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64())
	}
	before := heap()
	var most atomic.Int64
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticks := time.NewTicker(2 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticks.C:
				most.Store(max(most.Load(), heap()-before))
			}
		}
	}()
	return func() int64 {
		close(done)
		<-stopped
		return max(most.Load(), heap()-before)
	}
}

func hostileBody(b *testing.B) string {
	items := make([]map[string]int64, hostileProducts)
	for i := range items {
		items[i] = map[string]int64{"product_id": int64(i + 1)}
	}
	body, err := json.Marshal(map[string]any{"channel_id": 1, "currency_code": "USD", "customer_group_id": content.RulesGroup, "items": items})
	if err != nil {
		b.Fatal(err)
	}
	return string(body)
}

func newHostile(b *testing.B, url string) *service.Service {
	b.Helper()
	d := openDB(b, url)
	svc := service.New(d)
	if _, err := svc.CreateStore(b.Context(), cohort.Store{Hash: "bench", Concurrency: cohort.MaxConcurrency}); err != nil {
		b.Fatal(err)
	}
	if _, err := svc.CreateTokenWithSecret(b.Context(), cohort.Token{
		StoreKey: "bench", Scopes: []cohort.Scope{cohort.ScopeProductsRead, cohort.ScopeCustomersRead},
	}, secret); err != nil {
		b.Fatal(err)
	}
	if err := d.UpdateLong(b.Context(), fillHostileTerms); err != nil {
		b.Fatal(err)
	}
	categories := make([]int64, hostileCategories)
	for i := range categories {
		categories[i] = int64(i + 1)
	}
	for first := int64(1); first <= hostileProducts; first += 50 {
		err := d.UpdateLong(b.Context(), func(tx *db.Tx) error {
			for id := first; id < first+50; id++ {
				if err := tx.InsertProduct("bench", cohort.Product{
					ID: id, Name: fmt.Sprint("Product ", id), Type: cohort.ProductPhysical, Price: decimal.New(100_0000+id*777, -4),
					Categories: categories, BaseVariantID: id,
				}); err != nil {
					return err
				}
				if err := tx.InsertVariant("bench", cohort.Variant{ID: id, ProductID: id}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return svc
}

func fillHostileTerms(tx *db.Tx) error {
	for id := int64(1); id <= hostileCategories; id++ {
		if err := tx.InsertCategory("bench", cohort.Category{ID: id, Name: fmt.Sprint("Category ", id)}); err != nil {
			return err
		}
	}
	rules := make([]cohort.DiscountRule, cohort.MaxRules)
	for i := range rules {
		rules[i] = cohort.DiscountRule{
			Type: cohort.RuleCategory, TargetID: int64(i + 1), Method: cohort.MethodPercent, Amount: decimal.New(int64(i)*700+10_0001, -4),
		}
	}
	return tx.InsertGroup("bench", cohort.Group{
		ID: content.RulesGroup, Name: "Rules", CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}, DiscountRules: rules,
	})
}

// BenchmarkGetBesideHostilePrices measures one caller who gets a group by its
// id, alone and while 50 others repeat that request for prices, in b.N rounds
// of five seconds. A rejection of the 50 counts as a response.
func BenchmarkGetBesideHostilePrices(b *testing.B) {
	svc := newHostile(b, sqliteURL(b))
	h := server.New(svc, server.Options{})
	body := hostileBody(b)
	for _, hostile := range []int{0, 50} {
		b.Run(fmt.Sprintf("hostile=%d", hostile), func(b *testing.B) {
			var p99 []float64
			for b.Loop() {
				p99 = append(p99, getBeside(b, h, hostile, body))
			}
			b.ReportMetric(median(p99), "p99-ms")
		})
	}
}

// getBeside returns the 99th percentile of the time of gets, in milliseconds.
func getBeside(b *testing.B, h *server.Server, hostile int, body string) float64 {
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
	defer cancel()
	var others sync.WaitGroup
	for range hostile {
		others.Go(func() {
			for ctx.Err() == nil {
				h.ServeHTTP(httptest.NewRecorder(), authorized(ctx, "POST", "/v3/pricing/products", body))
			}
		})
	}
	var took []float64
	for ctx.Err() == nil {
		start := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, authorized(b.Context(), "GET", fmt.Sprintf("/v2/customer_groups/%d", content.RulesGroup), ""))
		if w.Code != 200 {
			b.Fatalf("status %d", w.Code)
		}
		took = append(took, float64(time.Since(start).Microseconds())/1000)
		time.Sleep(2 * time.Millisecond)
	}
	others.Wait()
	slices.Sort(took)
	return took[len(took)*99/100]
}

func authorized(ctx context.Context, method, path, body string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, "/stores/bench"+path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", secret)
	r.Header.Set("Content-Type", "application/json")
	return r
}
