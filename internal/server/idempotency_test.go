package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// pusherFunc is another pricing system.
type pusherFunc func() error

func (p pusherFunc) PushSitewide(context.Context, service.SitewideDiscount) error { return p() }

// keyed sends a POST with an idempotency key.
func (f *fixture) keyed(path, key, body string) *httptest.ResponseRecorder {
	return f.do("POST", path, f.vars["token"], body, "Idempotency-Key", key)
}

// wantCount fails unless a collection of the store has n rows.
func (f *fixture) wantCount(t *testing.T, resource string, n int) {
	t.Helper()
	got := f.mustDo(t, 200, "GET", f.path("/"+resource+"/count"), f.vars["token"], "").Body.String()
	if got != fmt.Sprintf(`{"count":%d}`, n) {
		t.Errorf("the store has %s %s, want %d", got, resource, n)
	}
}

// The answer is lost with the connection, but the group is created. A retry with the key gets
// that answer, and nothing is created twice.
func TestRetryAfterALostAnswer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := serveFaulty(t, d, false)
		for _, kind := range []fault.Kind{fault.KindReset, fault.KindTruncate, fault.KindEmpty} {
			f.set(t, fault.Rule{Action: fault.Action{Kind: kind, Commit: kind != fault.KindTruncate}, Times: 1})
			name := string(kind)
			send := func() (string, error) {
				return f.send(t, func(w *wire) string {
					return w.whole("POST", "/customer_groups", fmt.Sprintf(`{"name":%q}`, name), "Connection: close", "Idempotency-Key: "+name)
				})
			}
			if lost, _ := send(); strings.Contains(lost, `"is_default"`) {
				t.Fatalf("%s: the first answer is whole: %s", kind, lost)
			}
			again, err := send()
			if err != nil || !strings.HasPrefix(again, "HTTP/1.1 200") || !strings.Contains(again, "Idempotent-Replayed: true\r\n") || !strings.Contains(again, `"name":"`+name) {
				t.Errorf("%s: the retry gets %s, error %v", kind, again, err)
			}
		}
		f.wantGroups(t, 3)
	})
}

// Of many requests with one key at once, on two nodes, one creates. The others get its answer,
// or 409 while it is under way.
func TestKeyAtTheSameTime(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		f := newFixture(t, dbtest.Open(t, url), server.Options{})
		there := &fixture{Handler: server.New(service.New(dbtest.Open(t, url)), server.Options{}), vars: f.vars}
		for key := range 4 {
			var all sync.WaitGroup
			answers := make([]*httptest.ResponseRecorder, 8)
			for i := range answers {
				node := []*fixture{f, there}[i%2]
				all.Go(func() {
					answers[i] = node.keyed(f.path("/customers"), fmt.Sprint(key), fmt.Sprintf(`{"first_name":"A","last_name":"B","email":"%d@example.com"}`, key))
				})
			}
			all.Wait()
			created := 0
			body := ""
			for _, w := range answers {
				switch {
				case w.Code == 409 && w.Header().Get("Retry-After") == "1":
				case w.Code != 200 || body != "" && w.Body.String() != body:
					t.Errorf("%d %s, and before %s", w.Code, w.Body, body)
				default:
					body = w.Body.String()
					if w.Header().Get("Idempotent-Replayed") == "" {
						created++
					}
				}
			}
			if created != 1 {
				t.Errorf("%d requests have created a customer", created)
			}
		}
		f.wantCount(t, "customers", 4)
	})
}

// While a request is under way, its key has 409, and another key does not wait for it.
func TestKeyUnderWay(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		arrived, goOn := make(chan struct{}), make(chan struct{})
		p := pusherFunc(func() error { close(arrived); <-goOn; return nil })
		f := newFixture(t, d, server.Options{}, service.WithPusher(p))
		const body = `{"name":"Gold","discount_rules":[{"type":"all","method":"percent","amount":5}]}`
		first := make(chan *httptest.ResponseRecorder)
		go func() { first <- f.keyed(f.path("/customer_groups"), "k", body) }()
		<-arrived
		there := &fixture{Handler: server.New(service.New(d), server.Options{}), vars: f.vars}
		for _, node := range []*fixture{f, there} { // the other one has only the row
			if w := node.keyed(f.path("/customer_groups"), "k", body); w.Code != 409 || w.Header().Get("Retry-After") != "1" {
				t.Errorf("a retry under way: %d %s", w.Code, w.Body)
			}
		}
		if w := f.keyed(f.path("/customer_groups"), "l", `{"name":"Silver"}`); w.Code != 200 {
			t.Errorf("another key: %d %s", w.Code, w.Body)
		}
		close(goOn)
		w := <-first
		if w.Code != 200 || w.Header().Get("Location") == "" {
			t.Errorf("the first: %d %s", w.Code, w.Body)
		}
		for _, node := range []*fixture{f, there} {
			if again := node.keyed(f.path("/customer_groups"), "k", body); again.Code != 200 || again.Body.String() != w.Body.String() || again.Header().Get("Location") != w.Header().Get("Location") {
				t.Errorf("a replay: %d %s", again.Code, again.Body)
			}
		}
	})
}

