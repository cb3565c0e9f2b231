package bench

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/webhook"
)

// The public library of Standard Webhooks accepts the signatures of Cohort. The test is in
// this module, so that the library is no dependency of Cohort.
func TestStandardWebhooksAcceptsSignatures(t *testing.T) {
	var header http.Header
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	defer srv.Close()
	answer := webhook.New(webhook.Options{Dev: true}).Send(t.Context(), service.HookAttempt{
		ID: "msg_42", Timestamp: time.Now(), Destination: srv.URL, Body: []byte(`{"scope":"store/customer/created"}`),
		Secrets: []string{"the new secret", "the old secret"},
	})
	if answer.Err != nil {
		t.Fatal(answer.Err)
	}
	for secret, want := range map[string]error{
		"the new secret": nil, "the old secret": nil, "another secret": standardwebhooks.ErrNoMatchingSignature,
	} {
		verifier, err := standardwebhooks.NewWebhookRaw([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(body, header); !errors.Is(err, want) {
			t.Errorf("with %q: %v, want %v", secret, err, want)
		}
		if err := verifier.Verify(append(body, ' '), header); !errors.Is(err, standardwebhooks.ErrNoMatchingSignature) {
			t.Errorf("a changed body with %q: %v", secret, err)
		}
	}
}
