package db_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func wantTokens(t testing.TB, d *db.DB, store string, want ...cohort.Token) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		got, err := tx.ListTokens(store)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("tokens of %q (-want +got):\n%s", store, diff)
		}
		return err
	})
}

func TestTokens(t *testing.T) {
	first, second, third := newToken("b", "one"), newToken("b", "two"), newToken("a", "three")
	first.DateCreated = t0.Add(-time.Millisecond)
	second.Name, second.Scopes = "", []cohort.Scope{cohort.ScopeProductsRead}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, k := range []cohort.Token{second, third, first} {
			update(t, d, func(tx *db.Tx) error { return tx.InsertToken(k) })
		}
		wantTokens(t, d, "", third, first, second)
		wantTokens(t, d, "b", first, second)
		wantTokens(t, d, "none")
		view(t, d, func(tx *db.Tx) error {
			got, err := tx.TokenByHash(second.Hash)
			if diff := cmp.Diff(second, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return err
		})

		update(t, d, func(tx *db.Tx) error { return tx.DeleteToken(first.ID) })
		wantTokens(t, d, "", third, second)
	})
}

func TestTokenErrors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		kept := newToken("a", "secret")
		update(t, d, func(tx *db.Tx) error { return tx.InsertToken(kept) })
		sameID := newToken("a", "another")
		sameID.ID = kept.ID
		tests := map[string]struct {
			kind cohort.Kind
			fn   func(tx *db.Tx) error
		}{
			"the same secret in another store": {cohort.KindConflict, func(tx *db.Tx) error { return tx.InsertToken(newToken("b", "secret")) }},
			"the same id":                      {cohort.KindConflict, func(tx *db.Tx) error { return tx.InsertToken(sameID) }},
			"get by another hash":              {cohort.KindNotFound, func(tx *db.Tx) error { _, err := tx.TokenByHash(kept.ID); return err }},
			"delete by a part of the id":       {cohort.KindNotFound, func(tx *db.Tx) error { return tx.DeleteToken(kept.ID[:15]) }},
			"delete by the hash":               {cohort.KindNotFound, func(tx *db.Tx) error { return tx.DeleteToken(kept.Hash) }},
		}
		for name, tt := range tests {
			if err := d.Update(t.Context(), tt.fn); err == nil || cohort.KindOf(err) != tt.kind {
				t.Errorf("%s: got %v", name, err)
			}
		}
		wantTokens(t, d, "", kept)
	})
}
