package client

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// limiter counts as the service does: a window begins with the first request after the end
// of the last one, and a request that is refused does not count.
type limiter struct {
	mu      sync.Mutex
	quota   int
	used    int
	end     time.Time
	refused int
	admit   int
}

const limiterWindow = 30 * time.Second

// take counts a request and sets the headers.
func (l *limiter) take(h http.Header) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !now.Before(l.end) {
		l.end, l.used = now.Add(limiterWindow), 0
	}
	ok := l.used < l.quota
	if ok {
		l.used++
		l.admit++
	}
	reset := l.end.Sub(now)
	h.Set("X-Rate-Limit-Requests-Quota", strconv.Itoa(l.quota))
	h.Set("X-Rate-Limit-Requests-Left", strconv.Itoa(l.quota-l.used))
	h.Set("X-Rate-Limit-Time-Reset-Ms", strconv.FormatInt(reset.Milliseconds(), 10))
	h.Set("X-Rate-Limit-Time-Window-Ms", strconv.FormatInt(limiterWindow.Milliseconds(), 10))
	if !ok {
		h.Set("X-Retry-After", strconv.Itoa(int((reset+time.Second-1)/time.Second)))
	}
	return ok
}

// metered returns a server with a quota. Each request takes a time before it is counted and
// a time after that.
func (l *limiter) metered(latency func() time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(latency())
		ok := l.take(w.Header())
		time.Sleep(latency())
		if !ok {
			l.mu.Lock()
			l.refused++
			l.mu.Unlock()
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = io.WriteString(w, `{"id":1}`)
	}
}

func newPaced(t *testing.T, h http.HandlerFunc, options ...Option) *Client {
	t.Helper()
	options = append([]Option{WithHTTPClient(&http.Client{Transport: inMemory{h}})}, options...)
	c, err := New("abc", "a-token", options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// work makes a number of requests from some goroutines and returns how long that takes.
func work(t *testing.T, c *Client, workers, requests int) time.Duration {
	t.Helper()
	start := time.Now()
	todo := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range todo {
				if _, err := c.Customers.Get(t.Context(), 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range requests {
		todo <- i
	}
	close(todo)
	wg.Wait()
	return time.Since(start)
}

// TestQuotaIsNeverExceeded has one client alone, whose responses come in any order.
func TestQuotaIsNeverExceeded(t *testing.T) {
	for _, c := range []struct {
		name              string
		quota, workers, n int
		latency           time.Duration // at most, in each direction
		most              time.Duration
	}{
		{"one after another", 150, 1, 400, 20 * time.Millisecond, 64 * time.Second},
		{"eight at a time", 150, 8, 400, 100 * time.Millisecond, 66 * time.Second},
		{"more at a time than the quota", 20, 50, 200, time.Second, 345 * time.Second},
		{"slow responses", 150, 40, 600, 5 * time.Second, 180 * time.Second},
		{"a quota of one", 1, 3, 5, time.Second, 140 * time.Second},
		{"a large quota", 450, 30, 1500, 300 * time.Millisecond, 110 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(5) {
				synctest.Test(t, func(t *testing.T) {
					random := lockedRandom(seed)
					l := &limiter{quota: c.quota}
					client := newPaced(t, l.metered(func() time.Duration { return time.Duration(random() * float64(c.latency)) }))
					took := work(t, client, c.workers, c.n)
					if l.refused > 0 || l.admit != c.n || took > c.most {
						t.Errorf("seed %d: %d of %d requests were refused, in %v, want at most %v", seed, l.refused, l.admit+l.refused, took, c.most)
					}
				})
			}
		})
	}
}

// lockedRandom returns a function for numbers from 0 to 1.
func lockedRandom(seed uint64) func() float64 {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, 1))
	return func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return r.Float64()
	}
}

