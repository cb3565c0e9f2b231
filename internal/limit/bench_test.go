package limit

import (
	"testing"
	"time"

	"cohort.example/cohort/internal/limit/redistest"
)

// BenchmarkAdmit measures admission and release. Redis runs on the same machine, so the
// network does not count.
func BenchmarkAdmit(b *testing.B) {
	requests := []struct {
		name    string
		request Request
	}{
		{"unlimited", Request{Store: "abc", Operation: "get"}},
		{"concurrency", Request{Store: "abc", Operation: "list", Concurrency: 100_000}},
		{"quota", Request{Store: "abc", Operation: "get", Quota: 1 << 30, Metered: true}},
		{"concurrency+quota", Request{Store: "abc", Operation: "list", Concurrency: 100_000, Quota: 1 << 30, Metered: true}},
	}
	limiters := []struct {
		name string
		open func(b *testing.B) Limiter
	}{
		{"memory", func(*testing.B) Limiter { return NewMemory(time.Now) }},
		{"redis", func(b *testing.B) Limiter { return mustShare(b, redistest.URL(b), patientTiming).Shared }},
	}
	for _, l := range limiters {
		for _, r := range requests {
			b.Run(l.name+"/"+r.name, func(b *testing.B) {
				limiter := l.open(b)
				b.ReportAllocs()
				if l.name == "redis" {
					b.SetParallelism(8) // most of the time is waiting for Redis
				}
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						d, done := limiter.Admit(r.request)
						if d.RejectedBy != "" {
							b.Error(d)
						}
						done()
					}
				})
			})
		}
	}
}

// BenchmarkAdmitSerial admits one request after another.
func BenchmarkAdmitSerial(b *testing.B) {
	n := mustShare(b, redistest.URL(b), patientTiming)
	r := Request{Store: "abc", Operation: "list", Concurrency: 100_000, Quota: 1 << 30, Metered: true}
	b.ReportAllocs()
	for b.Loop() {
		n.admits(b, r)()
	}
}
