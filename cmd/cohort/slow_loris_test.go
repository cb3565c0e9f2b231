package main_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowClients is the number of clients that keep a connection busy.
const slowClients = 1000

// The ways of being slow: the bytes that are sent at once, and the bytes that
// follow one by one. Most requests never end.
var slownesses = []struct {
	name, first, then string
	endsWith          int // the status of the response, 0 for none
}{
	{"says nothing", "", "", 0},
	{"dawdles over the header", "GET /stores/demo/v2/time HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", strings.Repeat("x", 10_000), 0},
	{"stops in the header", "POST /stores/demo/v2/customers HTTP/1.1\r\nHost: coh", "", 0},
	{"dawdles over the body", "POST /stores/demo/v2/customers HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: demo-token\r\nContent-Length: 10000\r\n\r\n",
		strings.Repeat(" ", 9999), http.StatusRequestTimeout},
	{"stops in the body", "POST /stores/demo/v2/customers HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: demo-token\r\nContent-Length: 10000\r\n\r\n{",
		"", http.StatusRequestTimeout},
}

// TestSlowLoris opens many connections, each with a request that does not end.
// Other clients are served as usual. In the end the server closes the
// connections. That takes as long as its timeouts, so only a long soak waits
// for it.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	w := watch(t)
	before := w.vitals(t)
	s := newSoak(t, w)
	slow := s.dialMany(slowClients)
	for i, v := range slow {
		v.send(slownesses[i%len(slownesses)].first)
	}
	inBody := float64(slowClients / len(slownesses) * 2)
	during := w.awaitVitals(t, "all slow requests are under way", func(v vitals) bool {
		return v.goroutines >= before.goroutines+slowClients && v.inFlight == inBody
	})
	ctx, stop := context.WithCancel(t.Context())
	var dripping sync.WaitGroup
	dripping.Go(func() { drip(ctx, slow) })

	stopProbe := s.probe()
	for range 5 {
		newRegular(s, 0).live()
	}
	slowest := stopProbe()
	if soakTime(t) >= longSoak {
		s.wantCutOff(slow)
	}
	stop()
	dripping.Wait()
	for _, v := range slow {
		v.Close()
	}
	s.wantNothingLeft()
	s.http.CloseIdleConnections()
	t.Logf("%d slow clients\nothers: %s\nslowest response of /livez: %v\nbefore: %s\nduring: %s\nafter:  %s",
		slowClients, &s.figures, slowest, before, during, w.awaitCalm(t, before))
	w.end(t)
}

// drip sends a byte on each connection at intervals, as long as there are bytes
// left.
func drip(ctx context.Context, slow []*visitor) {
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	for at := 0; ; at++ {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		for i, v := range slow {
			if then := slownesses[i%len(slownesses)].then; at < len(then) {
				_, _ = io.WriteString(v.Conn, then[at:at+1]) // the server may have closed it
			}
		}
	}
}

// wantCutOff fails unless the server ends every connection.
func (s *soak) wantCutOff(slow []*visitor) {
	var all sync.WaitGroup
	for i, v := range slow {
		all.Go(func() {
			kind := slownesses[i%len(slownesses)]
			status := 0
			res, err := http.ReadResponse(v.responses, nil)
			if err == nil {
				status = res.StatusCode
				_, err = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			if errors.Is(err, os.ErrDeadlineExceeded) || status != kind.endsWith {
				s.Errorf("a client that %s got %d (%v), want %d", kind.name, status, err, kind.endsWith)
			}
			s.figures.add(fmt.Sprint("a client that ", kind.name), status)
		})
	}
	all.Wait()
}
