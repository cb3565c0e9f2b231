package server_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/console"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// operatorSecrets are the secrets of a test of the console.
type operatorSecrets struct{ token, session, unknown string }

func (s operatorSecrets) all() map[string]string {
	return map[string]string{"the token of an operator": s.token, "a session": s.session, "an unknown token": s.unknown}
}

// The secrets of operators and of their sessions are nowhere: neither in the database nor in
// the logs nor in the journal, also if they are sent to the API by mistake.
func TestOperatorSecretsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		var l logs
		kept := journal.New()
		secrets := operatorSecrets{unknown: "operator-unknown-7c1e90"}
		t.Run("requests", func(t *testing.T) { secrets.send(t, d, kept, l.logger()) })
		texts := dbtest.Texts(t, d)
		for what, secret := range secrets.all() {
			if secret == "" {
				t.Fatalf("there is no secret: %s", what)
			}
			for format, text := range map[string]string{"text": l.text.String(), "JSON": l.json.String()} {
				if strings.Contains(text, secret) {
					t.Errorf("the %s log has %s", format, what)
				}
			}
			for column, values := range texts {
				if strings.Contains(values, secret) {
					t.Errorf("%s has %s", column, what)
				}
			}
		}
		// This shows that the searched places have what belongs there.
		if !strings.Contains(l.text.String(), "a login to the console failed") || !strings.Contains(l.text.String(), "listGroups") {
			t.Errorf("the log lacks the requests:\n%s", l.text.String())
		}
		if texts["operators.hash"] != cohort.HashTokenSecret(secrets.token) || texts["console_sessions.hash"] != cohort.HashTokenSecret(secrets.session) ||
			!strings.Contains(texts["events.actor_name"]+texts["event_inbox.actor_name"], "Ann") {
			t.Error("the database lacks the operator, the session or the event")
		}
	})
}

// send runs a server with a console, logs in, changes something, and sends the secrets to the
// API.
func (s *operatorSecrets) send(t *testing.T, d *db.DB, kept *journal.Journal, log *slog.Logger) {
	api := servertest.Start(t, d, server.Options{Log: log, Journal: kept})
	st := api.Store(t, cohort.Store{Hash: "abc", Events: true})
	_, token, err := api.Service.CreateOperator(t.Context(), "Ann", false)
	if err != nil {
		t.Fatal(err)
	}
	s.token = token
	pages := httptest.NewServer(console.New(console.Options{Service: api.Service, Login: true, Log: log}).Alone())
	defer pages.Close()
	s.post(t, pages.URL+"/console/login", url.Values{"token": {s.unknown}}, http.StatusUnauthorized)
	s.post(t, pages.URL+"/console/login", url.Values{"token": {s.token}}, http.StatusSeeOther)
	s.post(t, pages.URL+"/console/stores/abc/groups/new", url.Values{"name": {"Trade"}, "access": {"all"}}, http.StatusSeeOther)
	s.post(t, pages.URL+"/console/stores/abc/groups/new", url.Values{"name": {"trade"}, "access": {"all"}}, http.StatusUnprocessableEntity)
	for _, secret := range s.all() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.URL+"/stores/abc/v2/customer_groups", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Auth-Token", secret)
		req.Header.Set("Authorization", "Bearer "+secret)
		req.AddCookie(&http.Cookie{Name: "__Host-cohort", Value: secret})
		if a := exchange(t, req); a.status != http.StatusUnauthorized {
			t.Errorf("the API answers %d %s", a.status, a.body)
		}
	}
	s.checkJournal(t, kept, st)
}

// post sends a form with the session, and keeps the session that the response begins.
func (s *operatorSecrets) post(t *testing.T, address string, form url.Values, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: "cohort-session", Value: s.session})
	res, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != status {
		t.Errorf("%s %v: %s, want %d", address, form, res.Status, status)
	}
	for _, c := range res.Cookies() {
		if c.Name == "cohort-session" {
			s.session = c.Value
		}
	}
}

func (s *operatorSecrets) checkJournal(t *testing.T, kept *journal.Journal, st cohort.Store) {
	t.Helper()
	entries := kept.Find(t.Context(), st.Key, 0, &journal.Criteria{})
	for _, e := range entries {
		text := fmt.Sprintf("%+v", *e)
		for what, secret := range s.all() {
			if strings.Contains(text, secret) {
				t.Errorf("the journal has %s: %s", what, text)
			}
		}
	}
	if len(entries) != len(s.all()) {
		t.Errorf("%d entries", len(entries))
	}
}
