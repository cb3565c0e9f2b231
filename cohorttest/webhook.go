package cohorttest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"cohort.example/cohort"
)

// ClientSecret returns the client secret of a token of a store: the key that signs what the
// webhooks of the token send.
func (s *Server) ClientSecret(t testing.TB, store, token string) string {
	t.Helper()
	secrets, err := s.service.ClientSecrets(t.Context(), s.store(t, store).Key, cohort.NewToken(token).ID)
	if err != nil {
		t.Fatalf("the client secret of a token of the store %q: %v", store, err)
	}
	if len(secrets) == 0 {
		t.Fatalf("the store %q has no such token", store)
	}
	return secrets[0]
}

// startWebhooks delivers the messages of webhooks until stopWebhooks.
func (s *Server) startWebhooks() {
	ctx, stop := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	var running sync.WaitGroup
	running.Go(func() { s.service.Outbox().Run(ctx, log) })
	running.Go(func() { s.service.RunHooks(ctx, log) })
	s.stopWebhooks = func() { stop(); running.Wait() }
}
