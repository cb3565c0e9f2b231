package service_test

import (
	"context"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

var customers = []cohort.Scope{cohort.ScopeCustomers}

// An expired token is like an unknown one, also while it is cached, by the clock of its store.
func TestExpiredToken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		token, secret, err := svc.CreateToken(t.Context(), cohort.Token{StoreKey: "a", Scopes: customers, DateExpires: c.Now().Add(time.Hour)})
		if err != nil || !token.DateExpires.Equal(c.Now().Add(time.Hour)) {
			t.Fatalf("%v, %v", token, err)
		}
		want := func(valid bool, when string) {
			t.Helper()
			if _, ok := authenticate(t, svc, secret); ok != valid {
				t.Errorf("%s: accepted %v", when, ok)
			}
		}
		want(true, "at the beginning")
		c.Set(c.Now().Add(time.Hour - 1))
		want(true, "just before the expiry")
		c.Set(c.Now().Add(1)) // the entry is cached for longer than that
		wantDirectorySize(t, svc, 1)
		want(false, "at the expiry")
		want(false, "again")

		c.Set(c.Now().Add(-time.Hour))
		if err := svc.Clocks().Freeze("a", c.Now().Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		want(false, "with the clock of the store after the expiry")
		svc.Clocks().Clear("a")
		want(true, "with the clock of the system again")
	})
}

func TestCreateTokenRejectsAnExpiry(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for _, at := range []time.Time{t0, t0.Add(-time.Hour), time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC)} {
			_, _, err := svc.CreateToken(t.Context(), cohort.Token{StoreKey: "a", Scopes: customers, DateExpires: at})
			wantKind(t, err, cohort.KindInvalid)
		}
		wantTokens(t, svc, "")
	})
}

// Both secrets work during the overlap, for the same token, and only the new one afterwards.
func TestRotateTokenOverlap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		token, old := newToken(t, svc, "a", customers...)
		if _, ok := authenticate(t, svc, old); !ok {
			t.Fatal("the token does not work")
		}
		rotated, secret, err := svc.RotateToken(t.Context(), token.ID, time.Hour, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		want := token
		want.Hash, want.Earlier = cohort.HashTokenSecret(secret), []cohort.EarlierSecret{{DateExpires: c.Now().Add(time.Hour)}}
		if diff := cmp.Diff(want, rotated); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for range 2 { // read, and cached
			for _, s := range []string{old, secret} {
				b, err := svc.Authenticate(t.Context(), "a", s, cohort.ScopeCustomers)
				if err != nil || b.Token.ID != token.ID {
					t.Fatalf("%v, %v", b.Token, err)
				}
				ctx := service.ForBearer(t.Context(), b)
				if _, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: s + cohort.NewTokenSecret()}); err != nil {
					t.Errorf("a write during the overlap: %v", err)
				}
			}
		}
		c.Set(c.Now().Add(time.Hour))
		if _, ok := authenticate(t, svc, old); ok {
			t.Error("the earlier secret works after the overlap")
		}
		if _, ok := authenticate(t, svc, secret); !ok {
			t.Error("the new secret does not work")
		}
		want.Earlier = nil
		wantTokens(t, svc, "a", want)
	})
}

// After a rotation without an overlap nothing is written with the earlier secrets, although the
// request was let in before.
func TestRotateTokenWithoutOverlap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		token, first := newToken(t, svc, "a", customers...)
		_, second, err := svc.RotateToken(t.Context(), token.ID, time.Hour, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		var admitted []context.Context
		for _, s := range []string{first, second} {
			b, err := svc.Authenticate(t.Context(), "a", s, cohort.ScopeCustomers)
			if err != nil {
				t.Fatal(err)
			}
			ctx := service.ForBearer(t.Context(), b)
			if _, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: s}); err != nil {
				t.Fatal(err)
			}
			admitted = append(admitted, ctx)
		}
		if _, _, err := svc.RotateToken(t.Context(), token.ID, 0, time.Time{}); err != nil {
			t.Fatal(err)
		}
		for _, ctx := range admitted {
			_, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: "late"})
			wantKind(t, err, cohort.KindUnauthorized)
		}
		for _, s := range []string{first, second} {
			if _, ok := authenticate(t, svc, s); ok {
				t.Error("an earlier secret works")
			}
		}
	})
}

