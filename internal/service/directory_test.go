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

	"github.com/google/go-cmp/cmp"
)

// authenticate returns the store that a secret lets in, and whether it does.
func authenticate(t *testing.T, svc *service.Service, secret string) (cohort.Store, bool) {
	t.Helper()
	b, err := svc.Authenticate(t.Context(), "a", secret, cohort.ScopeCustomers)
	if err != nil && cohort.KindOf(err) != cohort.KindUnauthorized {
		t.Error(err)
	}
	return b.Store, err == nil
}

// wantRemembered fails unless so many tokens are remembered.
func wantRemembered(t *testing.T, svc *service.Service, want int) {
	t.Helper()
	if n := svc.DirectorySize(); n != want {
		t.Errorf("%d tokens are remembered, want %d", n, want)
	}
}

// What changes here shows at the next request, although the token and its
// store were remembered.
func TestWhatIsRememberedIsForgottenAtOnce(t *testing.T) {
	scopes := []cohort.Scope{cohort.ScopeCustomers}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		token, secret := newToken(t, svc, "a", scopes...)
		_, other := newToken(t, svc, "a", scopes...)
		remember := func() cohort.Store {
			t.Helper()
			st, ok := authenticate(t, svc, other)
			if !ok {
				t.Error("a good token is refused")
			}
			if n := svc.DirectorySize(); n == 0 {
				t.Error("nothing is remembered")
			}
			return st
		}
		remember()
		if _, err := svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Quota: new(7), Plan: new(cohort.PlanEnterprise)}); err != nil {
			t.Fatal(err)
		}
		want := cohort.Store{Hash: "a", Key: "a", Plan: cohort.PlanEnterprise, Quota: 7, DateCreated: t0}.WithDefaults()
		if diff := cmp.Diff(want, remember()); diff != "" {
			t.Errorf("the store after it changed (-want +got):\n%s", diff)
		}

		if _, ok := authenticate(t, svc, secret); !ok {
			t.Error("a good token is refused")
		}
		wantRemembered(t, svc, 2)
		if err := svc.RevokeToken(t.Context(), token.ID); err != nil {
			t.Fatal(err)
		}
		if _, ok := authenticate(t, svc, secret); ok {
			t.Error("a token that was revoked is let in")
		}
		remember()

		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, ok := authenticate(t, svc, other); ok {
			t.Error("a token whose store was deleted is let in")
		}
		wantRemembered(t, svc, 0)
	})
}

// rememberRevoked makes svc remember a token, which is then revoked elsewhere.
func rememberRevoked(t *testing.T, svc, elsewhere *service.Service) (secret string) {
	t.Helper()
	token, secret := newToken(t, svc, "a", cohort.ScopeCustomers)
	if _, ok := authenticate(t, svc, secret); !ok {
		t.Error("a good token is refused")
	}
	if err := elsewhere.RevokeToken(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	return secret
}

// What another process changes shows after a while at the latest, by this
// service's clock.
func TestWhatIsRememberedDoesNotLiveLong(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		c := newClock()
		d := dbtest.Open(t, url)
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		elsewhere := newService(t, dbtest.Open(t, url), nil)
		secret := rememberRevoked(t, svc, elsewhere)
		c.Set(c.Now().Add(service.DirectoryLife - 1))
		// Where other processes are noticed, that may be sooner.
		if _, ok := authenticate(t, svc, secret); !ok && !d.SeesAllWrites() {
			t.Error("it is remembered for a shorter time than it might be")
		}
		c.Set(c.Now().Add(1))
		if _, ok := authenticate(t, svc, secret); ok {
			t.Errorf("after %v a token that was revoked is let in", service.DirectoryLife)
		}
	})
}

// On SQLite it shows as soon as it is noticed that another process has written.
func TestForeignChangesAreNoticed(t *testing.T) {
	bubbles(t, func(t *testing.T, url string) {
		c := newClock() // which stands still
		svc := newService(t, dbtest.Open(t, url), []string{"a"}, service.WithClock(c.Now))
		elsewhere := newService(t, dbtest.Open(t, url), nil)
		remember := func() (secret string) {
			t.Helper()
			secret = rememberRevoked(t, svc, elsewhere)
			if _, ok := authenticate(t, svc, secret); !ok {
				t.Error("nothing is remembered, or this test waits by mistake")
			}
			return secret
		}
		secret := remember()
		time.Sleep(service.DirectoryLife / 2) // of the bubble's time
		if _, ok := authenticate(t, svc, secret); ok {
			t.Error("it is not noticed that another process has written")
		}

		secret = remember()
		mustCreate(t, svc, "a", cohort.Group{Name: "x"}) // notices too
		if _, ok := authenticate(t, svc, secret); ok {
			t.Error("a write of ours does not notice that another process has written")
		}
	})
}

// A secret that nobody has is looked up each time, so that it is good as soon
// as somebody has it, and guesses fill no memory.
func TestUnknownSecretsAreNotRemembered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for i := range 20 {
			if _, ok := authenticate(t, svc, fmt.Sprint("guess ", i)); ok {
				t.Error("a guess is let in")
			}
		}
		wantRemembered(t, svc, 0)
		if _, err := svc.CreateTokenWithSecret(t.Context(), cohort.Token{StoreHash: "a", Scopes: []cohort.Scope{cohort.ScopeCustomers}}, "guess 7"); err != nil {
			t.Fatal(err)
		}
		if _, ok := authenticate(t, svc, "guess 7"); !ok {
			t.Error("a new token is refused")
		}
		// Who comes to a door that is not his is remembered too, and refused.
		for range 2 {
			if _, err := svc.Authenticate(t.Context(), "b", "guess 7", cohort.ScopeCustomers); cohort.KindOf(err) != cohort.KindForbidden {
				t.Errorf("got error %v", err)
			}
			if _, err := svc.Authenticate(t.Context(), "a", "guess 7", cohort.ScopeProductsRead); cohort.KindOf(err) != cohort.KindForbidden {
				t.Errorf("got error %v", err)
			}
		}
		wantRemembered(t, svc, 1)
	})
}

// Tokens are revoked while others ask for them all the time: nobody may keep
// what he has looked up before.
func TestRevokedTokensStayRefused(t *testing.T) {
	const tokens, askers = 40, 4
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for range tokens {
			token, secret := newToken(t, svc, "a", cohort.ScopeCustomers)
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for range askers {
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
					t.Error("a token that was revoked is let in")
				}
			}
			stop()
			wg.Wait()
		}
	})
}
