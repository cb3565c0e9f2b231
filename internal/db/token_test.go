package db_test

import (
	"slices"
	"strings"
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
		rotated := newToken("a", "rotated")
		update(t, d, func(tx *db.Tx) error { return tx.InsertToken(rotated) })
		hash := cohort.HashTokenSecret("next")
		update(t, d, func(tx *db.Tx) error { return tx.RotateToken(rotated.ID, hash, time.Time{}, t0, t0.Add(time.Hour)) })
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
			"delete by the id of an earlier":   {cohort.KindNotFound, func(tx *db.Tx) error { return tx.DeleteToken(rotated.ID + "~" + rotated.Hash[:16]) }},
			"delete by the hash":               {cohort.KindNotFound, func(tx *db.Tx) error { return tx.DeleteToken(kept.Hash) }},
		}
		for name, tt := range tests {
			if err := d.Update(t.Context(), tt.fn); err == nil || cohort.KindOf(err) != tt.kind {
				t.Errorf("%s: got %v", name, err)
			}
		}
		rotatedNow := rotated
		rotatedNow.Hash, rotatedNow.Earlier = hash, []cohort.EarlierSecret{{DateExpires: t0.Add(time.Hour)}}
		want := []cohort.Token{kept, rotatedNow}
		slices.SortFunc(want, func(a, b cohort.Token) int { return strings.Compare(a.ID, b.ID) })
		wantTokens(t, d, "", want...)
	})
}

// A token keeps its id and its age when it gets another secret, and the earlier ones end each at
// its time.
func TestRotateToken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		k := newToken("a", "one")
		update(t, d, func(tx *db.Tx) error { return tx.InsertToken(k) })
		update(t, d, func(tx *db.Tx) error { return tx.TouchToken(k.Hash, t0.Add(3*time.Hour)) })
		update(t, d, func(tx *db.Tx) error { return tx.TouchToken(k.Hash, t0.Add(time.Hour)) }) // an earlier one is ignored
		rotate := func(secret string, expires, now, until time.Time) {
			t.Helper()
			update(t, d, func(tx *db.Tx) error {
				return tx.RotateToken(k.ID, cohort.HashTokenSecret(secret), expires, now, until)
			})
		}
		expires := t0.Add(100 * time.Hour)
		rotate("two", expires, t0, t0.Add(2*time.Hour))
		rotate("three", time.Time{}, t0.Add(time.Hour), t0.Add(200*time.Hour)) // two ends before that
		want := k
		want.Hash = cohort.HashTokenSecret("three")
		want.Earlier = []cohort.EarlierSecret{{DateExpires: expires}, {DateExpires: t0.Add(2 * time.Hour), DateUsed: t0.Add(3 * time.Hour)}}
		wantTokens(t, d, "a", want)
		view(t, d, func(tx *db.Tx) error {
			earlier, err := tx.TokenByHash(cohort.HashTokenSecret("one"))
			wantEarlier := k
			wantEarlier.DateExpires, wantEarlier.DateUsed = t0.Add(2*time.Hour), t0.Add(3*time.Hour)
			if diff := cmp.Diff(wantEarlier, earlier); diff != "" {
				t.Errorf("by the earlier secret (-want +got):\n%s", diff)
			}
			return err
		})

		rotate("four", time.Time{}, t0.Add(2*time.Hour), t0.Add(3*time.Hour)) // one has ended
		want.Hash = cohort.HashTokenSecret("four")
		want.Earlier = []cohort.EarlierSecret{{DateExpires: expires}, {DateExpires: t0.Add(3 * time.Hour)}}
		wantTokens(t, d, "a", want)
		rotate("five", time.Time{}, t0.Add(2*time.Hour), t0.Add(2*time.Hour)) // ends all
		want.Hash, want.Earlier = cohort.HashTokenSecret("five"), nil
		wantTokens(t, d, "a", want)

		rotate("six", time.Time{}, t0, t0.Add(time.Hour))
		update(t, d, func(tx *db.Tx) error { return tx.DeleteToken(k.ID) })
		view(t, d, func(tx *db.Tx) error {
			for _, secret := range []string{"five", "six"} {
				if _, err := tx.TokenByHash(cohort.HashTokenSecret(secret)); cohort.KindOf(err) != cohort.KindNotFound {
					t.Errorf("%s is left after the deletion: %v", secret, err)
				}
			}
			return nil
		})
	})
}
