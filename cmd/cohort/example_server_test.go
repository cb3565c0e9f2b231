package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/docs"
	"cohort.example/cohort/internal/docsite"
	"cohort.example/cohort/internal/testenv"
)

// exampleServer is a proxy before a development server. Examples come one after another, and
// each finds the content of docs/example.yaml.
type exampleServer struct {
	url, control string // of the server behind
	examples     []docsite.Example
	real         *strings.Replacer // of what stands in the examples for values of the store
	back         *strings.Replacer

	mu      sync.Mutex
	next    int // the example that comes next
	dirty   bool
	answers map[string]docsite.Answer
	faults  []string
}

func newExampleServer(t *testing.T) *exampleServer {
	t.Helper()
	folder, err := os.MkdirTemp(testenv.MemoryFolder(), "cohort-examples-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	database := "sqlite:" + filepath.Join(folder, "cohort.db")
	server := serve(t, "--db", database)
	s := &exampleServer{url: server.url, control: server.url + "/_cohort/v1/stores/demo", answers: map[string]docsite.Answer{}}
	if out, err := command(t, "store", "update", "demo", "--events", "on", "--db", database).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.send("PUT", s.control+"/seed", string(docs.Example))
	s.send("PUT", s.control+"/snapshots/examples", "")
	proxy := httptest.NewServer(s)
	t.Cleanup(proxy.Close)
	segments, profiles := s.ids("segments", "id"), s.ids("shopper-profiles", "customer_id")
	pairs := []string{"http://127.0.0.1:8080", proxy.URL, docsite.SegmentID, segments[""], docsite.ProfileID, profiles["1"], docsite.OtherProfileID, profiles["2"]}
	s.real = strings.NewReplacer(pairs...)
	slices.Reverse(pairs)
	s.back = strings.NewReplacer(append(pairs, server.url, "http://127.0.0.1:8080")...)
	s.examples = inOrder(docsite.Examples())
	if s.faults != nil {
		t.Fatal(s.faults)
	}
	return s
}

// inOrder has the examples of the control API after those of the store, and at the end those
// that take something away which another one needs. The one with the delivery 1 is the first.
func inOrder(list []docsite.Example) []docsite.Example {
	rank := func(e docsite.Example) int {
		switch {
		case e.Operation.ID == "redeliver":
			return 0
		case e.Operation.OfStore():
			return 1
		case slices.Contains([]string{"createTestStore", "resetStore", "clearRequests"}, e.Operation.ID):
			return 3
		}
		return 2
	}
	slices.SortStableFunc(list, func(a, b docsite.Example) int { return rank(a) - rank(b) })
	return list
}

// ids returns the ids of a list of the store, by another field.
func (s *exampleServer) ids(list, field string) map[string]string {
	var body struct{ Data []map[string]any }
	_, _, text := s.send("GET", s.url+"/stores/demo/v3/"+list, "")
	if err := json.Unmarshal(text, &body); err != nil {
		s.faults = append(s.faults, err.Error())
	}
	found := map[string]string{}
	for _, item := range body.Data {
		id := fmt.Sprint(item["id"])
		found[""], found[fmt.Sprint(item[field])] = id, id
	}
	return found
}

// send sends a request of this test, which must succeed.
func (s *exampleServer) send(method, url, body string) (status int, header http.Header, text []byte) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		s.faults = append(s.faults, err.Error())
		return 0, nil, nil
	}
	req.Header.Set("X-Auth-Token", "demo-token")
	req.Header.Set("Content-Type", "application/json")
	if strings.HasSuffix(url, "/seed") {
		req.Header.Set("Content-Type", "application/yaml")
	}
	status, header, text = s.exchange(req)
	if status >= 300 {
		s.faults = append(s.faults, fmt.Sprintf("%s %s: %d %s", method, url, status, text))
	}
	return status, header, text
}

// exchange sends a request. It does not read a stream, which has no end.
func (s *exampleServer) exchange(req *http.Request) (status int, header http.Header, text []byte) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.faults = append(s.faults, err.Error())
		return http.StatusBadGateway, http.Header{}, nil
	}
	defer res.Body.Close()
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		return res.StatusCode, res.Header, nil
	}
	if text, err = io.ReadAll(res.Body); err != nil {
		s.faults = append(s.faults, err.Error())
	}
	return res.StatusCode, res.Header, text
}