// A node dies while the request is under way, after its commit. Another node answers 409 until
// the first one could not change the answer any more, and repeats the answer of the commit
// then. The first one, if it only was slow, does not say anything else.
func TestKeyOfADeadNode(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		arrived, goOn := make(chan struct{}), make(chan struct{})
		p := pusherFunc(func() error { close(arrived); <-goOn; return nil })
		now := newClock()
		f := newFixture(t, d, server.Options{Now: now.Now}, service.WithPusher(p), service.WithClock(now.Now))
		there := &fixture{Handler: server.New(service.New(d, service.WithClock(now.Now)), server.Options{}), vars: f.vars}
		send := func(f *fixture) *httptest.ResponseRecorder {
			return f.keyed(there.path("/customer_groups"), "k", `{"name":"Gold","discount_rules":[{"type":"all","method":"percent","amount":5}]}`)
		}
		first := make(chan *httptest.ResponseRecorder)
		go func() { first <- send(f) }()
		<-arrived
		if w := send(there); w.Code != 409 {
			t.Errorf("under way: %d %s", w.Code, w.Body)
		}
		now.advance(time.Minute)
		after := send(there)
		if after.Code != 207 || after.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("later: %d %s", after.Code, after.Body)
		}
		close(goOn)
		if w := <-first; w.Code != 207 || w.Body.String() != after.Body.String() {
			t.Errorf("the slow node answers %d %s", w.Code, w.Body)
		}
		if again := send(there); again.Code != 207 || again.Body.String() != after.Body.String() {
			t.Errorf("then: %d %s", again.Code, again.Body)
		}
		f.wantCount(t, "customer_groups", 1)
	})
}

// A store with MaxKeys keys has 429 for a new one, until old ones are swept. Known keys are
// still answered.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := newClock()
		f := newFixture(t, d, server.Options{Now: now.Now}, service.WithClock(now.Now))
		send := func(key string, status int) *httptest.ResponseRecorder {
			t.Helper()
			w := f.keyed(f.path("/customer_groups"), key, fmt.Sprintf(`{"name":%q}`, key))
			if w.Code != status {
				t.Fatalf("key %s: %d %s, want %d", key, w.Code, w.Body, status)
			}
			return w
		}
		send("first", 200)
		store, err := f.Service.Store(t.Context(), f.vars["store"])
		if err != nil {
			t.Fatal(err)
		}
		dbtest.Update(t, d, func(tx *db.Tx) error { // as if there had been so many
			_, err := tx.ReserveIDs(store.Key, "idempotency_key", service.MaxKeys-1, 0)
			return err
		})
		send("last", 200)
		if w := send("one too many", 429); w.Header().Get("Retry-After") != "60" || !strings.Contains(w.Body.String(), "Idempotency-Key") {
			t.Errorf("Retry-After %q: %s", w.Header().Get("Retry-After"), w.Body)
		}
		if w := send("first", 200); w.Header().Get("Idempotent-Replayed") != "true" {
			t.Error("a known key is not answered")
		}
		f.wantCount(t, "customer_groups", 2)
		now.advance(service.KeyLife)
		if err := f.Service.SweepKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		send("one too many", 200)
	})
}

// The discount does not reach the pricing system: 207, also for a retry, after it has arrived
// too.
func TestKeyOfAPartialAnswer(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{}, service.WithPusher(pusherFunc(func() error { return errors.New("down") })))
		const body = `{"name":"Gold","discount_rules":[{"type":"all","method":"percent","amount":5}]}`
		first := f.keyed(f.path("/customer_groups"), "k", body)
		again := f.keyed(f.path("/customer_groups"), "k", body)
		if first.Code != 207 || again.Code != 207 || first.Body.String() != again.Body.String() || again.Header().Get("Location") != f.path("/customer_groups/1") {
			t.Errorf("%d %s, then %d %s %v", first.Code, first.Body, again.Code, again.Body, again.Header())
		}
		f.wantCount(t, "customer_groups", 1)
	})
}

// A key lasts for 24 hours of the store's clock.
func TestKeyExpires(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := newClock()
		f := newFixture(t, d, server.Options{Now: now.Now}, service.WithClock(now.Now))
		send := func(wantReplayed bool) {
			t.Helper()
			w := f.keyed(f.path("/customer_groups"), "k", `{"name":"Gold"}`)
			if replayed := w.Header().Get("Idempotent-Replayed") == "true"; replayed != wantReplayed {
				t.Errorf("%d %s, replayed %v", w.Code, w.Body, replayed)
			}
			if wantReplayed { // the name is free again
				f.mustDo(t, 204, "DELETE", w.Header().Get("Location"), f.vars["token"], "")
			}
		}
		send(false)
		now.advance(service.KeyLife - time.Millisecond)
		send(true) // and deletes the group
		now.advance(time.Millisecond)
		send(false)
		f.wantCount(t, "customer_groups", 1)
		now.advance(2 * service.KeyLife)
		if err := f.Service.SweepKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		dbtest.View(t, d, func(tx *db.Tx) error {
			store, _, err := tx.NextStoreWithKeys("")
			if store != "" {
				t.Errorf("store %s still has keys", store)
			}
			return err
		})
	})
}

