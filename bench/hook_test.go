package bench

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/webhook"
)

// The load of BenchmarkHooks: the rate of changes for the lag, for how long, and the changes
// that wait when the throughput is measured.
const (
	hookRate    = 500
	hookSeconds = 4
	hookBacklog = 2000
)

// BenchmarkHooks measures webhooks to a local receiver. lag is from the commit of a change,
// as its caller sees it, to the first byte of its message at the receiver, at 500 changes per
// second; the goal is below 50 ms at the 99th percentile. deliveries/s is of changes that were
// committed before; the goal is 2 000. cpu-us is the processor time of one of these deliveries
// in this process, with the receiver, in microseconds; other programs disturb it less.
func BenchmarkHooks(b *testing.B) {
	pg := pgtest.Start(b, pgtest.Options{Fsync: true, Settings: map[string]string{"max_connections": "200"}})
	for _, on := range []struct{ name, url string }{{"sqlite", sqliteURL(b)}, {"postgres", pg.URL()}} {
		for _, hooks := range []int{1, 10} {
			b.Run(on.name+"/hooks="+strconv.Itoa(hooks), func(b *testing.B) {
				f := newHookBench(b, on.url, hooks)
				var p50, p99, rate, processor []float64
				for b.Loop() {
					lags := f.steady(b)
					perSecond, used := f.backlog(b)
					p50, p99 = append(p50, float64(lags[len(lags)/2])/1e6), append(p99, float64(lags[len(lags)*99/100])/1e6)
					rate, processor = append(rate, perSecond), append(processor, used/1e3)
				}
				b.ReportMetric(median(p50), "lag-p50-ms")
				b.ReportMetric(median(p99), "lag-p99-ms")
				b.ReportMetric(median(rate), "deliveries/s")
				b.ReportMetric(median(processor), "cpu-us")
			})
		}
	}
}

// hookBench is a store whose groups hooks are told of.
type hookBench struct {
	svc    *service.Service
	bearer service.Bearer
	hooks  int
	got    atomic.Int64

	mu      sync.Mutex
	arrived map[int64]time.Time // the first message about a group
}

func newHookBench(b *testing.B, url string, hooks int) *hookBench {
	b.Helper()
	f := &hookBench{hooks: hooks, arrived: map[int64]time.Time{}}
	receiver := httptest.NewServer(http.HandlerFunc(f.receive))
	b.Cleanup(receiver.Close)
	f.svc = service.New(openDB(b, url), service.WithHookSender(webhook.New(webhook.Options{Dev: true})))
	store := "hooks" + strconv.Itoa(hooks)
	f.bearer = eventBearer(b, f.svc, store, "secret-"+store, false)
	for i := range hooks {
		_, err := f.svc.CreateHook(b.Context(), f.bearer.Store.Key, cohort.Hook{
			ClientID: f.bearer.Token.ID, Scope: "store/customerGroup/created", Destination: receiver.URL + "/" + strconv.Itoa(i), Active: true,
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	f.bearer.Store.HasHooks = true
	return f
}

// start starts the delivery, until stop.
func (f *hookBench) start(b *testing.B) (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { f.svc.Outbox().Run(ctx, slog.New(slog.DiscardHandler)) })
	running.Go(func() { f.svc.RunHooks(ctx, slog.New(slog.DiscardHandler)) })
	return func() { cancel(); running.Wait() }
}

func (f *hookBench) receive(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	body, _ := io.ReadAll(r.Body)
	_, rest, _ := bytes.Cut(body, []byte(`"id":`))
	number, _, _ := bytes.Cut(rest, []byte("}"))
	id, _ := strconv.ParseInt(string(number), 10, 64)
	f.mu.Lock()
	if _, known := f.arrived[id]; !known {
		f.arrived[id] = now
	}
	f.mu.Unlock()
	f.got.Add(1)
}

func (f *hookBench) create(b *testing.B) int64 {
	as := service.ForRequest(b.Context(), f.bearer, "0123456789abcdef0123456789abcdef")
	g, err := f.svc.CreateGroup(as, f.bearer.Store.Key, newGroup())
	if err != nil {
		b.Error(err)
	}
	return g.ID
}

// await waits until the receiver has a number of messages.
func (f *hookBench) await(b *testing.B, n int64) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); f.got.Load() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d messages", f.got.Load(), n)
		}
	}
}

// steady makes changes at a rate, however long each takes, and returns their lags, sorted.
func (f *hookBench) steady(b *testing.B) []time.Duration {
	b.Helper()
	defer f.start(b)()
	before, made := f.got.Load(), hookRate*hookSeconds
	committed := make(map[int64]time.Time, made)
	var mu sync.Mutex
	var all sync.WaitGroup
	begun := time.Now()
	for i := range made {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / hookRate)))
		all.Go(func() {
			id := f.create(b)
			now := time.Now()
			mu.Lock()
			committed[id] = now
			mu.Unlock()
		})
	}
	all.Wait()
	f.await(b, before+int64(made*f.hooks))
	f.mu.Lock()
	defer f.mu.Unlock()
	lags := make([]time.Duration, 0, made)
	for id, at := range committed {
		lags = append(lags, max(f.arrived[id].Sub(at), 0))
	}
	slices.Sort(lags)
	return lags
}

// backlog commits changes while nothing is delivered. It returns how many deliveries there are
// per second afterwards, and the processor time of one in nanoseconds.
func (f *hookBench) backlog(b *testing.B) (perSecond, processor float64) {
	b.Helper()
	var left atomic.Int64
	left.Store(hookBacklog)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				f.create(b)
			}
		})
	}
	all.Wait()
	before, used, begun := f.got.Load(), processorTime(b), time.Now()
	stop := f.start(b)
	n := hookBacklog * f.hooks
	f.await(b, before+int64(n))
	perSecond, processor = float64(n)/time.Since(begun).Seconds(), float64(processorTime(b)-used)/float64(n)
	stop()
	return perSecond, processor
}
