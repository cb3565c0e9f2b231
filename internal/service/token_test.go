package service_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func newToken(t *testing.T, svc *service.Service, store string, scopes ...cohort.Scope) (cohort.Token, string) {
	t.Helper()
	token, secret, err := svc.CreateToken(t.Context(), cohort.Token{StoreKey: store, Name: "CI", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return token, secret
}

func wantTokens(t *testing.T, svc *service.Service, store string, want ...cohort.Token) {
	t.Helper()
	got, err := svc.ListTokens(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("tokens of %q (-want +got):\n%s", store, diff)
	}
}

func TestAuthenticate(t *testing.T) {
	const read, modify = cohort.ScopeCustomersRead, cohort.ScopeCustomers
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		_, secret := newToken(t, svc, "a", modify)
		_, readOnly := newToken(t, svc, "a", read)
		token, revoked := newToken(t, svc, "a", modify)
		if err := svc.RevokeToken(t.Context(), token.ID); err != nil {
			t.Fatal(err)
		}
		const good = cohort.KindInternal // for a nil error
		tests := []struct {
			name, store, secret string
			need                cohort.Scope
			want                cohort.Kind
		}{
			{"the token's store and scope", "a", secret, modify, good},
			{"an implied scope", "a", secret, read, good},
			{"no scope at all", "a", secret, "", good},
			{"read with a read-only token", "a", readOnly, read, good},
			{"modify with a read-only token", "a", readOnly, modify, cohort.KindForbidden},
			{"another scope", "a", secret, cohort.ScopeProductsRead, cohort.KindForbidden},
			{"another store", "b", secret, modify, cohort.KindForbidden},
			{"another store, no scope", "b", secret, "", cohort.KindForbidden},
			{"no such store", "none", secret, modify, cohort.KindForbidden},
			{"the store in another case", "A", secret, modify, cohort.KindForbidden},
			{"unknown secret", "a", secret + "x", modify, cohort.KindUnauthorized},
			{"unknown secret in an unknown store", "none", "x", modify, cohort.KindUnauthorized},
			{"secret in another case", "a", strings.ToUpper(secret), modify, cohort.KindUnauthorized},
			{"no secret", "a", "", modify, cohort.KindUnauthorized},
			{"the id for the secret", "a", token.ID, modify, cohort.KindUnauthorized},
			{"the hash for the secret", "a", cohort.HashTokenSecret(secret), modify, cohort.KindUnauthorized},
			{"a revoked token", "a", revoked, modify, cohort.KindUnauthorized},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				b, err := svc.Authenticate(t.Context(), tt.store, tt.secret, tt.need)
				got := b.Store
				if tt.want != good {
					wantKind(t, err, tt.want)
					if diff := cmp.Diff(cohort.Store{}, got); diff != "" {
						t.Errorf("a store is returned with the error (-want +got):\n%s", diff)
					}
					return
				}
				want := cohort.Store{Hash: tt.store, Key: tt.store, Plan: cohort.PlanUnlimited, DateCreated: t0}.WithDefaults()
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("error %v (-want +got):\n%s", err, diff)
				}
			})
		}
	})
}

// The errors for another store and for one that does not exist are equal, so that a token
// does not reveal which stores exist.
func TestAuthenticateDoesNotRevealStores(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		_, secret := newToken(t, svc, "a", cohort.ScopeCustomers)
		_, foreign := svc.Authenticate(t.Context(), "b", secret, cohort.ScopeCustomers)
		_, unknown := svc.Authenticate(t.Context(), "none", secret, cohort.ScopeCustomers)
		if diff := cmp.Diff(foreign, unknown); diff != "" || foreign == nil {
			t.Errorf("(-foreign +unknown):\n%s", diff)
		}
	})
}

func TestAuthenticateSeesChangesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		_, secret := newToken(t, svc, "a", cohort.ScopeCustomers)
		if _, err := svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Plan: new(cohort.PlanPro), Concurrency: new(2)}); err != nil {
			t.Fatal(err)
		}
		b, err := svc.Authenticate(t.Context(), "a", secret, cohort.ScopeCustomers)
		if st := b.Store; err != nil || st.Plan != cohort.PlanPro || st.Concurrency != 2 {
			t.Errorf("got %v, error %v", st, err)
		}

		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		_, err = svc.Authenticate(t.Context(), "a", secret, cohort.ScopeCustomers)
		wantKind(t, err, cohort.KindUnauthorized)
		// The token must not be valid for a recreated store of the same hash.
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
			t.Fatal(err)
		}
		_, err = svc.Authenticate(t.Context(), "a", secret, cohort.ScopeCustomers)
		wantKind(t, err, cohort.KindUnauthorized)
	})
}

func TestTokenLifecycle(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		ofB, secret := newToken(t, svc, "b", cohort.ScopeProductsRead, cohort.ScopeCustomers)
		want := cohort.NewToken(secret)
		want.StoreKey, want.Name, want.DateCreated = "b", "CI", t0
		want.Scopes = []cohort.Scope{cohort.ScopeProductsRead, cohort.ScopeCustomers}
		if diff := cmp.Diff(want, ofB); diff != "" {
			t.Errorf("returned (-want +got):\n%s", diff)
		}
		ofA, _ := newToken(t, svc, "a", cohort.ScopeCustomers)
		wantTokens(t, svc, "", ofA, ofB)
		wantTokens(t, svc, "a", ofA)
		wantTokens(t, svc, "none")

		got, known, err := svc.KnowsSecret(t.Context(), secret)
		if diff := cmp.Diff(ofB, got); diff != "" || !known || err != nil {
			t.Errorf("known %v, error %v (-want +got):\n%s", known, err, diff)
		}
		if err := svc.RevokeToken(t.Context(), ofB.ID); err != nil {
			t.Fatal(err)
		}
		wantKind(t, svc.RevokeToken(t.Context(), ofB.ID), cohort.KindNotFound)
		if _, known, err := svc.KnowsSecret(t.Context(), secret); known || err != nil {
			t.Errorf("a revoked secret: known %v, error %v", known, err)
		}
		wantTokens(t, svc, "", ofA)
	})
}

func TestCreateTokenRejects(t *testing.T) {
	const secret = "known to the caller"
	scopes := []cohort.Scope{cohort.ScopeCustomers}
	tests := []struct {
		name  string
		token cohort.Token
		want  cohort.Kind
	}{
		{"no scope", cohort.Token{StoreKey: "a"}, cohort.KindInvalid},
		{"unknown scope", cohort.Token{StoreKey: "a", Scopes: []cohort.Scope{"all"}}, cohort.KindInvalid},
		{"unknown store", cohort.Token{StoreKey: "none", Scopes: scopes}, cohort.KindNotFound},
		{"secret in use", cohort.Token{StoreKey: "a", Scopes: scopes}, cohort.KindConflict},
		{"secret in use in another store", cohort.Token{StoreKey: "b", Scopes: scopes}, cohort.KindConflict},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		existing, err := svc.CreateTokenWithSecret(t.Context(), cohort.Token{StoreKey: "a", Scopes: scopes}, secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				_, err := svc.CreateTokenWithSecret(t.Context(), tt.token, secret)
				wantKind(t, err, tt.want)
			})
		}
		wantTokens(t, svc, "", existing)
	})
}
