package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/webhook"
)

// marks are the secrets of the test. Each occurs nowhere by chance.
const (
	markToken     = "mark-token-2c9d41"
	markUnknown   = "mark-unknown-8a5e07"
	markOldSecret = "mark-oldsecret-77b3f2"
	markSecret    = "mark-secret-e01d9c"
	markPassword  = "mark-password-4f6a1b"
	markWrong     = "mark-wrong-b83c55"
	markNew       = "mark-newpassword-19d0e4"
	markHeader    = "mark-header-d2f7a8"
	markKey       = "mark-key-63c1b9"
	markRejected  = "mark-rejected-f5a240"
	markQuery     = "mark-query-0e8d36"
)

// mayHave are the columns that may have a secret, which Cohort has to send or to repeat.
var mayHave = map[string][]string{
	markOldSecret: {"client_secrets.secret"},
	markSecret:    {"client_secrets.secret"},
	markHeader:    {"hooks.headers", "idempotency_keys.body"},
	markKey:       {"hooks.headers", "idempotency_keys.body"},
	markQuery:     {"hooks.destination", "idempotency_keys.body"},
}

// inJournal are the marks that the journal may have: a URL is no secret there.
var inJournal = []string{markQuery}

// The secrets of clients, customers and receivers are nowhere but where they are needed: not
// in events, messages, the log of deliveries and idempotency keys of others, and neither in
// the log of the server nor in the journal.
func TestSecretsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		var l logs
		kept := journal.New()
		t.Run("requests", func(t *testing.T) { sendSecrets(t, d, kept, l.logger()) })
		for _, mark := range allMarks() {
			for format, text := range map[string]string{"text": l.text.String(), "JSON": l.json.String()} {
				if strings.Contains(text, mark) {
					t.Errorf("the %s log has %s", format, mark)
				}
			}
		}
		if !strings.Contains(l.text.String(), "createHook") {
			t.Errorf("the log lacks the requests:\n%s", l.text.String())
		}
		checkColumns(t, d)
	})
}

func allMarks() []string {
	return []string{
		markToken, markUnknown, markOldSecret, markSecret, markPassword, markWrong, markNew, markHeader, markKey, markRejected, markQuery,
	}
}

// markedReceiver fails the first message of each of its paths, and then accepts.
type markedReceiver struct {
	got  atomic.Int64 // messages with the headers of the hook
	mu   sync.Mutex
	seen map[string]bool
}

func (r *markedReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Header.Get("Authorization") == "Bearer "+markHeader && req.Header.Get("X-Key") == markKey {
		r.got.Add(1)
	}
	r.mu.Lock()
	again := r.seen[req.URL.Path]
	r.seen[req.URL.Path] = true
	r.mu.Unlock()
	if !again || req.URL.Path == "/broken" {
		panic(http.ErrAbortHandler)
	}
}