// A key is of a token. An error changes nothing and leaves the key free. The order of the
// checks stays as it is: neither a token without the scope nor a revoked one replays.
func TestKeyOfAnotherToken(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		path := f.path("/customer_groups")
		another := f.Token(t, "abc", cohort.ScopeCustomers)
		if w := f.keyed(path, "k", `{"name":""}`); w.Code != 400 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		f.keyed(path, "k", `{"name":"Gold"}`)
		for token, want := range map[string]int{another: 400, f.vars["read_token"]: 403, "unknown": 401, f.vars["token"]: 200} { // 400: the name is taken
			f.mustDo(t, want, "POST", path, token, `{"name":"Gold"}`, "Idempotency-Key", "k")
		}
		f.wantCount(t, "customer_groups", 1)
	})
}

// Passwords are hashed before the transaction, each with a salt of its own.
func TestKeyWithPasswords(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		token := f.Token(t, "abc", cohort.Scopes()...)
		v3 := strings.Replace(f.path("/customers"), "/v2/", "/v3/", 1)
		var items []string
		for i, password := range []string{"secret one", "", "secret two", "secret one"} {
			auth := ""
			if password != "" {
				auth = fmt.Sprintf(`,"authentication":{"new_password":%q}`, password)
			}
			items = append(items, fmt.Sprintf(`{"first_name":"A","last_name":"B","email":"%d@example.com"%s}`, i, auth))
		}
		body := "[" + strings.Join(items, ",") + "]"
		for _, want := range []string{"", "true"} {
			w := f.mustDo(t, http.StatusOK, "POST", v3, token, body, "Idempotency-Key", "k")
			if got := w.Header().Get("Idempotent-Replayed"); got != want {
				t.Errorf("replayed %q, want %q", got, want)
			}
		}
		for id, password := range map[int]string{1: "secret one", 3: "secret two", 4: "secret one"} {
			w := f.mustDo(t, http.StatusOK, "POST", f.path(fmt.Sprintf("/customers/%d/validate", id)), f.vars["token"], fmt.Sprintf(`{"password":%q}`, password))
			if !strings.Contains(w.Body.String(), "true") {
				t.Errorf("customer %d: %s", id, w.Body)
			}
		}
	})
}

// The routes that accept a key are those of POST that may create.
func TestRoutesThatCreate(t *testing.T) {
	other := map[string]bool{
		"getPrices": true, "explainPrices": true, "checkAccess": true, // they read
		"validatePassword": true, "validateCredentials": true, // so do these
	}
	svc := service.New(dbtest.SQLite(t))
	n := 0
	for _, dialect := range server.Dialects(svc) {
		for _, route := range dialect.Routes {
			if want := route.Method == http.MethodPost && !other[route.Operation]; route.Creates() != want {
				t.Errorf("%s creates: %v", route.Operation, route.Creates())
			} else if want {
				n++
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d routes create", n)
	}
}

// Of writers with the same ETag, one changes the group, on every engine and over nodes.
func TestIfMatchAtTheSameTime(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		f := newFixture(t, dbtest.Open(t, url), server.Options{})
		there := &fixture{Handler: server.New(service.New(dbtest.Open(t, url)), server.Options{}), vars: f.vars}
		path, tag := f.tagged(t)
		for round := range 3 {
			var all sync.WaitGroup
			codes := make([]int, 6)
			for i := range codes {
				node := []*fixture{f, there}[i%2]
				all.Go(func() {
					codes[i] = node.do("PUT", path, f.vars["token"], fmt.Sprintf(`{"name":"%d of %d"}`, i, round), "If-Match", tag).Code
				})
			}
			all.Wait()
			count := map[int]int{}
			for _, code := range codes {
				count[code]++
			}
			if count[200] != 1 || count[412] != len(codes)-1 {
				t.Errorf("the statuses are %v", codes)
			}
			tag = f.mustDo(t, 200, "GET", path, f.vars["token"], "").Header().Get("Etag")
		}
		f.mustDo(t, 412, "DELETE", path, f.vars["token"], "", "If-Match", `"0123456789abcdef"`)
		f.mustDo(t, 204, "DELETE", path, f.vars["token"], "", "If-Match", tag)
		f.mustDo(t, 404, "DELETE", path, f.vars["token"], "", "If-Match", "*")
	})
}
