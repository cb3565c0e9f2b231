package limit

import (
	"testing"
	"time"

	"cohort.example/cohort/internal/limit/redistest"
)

// What it costs to be let in, and to end. Redis is on the same machine, so its
// figures are those of the work, without a network.

func BenchmarkAdmit(b *testing.B) {
	requests := []struct {
		name    string
		request Request
	}{
		{"free", Request{Store: "abc", Operation: "get"}},
		{"gate", Request{Store: "abc", Operation: "list", Concurrency: 100_000}},
		{"quota", Request{Store: "abc", Operation: "get", Quota: 1 << 30, Metered: true}},
		{"gate+quota", Request{Store: "abc", Operation: "list", Concurrency: 100_000, Quota: 1 << 30, Metered: true}},
	}
	limiters := []struct {
		name string
		open func(b *testing.B) Limiter
	}{
		{"memory", func(*testing.B) Limiter { return NewMemory(time.Now) }},
		{"redis", func(b *testing.B) Limiter { return mustShare(b, redistest.URL(b), patient).Shared }},
	}
	for _, l := range limiters {
		for _, r := range requests {
			b.Run(l.name+"/"+r.name, func(b *testing.B) {
				limiter := l.open(b)
				b.ReportAllocs()
				if l.name == "redis" {
					b.SetParallelism(8) // most of the time is spent waiting
				}
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						d, done := limiter.Admit(r.request)
						if d.Refused != "" {
							b.Error(d)
						}
						done()
					}
				})
			})
		}
	}
}

// BenchmarkAdmitAlone is one caller after another.
func BenchmarkAdmitAlone(b *testing.B) {
	n := mustShare(b, redistest.URL(b), patient)
	r := Request{Store: "abc", Operation: "list", Concurrency: 100_000, Quota: 1 << 30, Metered: true}
	b.ReportAllocs()
	for b.Loop() {
		n.admits(b, r)()
	}
}
