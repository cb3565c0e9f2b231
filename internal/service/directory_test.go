package service_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
)

// authenticate returns the store of a secret, and whether the secret is accepted.
func authenticate(t *testing.T, svc *service.Service, secret string) (cohort.Store, bool) {
	t.Helper()
	b, err := svc.Authenticate(t.Context(), "a", secret, cohort.ScopeCustomers)
	if err != nil && cohort.KindOf(err) != cohort.KindUnauthorized {
		t.Error(err)
	}
	return b.Store, err == nil
}

// wantDirectorySize fails unless the directory has this number of entries.
func wantDirectorySize(t *testing.T, svc *service.Service, want int) {
	t.Helper()
	if n := svc.DirectorySize(); n != want {
		t.Errorf("the directory has %d entries, want %d", n, want)
	}
}

// A change made through this service applies to the next request, although the token and
// its store were cached.
func TestDirectoryForgetsOnChange(t *testing.T) {
	scopes := []cohort.Scope{cohort.ScopeCustomers}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		token, secret := newToken(t, svc, "a", scopes...)
		_, other := newToken(t, svc, "a", scopes...)
		remember := func() cohort.Store {
			t.Helper()
			st, ok := authenticate(t, svc, other)
			if !ok {
				t.Error("a valid token is rejected")
			}
			if n := svc.DirectorySize(); n == 0 {
				t.Error("the directory is empty")
			}
			return st
		}
		remember()
		if _, err := svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Quota: new(7), Plan: new(cohort.PlanEnterprise)}); err != nil {
			t.Fatal(err)
		}
		want := cohort.Store{Hash: "a", Key: "a", Plan: cohort.PlanEnterprise, Quota: 7, DateCreated: t0}.WithDefaults()
		if diff := cmp.Diff(want, remember()); diff != "" {
			t.Errorf("the store after the change (-want +got):\n%s", diff)
		}

		if _, ok := authenticate(t, svc, secret); !ok {
			t.Error("a valid token is rejected")
		}
		wantDirectorySize(t, svc, 2)
		if err := svc.RevokeToken(t.Context(), token.ID); err != nil {
			t.Fatal(err)
		}
		if _, ok := authenticate(t, svc, secret); ok {
			t.Error("a revoked token is accepted")
		}
		remember()

		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, ok := authenticate(t, svc, other); ok {
			t.Error("a token of a deleted store is accepted")
		}
		wantDirectorySize(t, svc, 0)
	})
}

// cacheRevoked makes svc cache a token, which another service then revokes.
func cacheRevoked(t *testing.T, svc, other *service.Service) (secret string) {
	t.Helper()
	token, secret := newToken(t, svc, "a", cohort.ScopeCustomers)
	if _, ok := authenticate(t, svc, secret); !ok {
		t.Error("a valid token is rejected")
	}
	if err := other.RevokeToken(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	return secret
}

// A change made by another process applies after directoryLife at the latest, by the
// service's clock.
func TestDirectoryEntriesExpire(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		c := newClock()
		d := dbtest.Open(t, url)
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		other := newService(t, dbtest.Open(t, url), nil)
		secret := cacheRevoked(t, svc, other)
		c.Set(c.Now().Add(service.DirectoryLife - 1))
		// On SQLite the service may notice the write earlier.
		if _, ok := authenticate(t, svc, secret); !ok && !d.SeesAllWrites() {
			t.Error("the entry expired before DirectoryLife")
		}
		c.Set(c.Now().Add(1))
		if _, ok := authenticate(t, svc, secret); ok {
			t.Errorf("a revoked token is accepted %v later", service.DirectoryLife)
		}
	})
}

// On SQLite a change made by another process applies as soon as the service notices the
// write.
func TestDirectoryForgetsOnForeignWrite(t *testing.T) {
	inBubble(t, func(t *testing.T, url string) {
		c := newClock() // does not move
		svc := newService(t, dbtest.Open(t, url), []string{"a"}, service.WithClock(c.Now))
		other := newService(t, dbtest.Open(t, url), nil)
		remember := func() (secret string) {
			t.Helper()
			secret = cacheRevoked(t, svc, other)
			if _, ok := authenticate(t, svc, secret); !ok {
				t.Error("the token is not cached")
			}
			return secret
		}
		secret := remember()
		time.Sleep(service.DirectoryLife / 2) // synctest time
		if _, ok := authenticate(t, svc, secret); ok {
			t.Error("the service has not noticed the write of another process")
		}

		secret = remember()
		mustCreate(t, svc, "a", cohort.Group{Name: "x"}) // a write notices it too
		if _, ok := authenticate(t, svc, secret); ok {
			t.Error("a write has not noticed the write of another process")
		}
	})
}

// Unknown secrets are not cached: a new token works at once, and guesses use no memory.
func TestUnknownSecretsAreNotCached(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for i := range 20 {
			if _, ok := authenticate(t, svc, fmt.Sprint("guess ", i)); ok {
				t.Error("a guess is accepted")
			}
		}
		wantDirectorySize(t, svc, 0)
		if _, err := svc.CreateTokenWithSecret(t.Context(), cohort.Token{StoreKey: "a", Scopes: []cohort.Scope{cohort.ScopeCustomers}}, "guess 7"); err != nil {
			t.Fatal(err)
		}
		if _, ok := authenticate(t, svc, "guess 7"); !ok {
			t.Error("a new token is rejected")
		}
		// A token used with a wrong store or scope is cached too, and rejected.
		for range 2 {
			if _, err := svc.Authenticate(t.Context(), "b", "guess 7", cohort.ScopeCustomers); cohort.KindOf(err) != cohort.KindForbidden {
				t.Errorf("got error %v, want KindForbidden", err)
			}
			if _, err := svc.Authenticate(t.Context(), "a", "guess 7", cohort.ScopeProductsRead); cohort.KindOf(err) != cohort.KindForbidden {
				t.Errorf("got error %v, want KindForbidden", err)
			}
		}
		wantDirectorySize(t, svc, 1)
	})
}

// Tokens are revoked during concurrent lookups, none of which may cache a result from
// before the revocation.
func TestRevokedTokensAreNotCached(t *testing.T) {
	const callers = 4
	tokens := testenv.Times(40, 8)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for range tokens {
			token, secret := newToken(t, svc, "a", cohort.ScopeCustomers)
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for ctx.Err() == nil {
						_, _ = svc.Authenticate(t.Context(), "a", secret, cohort.ScopeCustomers)
					}
				})
			}
			if err := svc.RevokeToken(t.Context(), token.ID); err != nil {
				t.Error(err)
			}
			for range 20 {
				if _, ok := authenticate(t, svc, secret); ok {
					t.Error("a revoked token is accepted")
				}
			}
			stop()
			wg.Wait()
		}
	})
}