// Webhooks stay with the token.
func TestRotateTokenKeepsWebhooks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		hook := f.hook(t, "store/customer/*", "https://hooks.example/in")
		if _, _, err := f.svc.RotateToken(t.Context(), f.token.ID, 0, time.Time{}); err != nil {
			t.Fatal(err)
		}
		secrets, err := f.svc.ClientSecrets(t.Context(), "a", f.token.ID)
		if len(secrets) != 1 || err != nil {
			t.Errorf("client secrets %v, %v", secrets, err)
		}
		if _, err := f.svc.Hook(t.Context(), "a", f.token.ID, hook.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestRotateTokenRejects(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		token, secret, err := svc.CreateToken(t.Context(), cohort.Token{StoreKey: "a", Scopes: customers, DateExpires: c.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		rotate := func(id string, overlap time.Duration, expires time.Time) error {
			_, _, err := svc.RotateToken(t.Context(), id, overlap, expires)
			return err
		}
		wantKind(t, rotate("none", time.Hour, time.Time{}), cohort.KindNotFound)
		wantKind(t, rotate(token.ID, -1, time.Time{}), cohort.KindInvalid)
		wantKind(t, rotate(token.ID, service.MaxSecretLife+1, time.Time{}), cohort.KindInvalid)
		wantKind(t, rotate(token.ID, time.Hour, c.Now()), cohort.KindInvalid)
		for range cohort.MaxTokenSecrets - 1 {
			if err := rotate(token.ID, time.Minute, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		wantKind(t, rotate(token.ID, time.Minute, time.Time{}), cohort.KindConflict)
		if _, ok := authenticate(t, svc, secret); !ok {
			t.Error("a rejected rotation ended a secret")
		}

		// The token of the first secret still has its id.
		c.Set(c.Now().Add(2 * time.Minute))
		if err := rotate(token.ID, 0, time.Time{}); err != nil {
			t.Fatal(err)
		}
		_, err = svc.CreateTokenWithSecret(t.Context(), cohort.Token{StoreKey: "a", Scopes: customers}, secret)
		wantKind(t, err, cohort.KindConflict)

		// An expired token needs an expiry, and gets it.
		c.Set(c.Now().Add(2 * time.Hour))
		wantKind(t, rotate(token.ID, 0, time.Time{}), cohort.KindInvalid)
		_, secret, err = svc.RotateToken(t.Context(), token.ID, time.Minute, c.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := authenticate(t, svc, secret); !ok {
			t.Error("a token that expired has a new secret, which does not work")
		}
	})
}

func TestEnsureToken(t *testing.T) {
	const secret = "a secret-of-the-caller"
	scopes := []cohort.Scope{cohort.ScopeCustomers, cohort.ScopeProductsRead}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, []string{"a", "b"}, service.WithClock(c.Now))
		wanted := cohort.Token{StoreKey: "a", Name: "CI", Scopes: scopes, DateExpires: c.Now().Add(time.Hour)}
		_, _, err := svc.EnsureToken(t.Context(), wanted, secret)
		wantKind(t, err, cohort.KindInvalid) // it has a space
		preset := cohort.NewTokenSecret()
		token, created, err := svc.EnsureToken(t.Context(), wanted, preset)
		if err != nil || !created {
			t.Fatalf("%v, %v", created, err)
		}
		again := wanted
		again.Scopes = []cohort.Scope{cohort.ScopeProductsRead, cohort.ScopeCustomers, cohort.ScopeCustomers}
		got, created, err := svc.EnsureToken(t.Context(), again, preset)
		if diff := cmp.Diff(token, got); diff != "" || created || err != nil {
			t.Errorf("again: created %v, error %v (-want +got):\n%s", created, err, diff)
		}
		for name, k := range map[string]cohort.Token{
			"another store": {StoreKey: "b", Scopes: scopes}, "fewer scopes": {StoreKey: "a", Scopes: scopes[:1]},
			"more scopes": {StoreKey: "a", Scopes: cohort.Scopes()},
		} {
			if _, _, err := svc.EnsureToken(t.Context(), k, preset); cohort.KindOf(err) != cohort.KindConflict {
				t.Errorf("%s: %v", name, err)
			}
		}
		c.Set(c.Now().Add(time.Hour))
		wanted.DateExpires = time.Time{}
		_, _, err = svc.EnsureToken(t.Context(), wanted, preset)
		wantKind(t, err, cohort.KindConflict)
		wantTokens(t, svc, "", token)
	})
}

// The hour of the last use is written once, by the background, and not by the request.
func TestTokenUses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		token, secret := newToken(t, svc, "a", customers...)
		use := func() {
			t.Helper()
			if _, ok := authenticate(t, svc, secret); !ok {
				t.Error("a valid token is rejected")
			}
		}
		write := func(ctx context.Context) error { return svc.WriteTokenUses(ctx) }
		want := func(used time.Time) {
			t.Helper()
			token.DateUsed = used
			wantTokens(t, svc, "a", token)
		}
		if err := write(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(time.Time{})
		use()
		want(time.Time{})
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := write(ended); err == nil {
			t.Error("a write without time succeeds")
		}
		c.Set(c.Now().Add(service.DirectoryLife)) // the token is read again
		use()
		if n := svc.TokenUsesWaiting(); n != 1 {
			t.Errorf("%d uses wait", n)
		}
		if err := write(t.Context()); err != nil {
			t.Fatal(err)
		}
		first := c.Now().Truncate(time.Hour)
		want(first)
		c.Set(c.Now().Add(service.DirectoryLife))
		use()
		if n := svc.TokenUsesWaiting(); n != 0 {
			t.Errorf("%d uses wait in the same hour", n)
		}
		c.Set(first.Add(time.Hour))
		use()
		if err := write(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(first.Add(time.Hour))
	})
}