// TestQuotaThatOthersUse: a client cannot know what others will send, but each refused request is
// repeated, and most are not refused.
func TestQuotaThatOthersUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{quota: 150}
		h := l.metered(func() time.Duration { return 20 * time.Millisecond })
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() { // two requests in a second, without a look at the quota
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				case <-time.After(500 * time.Millisecond):
					l.take(http.Header{})
				}
			}
		}()
		a, b := newPaced(t, h), newPaced(t, h)
		var wg sync.WaitGroup
		for _, c := range []*Client{a, b} {
			wg.Go(func() { work(t, c, 4, 200) })
		}
		wg.Wait()
		close(stop)
		<-stopped
		if l.refused > 10 {
			t.Errorf("%d requests were refused", l.refused)
		}
	})
}

func TestWallWithoutHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := newPaced(t, func(w http.ResponseWriter, _ *http.Request) {
			if n++; n <= 3 {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			_, _ = io.WriteString(w, `{}`)
		})
		start := time.Now()
		if _, err := c.Customers.Get(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 875*time.Millisecond || took > 1750*time.Millisecond {
			t.Errorf("three retries took %v, want 0.25 + 0.5 + 1 s or half of it", took)
		}
	})
}

// TestPacerLearns has the states of a store: without a quota, with one, and without again.
func TestPacerLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{quota: 0}
		c := newPaced(t, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Millisecond)
			if l.quota > 0 && !l.take(w.Header()) {
				t.Error("a request is refused")
			}
			_, _ = io.WriteString(w, `{}`)
		})
		if took := work(t, c, 4, 1000); took > time.Second {
			t.Errorf("without a quota: %v", took)
		}
		l.quota = 100
		if took := work(t, c, 4, 150); took < 30*time.Second {
			t.Errorf("with a quota: %v", took)
		}
		l.quota = 0
		time.Sleep(time.Minute)
		if took := work(t, c, 4, 1000); took > time.Second {
			t.Errorf("without a quota again: %v", took)
		}
	})
}

func TestFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{quota: 10}
		var n atomic.Int32
		c := newPaced(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			if r.URL.Query().Has("wait") {
				time.Sleep(20 * time.Second)
			}
			if n.Add(1) == 1 {
				w.WriteHeader(http.StatusForbidden) // it says nothing about the quota
				return
			}
			l.take(w.Header())
			_, _ = io.WriteString(w, `{"data":[]}`)
		})
		go func() { _, _ = c.Cohort.Events(t.Context(), EventQuery{Wait: 20 * time.Second}) }()
		synctest.Wait()
		if _, err := c.Customers.Get(t.Context(), 1); !errors.Is(err, ErrForbidden) {
			t.Errorf("got %v", err)
		}
		start := time.Now()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := c.Customers.Get(t.Context(), 1); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("one request and then seven took %v", took)
		}
		time.Sleep(time.Minute)
	})
}

// TestWaitThatIsTooLong: the server is asked instead, and says how long.
func TestWaitThatIsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{quota: 5}
		c := newPaced(t, l.metered(func() time.Duration { return 0 }), WithRetry(RetryPolicy{Attempts: 4, MaxWait: time.Second}))
		for range 5 {
			if _, err := c.Customers.Get(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		_, err := c.Customers.Get(t.Context(), 1)
		if e, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, ErrRateLimited) || e.RetryAfter != 30*time.Second {
			t.Errorf("got %v", err)
		}
	})
}

func TestConcurrencyLimits(t *testing.T) {
	for _, own := range []int{0, 2} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			running, most := map[string]int{}, map[string]int{}
			c := newPaced(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				running[r.Method]++
				most[r.Method] = max(most[r.Method], running[r.Method])
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				running[r.Method]--
				mu.Unlock()
				_, _ = io.WriteString(w, `{"data":[{}]}`)
			}, WithConcurrency(own))
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() { _, _ = c.CustomersV3.Update(t.Context(), make([]CustomerV3Update, 1)) })
				wg.Go(func() { _ = c.PriceLists.Delete(t.Context(), 1) })
				wg.Go(func() { _, _ = c.CustomersV3.List(t.Context(), CustomerV3Filter{}, Page{}) })
			}
			wg.Wait()
			want := 3
			if own > 0 {
				want = own
			}
			if most["PUT"] != want || most["DELETE"] != 1 || most["GET"] < 9 {
				t.Errorf("at the same time: %v", most)
			}
		})
	}
}