// sendSecrets runs a server, and sends requests with all secrets.
func sendSecrets(t *testing.T, d *db.DB, kept *journal.Journal, log *slog.Logger) {
	s := servertest.Start(t, d, server.Options{Log: log, Journal: kept}, service.WithHookSender(webhook.New(webhook.Options{Dev: true})))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Service.Outbox().Run(ctx, log) })
	running.Go(func() { s.Service.RunHooks(ctx, log) })
	defer running.Wait()
	defer stop()
	st := s.Store(t, cohort.Store{Hash: "abc", Events: true})
	token, err := s.Service.CreateTokenWithSecret(t.Context(), cohort.Token{StoreKey: st.Key, Scopes: cohort.Scopes()}, markToken)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{markOldSecret, markSecret} {
		if err := s.Service.SetClientSecret(t.Context(), token.ID, secret, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	receiver := &markedReceiver{seen: map[string]bool{}}
	to := httptest.NewServer(receiver)
	defer to.Close()
	for i, r := range secretRequests(to.URL) {
		got := sendMarked(t, r, s.URL, fmt.Sprint("key ", i))
		if got.status != r.status {
			t.Errorf("%s %s %s: %d %s, want %d", r.method, r.path, r.body, got.status, got.body, r.status)
		}
	}
	awaitDeliveries(t, s.URL, receiver)
	checkJournal(t, kept)
}

type markedRequest struct {
	method, path, token, body string
	status                    int
}

// secretRequests are requests with secrets. Some of them fail.
func secretRequests(receiver string) []markedRequest {
	hook := func(path string) string {
		return fmt.Sprintf(`{"scope":"store/customer/*","destination":"%s%s?key=%s","headers":{"Authorization":"Bearer %s","X-Key":"%s"}}`,
			receiver, path, markQuery, markHeader, markKey)
	}
	customer := func(email, fields string) string {
		return fmt.Sprintf(`{"first_name":"Ada","last_name":"B","email":%q,%s}`, email, fields)
	}
	v2password := fmt.Sprintf(`"_authentication":{"password":%q,"password_confirmation":%q}`, markPassword, markPassword)
	v3password := fmt.Sprintf(`"authentication":{"new_password":%q}`, markNew)
	return []markedRequest{
		{"POST", "/v3/hooks", markToken, hook("/hook"), 200},
		{"POST", "/v3/hooks", markToken, hook("/broken"), 200},
		{"POST", "/v3/hooks", markToken, hook("/broken") + " ", 409},
		{"POST", "/v3/hooks", markToken, fmt.Sprintf(`{"scope":"x","destination":"https://u:%s@example.com/","headers":{"Authorization":"%s\n"}}`, markQuery, markRejected), 422},
		{"POST", "/v3/hooks", markToken, fmt.Sprintf(`{"headers":{"Authorization":["%s"]}}`, markRejected), 422},
		{"PUT", "/v3/hooks/1", markToken, fmt.Sprintf(`{"headers":{"Authorization":"Bearer %s","X-Key":"%s"}}`, markHeader, markKey), 200},
		{"PUT", "/v3/hooks/1", markToken, fmt.Sprintf(`{"headers":{"Bad name":"%s"}}`, markRejected), 422},
		{"GET", "/v3/hooks/1", markToken, "", 200},
		{"GET", "/v3/hooks", markToken, "", 200},
		{"GET", "/v3/hooks/admin", markToken, "", 200},
		{"GET", "/v3/hooks", markUnknown, "", 401},
		{"POST", "/v2/customers", markToken, customer("a@example.com", v2password), 200},
		{"POST", "/v2/customers", markToken, customer("a@example.com", v2password), 400},
		{"PUT", "/v2/customers/1", markToken, "{" + v2password + "}", 200},
		{"POST", "/v2/customers/1/validate", markToken, fmt.Sprintf(`{"password":%q}`, markPassword), 200},
		{"POST", "/v2/customers/1/validate", markToken, fmt.Sprintf(`{"password":%q}`, markWrong), 200},
		{"POST", "/v3/customers", markToken, "[" + customer("b@example.com", v3password) + "," + customer("c@example.com", v3password) + "]", 200},
		{"POST", "/v3/customers", markToken, "[" + customer("a@example.com", v3password) + "]", 422},
		{"PUT", "/v3/customers", markToken, `[{"id":1,` + v3password + `}]`, 200},
		{"POST", "/v3/customers/validate-credentials", markToken, fmt.Sprintf(`{"email":"b@example.com","password":%q}`, markNew), 200},
		{"POST", "/v3/customers/validate-credentials", markToken, fmt.Sprintf(`{"email":"b@example.com","password":%q}`, markWrong), 200},
		{"DELETE", "/v3/customers?id:in=1", markToken, "", 204},
		{"GET", "/cohort/v1/customers/1/history", markToken, "", 200},
		{"GET", "/cohort/v1/events", markToken, "", 200},
	}
}

// sendMarked sends a request. One that creates a webhook has an idempotency key.
func sendMarked(t *testing.T, r markedRequest, url, key string) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, url+"/stores/abc"+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", r.token)
	req.Header.Set("Content-Type", "application/json")
	if r.method == http.MethodPost && r.path == "/v3/hooks" {
		req.Header.Set("Idempotency-Key", key)
	}
	return exchange(t, req)
}

// awaitDeliveries waits until both hooks have an attempt in their logs.
func awaitDeliveries(t *testing.T, url string, receiver *markedReceiver) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for _, id := range []int{1, 2} {
		for {
			a := servertest.Send(t, http.MethodGet, fmt.Sprintf("%s/stores/abc/cohort/v1/hooks/%d/deliveries", url, id), markToken, "")
			if strings.Contains(a.Body, `"Authorization":"(hidden)"`) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("webhook %d has no attempt: %s", id, a.Body)
			}
			time.Sleep(time.Millisecond) // only as long as a worker is busy
		}
	}
	if receiver.got.Load() == 0 {
		t.Error("the receiver gets no headers")
	}
}

// checkColumns looks for the marks in all columns of the database, except where they may be.
func checkColumns(t *testing.T, d *db.DB) {
	t.Helper()
	found := map[string]bool{}
	for column, values := range dbtest.Texts(t, d) {
		for _, mark := range allMarks() {
			if !strings.Contains(values, mark) {
				continue
			}
			found[mark] = true
			if !slices.Contains(mayHave[mark], column) {
				t.Errorf("%s has %s", column, mark)
			}
		}
	}
	for mark := range mayHave { // otherwise the search finds nothing
		if !found[mark] {
			t.Errorf("%s is nowhere", mark)
		}
	}
}

// checkJournal looks for the marks in the journal.
func checkJournal(t *testing.T, kept *journal.Journal) {
	t.Helper()
	entries := kept.Find(t.Context(), "abc", 0, &journal.Criteria{})
	if len(entries) < 20 {
		t.Errorf("%d entries", len(entries))
	}
	for _, e := range entries {
		text := fmt.Sprintf("%+v", *e)
		for _, mark := range allMarks() {
			if strings.Contains(text, mark) && !slices.Contains(inJournal, mark) {
				t.Errorf("the journal has %s: %s", mark, text)
			}
		}
	}
}