// ServeHTTP takes the request of the next example.
func (s *exampleServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || s.next == len(s.examples) {
		s.faults = append(s.faults, fmt.Sprintf("after the last example: %s %s %v", r.Method, r.URL, err))
		return
	}
	e := s.examples[s.next]
	s.next++
	s.compare(e, r, string(body))
	s.prepare(e)
	out, err := http.NewRequestWithContext(r.Context(), r.Method, s.url+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		s.faults = append(s.faults, err.Error())
		return
	}
	out.Header = r.Header.Clone()
	out.Header.Del("Accept-Encoding")
	status, header, text := s.exchange(out)
	s.dirty = r.Method != "GET"
	if !e.Operation.OfStore() && s.dirty {
		s.clear()
	}
	s.answers[e.Operation.ID] = docsite.NewAnswer(status, header.Get("Content-Type"), []byte(s.back.Replace(string(text))))
	for _, name := range []string{"Content-Type", "X-Request-Id"} {
		w.Header().Set(name, header.Get(name))
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// compare checks that a request is that of an example.
func (s *exampleServer) compare(e docsite.Example, r *http.Request, body string) {
	want := e.Request
	got := s.back.Replace("http://127.0.0.1:8080" + r.URL.RequestURI())
	if r.Method != want.Method || got != want.URL {
		s.faults = append(s.faults, fmt.Sprintf("%s: %s %s", e.Operation.ID, r.Method, got))
	}
	for _, h := range want.Header {
		if got := r.Header.Get(h.Name); got != h.Value {
			s.faults = append(s.faults, fmt.Sprintf("%s: %s is %q", e.Operation.ID, h.Name, got))
		}
	}
	if want.Body == "" && body == "" {
		return
	}
	var sent, wanted any
	if json.Unmarshal([]byte(s.back.Replace(body)), &sent) != nil || json.Unmarshal([]byte(want.Body), &wanted) != nil || fmt.Sprint(sent) != fmt.Sprint(wanted) {
		s.faults = append(s.faults, fmt.Sprintf("%s: the body is %s", e.Operation.ID, body))
	}
}

// prepare brings the store back to its beginning, and does what the page says to do first.
func (s *exampleServer) prepare(e docsite.Example) {
	if s.dirty {
		s.send("POST", s.control+"/snapshots/examples/restore", "")
	}
	if e.First == "" {
		return
	}
	for _, first := range docsite.Examples() {
		if first.Operation.ID == e.First {
			s.send(first.Request.Method, strings.Replace(first.Request.URL, "http://127.0.0.1:8080", s.url, 1), s.real.Replace(first.Request.Body))
		}
	}
	if e.Operation.ID == "redeliver" {
		s.awaitDelivery()
	}
}

// awaitDelivery waits for the first attempt at a delivery, which fails.
func (s *exampleServer) awaitDelivery() {
	for range int(10 * time.Second / pollPause) {
		if _, _, text := s.send("GET", s.url+"/stores/demo/cohort/v1/hooks/1/deliveries", ""); bytes.Contains(text, []byte(`"attempts":1`)) {
			return
		}
		<-time.After(pollPause)
	}
	s.faults = append(s.faults, "there is no delivery")
}

// clear undoes what a restore does not.
func (s *exampleServer) clear() {
	s.send("DELETE", s.control+"/faults", "")
	s.send("PUT", s.control+"/limits", `{"plan":"unlimited"}`)
	s.send("DELETE", s.control+"/clock", "")
}

// check fails the test for each fault, and for each answer that is not the one of the page.
func (s *exampleServer) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults[:min(len(s.faults), 10)] {
		t.Error(f)
	}
	if s.next != len(s.examples) {
		t.Errorf("%d of %d examples were run", s.next, len(s.examples))
	}
	for id, got := range s.answers {
		if got.Status >= 300 {
			t.Errorf("%s: %d %s", id, got.Status, got.Text)
		} else if difference := got.Differs(docsite.Answers()[id]); difference != "" && !*update {
			t.Errorf("%s answers %s; -update writes the answers", id, difference)
		}
	}
}
