package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// follower is the client of a server with a store that records events.
type follower struct {
	*servertest.Server
	url, token string
}

// follow starts a server with a store that records events, of which the first says so.
func follow(t *testing.T, d *db.DB) *follower {
	t.Helper()
	s := servertest.Start(t, d, server.Options{})
	vars := s.Vars(t)
	if _, err := s.Service.UpdateStore(t.Context(), "abc", cohort.StoreUpdate{Events: new(true)}); err != nil {
		t.Fatal(err)
	}
	return &follower{s, s.URL + "/stores/abc", vars["token"]}
}

func (f *follower) createGroup(t *testing.T, name string) {
	t.Helper()
	if r := servertest.Send(t, http.MethodPost, f.url+"/v2/customer_groups", f.token, fmt.Sprintf(`{"name":%q}`, name)); r.Status != http.StatusOK {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

// stream opens a stream. next returns the next line that begins with a prefix, "" at the end.
func (f *follower) stream(t *testing.T, query string, header ...string) (next func(prefix string) string, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/cohort/v1/events/stream?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", f.token)
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = res.Body.Close() })
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" || res.StatusCode != http.StatusOK {
		t.Fatalf("the stream is %d %s", res.StatusCode, got)
	}
	lines := bufio.NewScanner(res.Body)
	return func(prefix string) string {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), prefix) {
				return lines.Text()
			}
		}
		return ""
	}, cancel
}

// TestLongPoll checks that a request waits for an event that passes its filter, is answered
// at once if there is one, and ends when its time is over or the server is about to stop.
func TestLongPoll(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := follow(t, d)
		get := func(query string) string {
			r := servertest.Send(t, http.MethodGet, f.url+"/cohort/v1/events?"+query, f.token, "")
			return r.Body
		}
		answers := make(chan string)
		go func() { answers <- get("wait=50&type=customerGroup.deleted") }()
		f.createGroup(t, "one")
		if r := servertest.Send(t, http.MethodDelete, f.url+"/v2/customer_groups/1", f.token, ""); r.Status != http.StatusNoContent {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		if got := <-answers; !strings.Contains(got, `"type":"customerGroup.deleted"`) || !strings.Contains(got, `"customer_group_id":1`) {
			t.Errorf("the answer is %s", got)
		}
		if got := get("wait=50&after=0&limit=1"); !strings.Contains(got, `"more":true`) {
			t.Errorf("with events there is %s", got)
		}
		if got := get("wait=1&after=3"); !strings.HasPrefix(got, `{"data":[],"meta":{"after":3`) {
			t.Errorf("after the time the answer is %s", got)
		}
		go func() { answers <- get("wait=50&after=3") }()
		f.EndFaults()
		if got := <-answers; !strings.HasPrefix(got, `{"data":[],"meta":{"after":3`) {
			t.Errorf("at the end of the server the answer is %s", got)
		}
	})
}

// TestEventStream checks that a stream sends what was and what comes, resumes after
// Last-Event-ID, and ends with its token and with the server.
func TestEventStream(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := follow(t, d)
		f.createGroup(t, "one")
		next, leave := f.stream(t, "after=1")
		for i, name := range []string{"one", "two", "three"} {
			if i > 0 {
				f.createGroup(t, name)
			}
			if id, kind, data := next("id: "), next("event: "), next("data: "); id != fmt.Sprintf("id: %d", i+2) ||
				kind != "event: customerGroup.created" || !strings.Contains(data, `"name":[null,"`+name+`"]`) {
				t.Fatalf("event %d is %q, %q, %q", i+1, id, kind, data)
			}
		}
		leave()
		next, _ = f.stream(t, "type=customerGroup.created", "Last-Event-ID", "3")
		if id := next("id: "); id != "id: 4" {
			t.Errorf("the resumed stream begins with %q", id)
		}
		tokens, err := f.Service.ListTokens(t.Context(), "abc")
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range tokens {
			if err := f.Service.RevokeToken(t.Context(), token.ID); err != nil {
				t.Fatal(err)
			}
		}
		if line := next("id: "); line != "" {
			t.Errorf("after the revocation there is %q", line)
		}
		f.token = f.Token(t, "abc", cohort.ScopeCustomersRead)
		next, _ = f.stream(t, "after=3")
		if id := next("id: "); id != "id: 4" {
			t.Errorf("the third stream begins with %q", id)
		}
		f.EndFaults()
		if line := next(""); line != "" && next("id: ") != "" {
			t.Errorf("at the end of the server there is %q", line)
		}
	})
}

// TestFollowersAreBounded checks that a store cannot take all places of those who wait.
func TestFollowersAreBounded(t *testing.T) {
	t.Parallel()
	f := follow(t, dbtest.SQLite(t))
	for range 100 {
		next, _ := f.stream(t, "")
		next(": the events of abc")
	}
	const full = http.StatusTooManyRequests
	for _, path := range []string{"/cohort/v1/events/stream", "/cohort/v1/events?wait=1"} {
		if r := servertest.Send(t, http.MethodGet, f.url+path, f.token, ""); r.Status != full {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
	if r := servertest.Send(t, http.MethodGet, f.url+"/cohort/v1/events", f.token, ""); r.Status != http.StatusOK {
		t.Errorf("a read gets %d", r.Status)
	}
}

// TestEventExport checks that an export has every event as a line.
func TestEventExport(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := follow(t, d)
		for i := range 300 {
			if _, err := f.Service.CreateGroup(t.Context(), "abc", cohort.Group{Name: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		r := servertest.Send(t, http.MethodGet, f.url+"/cohort/v1/events/export?after=8", f.token, "")
		lines := strings.Split(strings.TrimSuffix(r.Body, "\n"), "\n")
		if r.Status != http.StatusOK || len(lines) != 293 || !strings.HasPrefix(lines[0], `{"number":9,"type":"customerGroup.created",`) || !strings.HasPrefix(lines[292], `{"number":301,`) {
			t.Errorf("%d: %d lines, %.300s", r.Status, len(lines), r.Body)
		}
	})
}
