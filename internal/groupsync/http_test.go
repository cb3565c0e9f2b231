package groupsync_test

import (
	"net/http"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/cohorttest"
)

// served is a store of a server.
type served struct {
	*cohorttest.Server
	hash, token string
}

// httpShop starts a server with a store that has a seed.
func httpShop(t testing.TB, seed string) served {
	t.Helper()
	s := cohorttest.Start(t)
	shop := served{s, "shop", s.NewStore(t, cohort.Store{Hash: "shop", Catalog: cohort.CatalogManaged})}
	if seed != "" {
		s.SeedText(t, shop.hash, seed)
	}
	return shop
}

// client returns a client that sends requests in a way of the test's own, and never twice.
func (s served) client(t testing.TB, send transport) *client.Client {
	t.Helper()
	c, err := client.New(s.hash, s.token, client.WithBaseURL(s.URL), client.WithHTTPClient(&http.Client{Transport: send}),
		client.WithRetry(client.RetryPolicy{Attempts: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
