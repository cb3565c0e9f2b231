package controlclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// journal is a server whose connections of a stream each send one text.
type journal struct {
	mu      sync.Mutex
	newest  []int64  // the id of the newest request, for each question
	streams []string // "": the stream is refused with 503
	asked   []string // the parameters of the streams
}

func (j *journal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !strings.HasSuffix(r.URL.Path, "/stream") {
		fmt.Fprintf(w, `{"requests":[{"id":%d}],"more":false}`, j.newest[0])
		j.newest = j.newest[1:]
		return
	}
	j.asked = append(j.asked, r.URL.RawQuery)
	text := j.streams[0]
	j.streams = j.streams[1:]
	if text == "" {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"detail":"The database does not answer."}`)
		return
	}
	fmt.Fprint(w, text)
}

// follow follows the journal until the request with the last id.
func (j *journal) follow(t *testing.T, since, last int64) (got []string, err error) {
	t.Helper()
	srv := httptest.NewServer(j)
	defer srv.Close() // waits for the handlers
	client, err := New(srv.URL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	client.pause = func(int) time.Duration { return 0 }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = client.Follow(ctx, "abc", url.Values{"method": {"GET"}}, since, Follower{
		Request: func(text json.RawMessage) error {
			got = append(got, string(text))
			if string(text) == fmt.Sprintf(`{"id":%d}`, last) {
				cancel()
			}
			return nil
		},
		Lost:        func(n int) { got = append(got, fmt.Sprint("lost ", n)) },
		Interrupted: func(error) { got = append(got, "interrupted") },
		Resumed:     func() { got = append(got, "resumed") },
	})
	return got, err
}

func event(id int) string {
	return fmt.Sprintf("id: %d\nevent: request\ndata: {\"id\":%d}\n\n", id, id)
}

// A stream that breaks off continues after the last request, also if a server does not
// accept it at first. A server that was restarted counts from 1.
func TestFollow(t *testing.T) {
	t.Parallel()
	j := &journal{
		newest: []int64{6, 7, 8, 2},
		streams: []string{
			": hello\n\n" + event(7) + ": still here\n\nevent: other\ndata: x\n\n" + "id: 8\nevent: req", // breaks off in an event
			"",
			event(8) + "event: lost\ndata: {\"count\":3}\n\n",
			event(1) + event(2),
		},
	}
	got, err := j.follow(t, -1, 2)
	want := []string{`{"id":7}`, "interrupted", "resumed", `{"id":8}`, "lost 3", "interrupted", "resumed", `{"id":1}`, `{"id":2}`}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	asked := []string{"method=GET&since=6", "method=GET&since=7", "method=GET&since=7", "method=GET&since=0"}
	if diff := cmp.Diff(asked, j.asked); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestFollowFrom(t *testing.T) {
	t.Parallel()
	j := &journal{streams: []string{event(4)}}
	if got, err := j.follow(t, 3, 4); len(got) != 1 || err != nil || j.asked[0] != "method=GET&since=3" {
		t.Errorf("%q, error %v, parameters %q", got, err, j.asked)
	}
}

func TestFollowFails(t *testing.T) {
	t.Parallel()
	// Not even the first connection: the error is told at once.
	j := &journal{streams: []string{""}}
	_, err := j.follow(t, 0, 1)
	if p, ok := errors.AsType[*Problem](err); !ok || p.Status != http.StatusServiceUnavailable {
		t.Errorf("error %v", err)
	}
	for text, want := range map[string]string{
		"event: request\ndata: {\n\n":                                     "not JSON",
		"event: request\ndata: " + strings.Repeat("x", maxEvent) + "\n\n": "larger than 8 MiB",
	} {
		j := &journal{streams: []string{text}}
		if _, err := j.follow(t, 0, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// A store that is deleted meanwhile ends the stream with an error.
func TestFollowDeletedStore(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			fmt.Fprint(w, event(1))
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"detail":"There is no such store."}`)
	}))
	defer srv.Close()
	client, err := New(srv.URL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	client.pause = func(int) time.Duration { return 0 }
	nothing := Follower{Request: func(json.RawMessage) error { return nil }, Interrupted: func(error) {}, Resumed: func() {}}
	if err := client.Follow(t.Context(), "abc", nil, 0, nothing); err == nil || err.Error() != "There is no such store." {
		t.Errorf("error %v", err)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{0: 200 * time.Millisecond, 1: 400 * time.Millisecond, 5: maxStreamPause, 1000: maxStreamPause} {
		if got := pause(n); got != want {
			t.Errorf("pause %d is %s, want %s", n, got, want)
		}
	}
}
