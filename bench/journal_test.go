package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// BenchmarkJournal compares a server that keeps requests with one that does not: whole
// requests over connections that stay open, with as many clients as processors. Besides the
// time it reports the processor time, which other programs disturb less. It includes that
// of the client.
func BenchmarkJournal(b *testing.B) {
	content, err := filled()
	if err != nil {
		b.Fatal(err)
	}
	start := func(name string, o server.Options) string {
		path := filepath.Join(b.TempDir(), name+".db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			b.Fatal(err)
		}
		s := httptest.NewServer(server.New(service.New(openDB(b, "sqlite:"+path)), o))
		b.Cleanup(s.Close)
		return s.URL
	}
	servers := []struct{ name, url string }{
		{"off", start("off", server.Options{})}, {"on", start("on", server.Options{Journal: journal.New()})},
	}
	var last atomic.Int64
	for _, request := range []struct {
		name, method, path string
		status             int
	}{{"create", http.MethodPost, groups, http.StatusOK}, {"get", http.MethodGet, groups + "/1", http.StatusOK}, {"list", http.MethodGet, groups + "?limit=50", http.StatusOK}} {
		for _, s := range servers {
			b.Run(request.name+"/"+s.name, func(b *testing.B) {
				b.ReportAllocs()
				begun := processorTime(b)
				defer func() { b.ReportMetric(float64(processorTime(b)-begun)/float64(b.N), "cpu-ns/op") }()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						body := ""
						if request.method == http.MethodPost {
							body = strings.Replace(journalBody, "NAME", fmt.Sprint("j", last.Add(1)), 1)
						}
						if err := sendJournal(b, request.method, s.url+request.path, body, request.status); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}

var journalBody = strings.Replace(body, "Wholesale", "NAME", 1)

func sendJournal(b *testing.B, method, url, body string, want int) error {
	req, err := http.NewRequestWithContext(b.Context(), method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", secret)
	req.Header.Set("Accept-Encoding", "identity")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != want {
		err = fmt.Errorf("%s %s: %d %s", method, url, res.StatusCode, text)
	}
	return err
}
