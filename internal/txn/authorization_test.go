package txn_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// endings are the ways to make a token invalid.
var endings = map[string]func(tx *db.Tx, k cohort.Token) error{
	"revoked":           func(tx *db.Tx, k cohort.Token) error { return tx.DeleteToken(k.ID) },
	"store deleted":     func(tx *db.Tx, k cohort.Token) error { return tx.DeleteStore(k.StoreKey) },
	"big store deleted": func(tx *db.Tx, k cohort.Token) error { return tx.MarkStoreDeleted(k.StoreKey, t0) },
}

// writes are kinds of updates. On PostgreSQL an update that reads nothing may share a
// transaction with others; its authorization is checked with theirs.
var writes = map[string]func(store string) func(*db.Tx) error{
	"write only":     func(store string) func(*db.Tx) error { return add(store, newName()) },
	"read and write": addAfterRead,
}

var newNames atomic.Int64

// newName returns a name that no group has.
func newName() string { return fmt.Sprint("group ", newNames.Add(1)) }

func addAfterRead(store string) func(*db.Tx) error {
	return func(tx *db.Tx) error {
		if _, err := tx.CountGroups(store, allGroups); err != nil {
			return err
		}
		return addNext(tx, store, newName())
	}
}

// addTokens adds a token of a store for each secret.
func addTokens(t testing.TB, d *db.DB, store string, secrets ...string) (tokens []cohort.Token) {
	t.Helper()
	for _, secret := range secrets {
		k := newToken(store, secret)
		update(t, d, func(tx *db.Tx) error { return tx.InsertToken(k) })
		tokens = append(tokens, k)
	}
	return tokens
}

// start calls Update in a new goroutine.
func start(ctx context.Context, d *db.DB, fn func(*db.Tx) error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- attempt(ctx, d, fn) }()
	return done
}

func forToken(ctx context.Context, k cohort.Token) context.Context {
	return db.ForBearer(ctx, k.Hash, k.StoreKey)
}

// After one node has made a token invalid, no other node commits for it, even if it has
// the authorization cached.
func TestTokenEndsOnAnotherNode(t *testing.T) {
	t.Parallel()
	for ending, end := range endings {
		for name, write := range writes {
			t.Run(ending+", "+name, func(t *testing.T) {
				t.Parallel()
				dbtest.EachURL(t, func(t *testing.T, url string) {
					here, there := dbtest.Open(t, url), dbtest.Open(t, url)
					addStores(t, here, "a", "b")
					k := addTokens(t, here, "a", "secret")[0]
					other := addTokens(t, here, "b", "of b")[0]
					for range 2 { // the second check may be cached
						if err := here.Update(forToken(t.Context(), k), write("a")); err != nil {
							t.Fatal(err)
						}
					}
					update(t, there, func(tx *db.Tx) error { return end(tx, k) })
					before := countGroups(t, there, "a", allGroups)
					wantKind(t, here.Update(forToken(t.Context(), k), write("a")), cohort.KindUnauthorized)
					wantKind(t, here.Update(forToken(t.Context(), k), write("a")), cohort.KindUnauthorized)
					if n := countGroups(t, there, "a", allGroups); n != before {
						t.Errorf("there are %d groups, %d before", n, before)
					}
					if err := here.Update(forToken(t.Context(), other), write("b")); err != nil {
						t.Errorf("another store's token: %v", err)
					}
				})
			})
		}
	}
}

// A token is valid for its own store only, whichever store a request names.
func TestTokenOfAnotherStore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		k := addTokens(t, d, "a", "secret")[0]
		for name, write := range writes {
			wantKind(t, d.Update(db.ForStore(forToken(t.Context(), k), "b"), write("b")), cohort.KindUnauthorized)
			if err := d.Update(db.ForStore(forToken(t.Context(), k), "a"), write("a")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		wantGroups(t, d, "b")
	})
}

// Without a token the store must not be marked as deleted. Its rows may still exist.
func TestDeletedStore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, write := range writes {
			if err := d.Update(db.ForStore(t.Context(), "a"), write("a")); err != nil {
				t.Fatal(err)
			}
		}
		update(t, d, func(tx *db.Tx) error { return tx.MarkStoreDeleted("a", t0) })
		for name, write := range writes {
			wantKind(t, d.Update(db.ForStore(t.Context(), "a"), write("a")), cohort.KindNotFound)
			wantKind(t, d.UpdateLong(db.ForStore(t.Context(), "a"), write("a")), cohort.KindNotFound)
			if err := d.Update(db.Unchecked(db.ForStore(t.Context(), "a")), write("a")); err != nil {
				t.Errorf("%s, unchecked: %v", name, err)
			}
		}
	})
}

// In a batch of many requests, only those of an invalid token fail.
func TestInvalidTokenInABatch(t *testing.T) {
	const each = 40
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a", "b")
		good, of, ended := addTokens(t, d, "a", "good")[0], addTokens(t, d, "b", "of b")[0], addTokens(t, d, "a", "ended")[0]
		update(t, dbtest.Open(t, url), func(tx *db.Tx) error { return tx.DeleteToken(ended.ID) })
		done := map[string][]<-chan error{}
		for range each {
			for _, k := range []cohort.Token{good, of, ended} {
				done[k.ID] = append(done[k.ID], start(forToken(t.Context(), k), d, add(k.StoreKey, newName())))
			}
		}
		for _, k := range []cohort.Token{good, of, ended} {
			for _, one := range done[k.ID] {
				err := <-one
				if k.ID == ended.ID {
					wantKind(t, err, cohort.KindUnauthorized)
				} else if err != nil {
					t.Errorf("a valid token: %v", err)
				}
			}
		}
		for _, store := range []string{"a", "b"} {
			if n := countGroups(t, d, store, allGroups); n != each {
				t.Errorf("store %s has %d groups, want %d", store, n, each)
			}
		}
	})
}

// A request that revokes a token affects later requests of the same batch.
func TestTokenRevokedWithinABatch(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		k := addTokens(t, d, "a", "secret")[0]
		if err := d.Update(forToken(t.Context(), k), add("a", "first")); err != nil {
			t.Fatal(err)
		}
		release := hold(t, d)
		before := queueUntil(forToken(t.Context(), k), d, add("a", "before"))
		synctest.Wait()
		revoked := queue(t, d, func(tx *db.Tx) error { return tx.DeleteToken(k.ID) })
		synctest.Wait()
		called := false
		after := queueUntil(forToken(t.Context(), k), d, func(*db.Tx) error { called = true; return nil })
		release()
		wantDone(t, before, revoked)
		wantKind(t, <-after, cohort.KindUnauthorized)
		if called {
			t.Error("the function was called for a revoked token")
		}
	})
}

// A revocation waits for the running write of the token. Later writes of the token
// queue behind the revocation, so it does not wait for ever.
func TestRevocationWaitsForRunningWrite(t *testing.T) {
	t.Parallel()
	for ending, end := range endings {
		t.Run(ending, func(t *testing.T) {
			t.Parallel()
			dbtest.EachURL(t, func(t *testing.T, url string) {
				here, there := dbtest.Open(t, url), dbtest.Open(t, url)
				addStores(t, here, "a")
				k := addTokens(t, here, "a", "secret")[0]
				running, goOn := make(chan struct{}), make(chan struct{})
				written := start(forToken(t.Context(), k), here, func(tx *db.Tx) error {
					if err := addAfterRead("a")(tx); err != nil {
						return err
					}
					if _, err := tx.CountGroups("a", allGroups); err != nil { // sends the check
						return err
					}
					close(running)
					<-goOn
					return nil
				})
				<-running
				ended := start(t.Context(), there, func(tx *db.Tx) error { return end(tx, k) })
				if there.SeesAllWrites() { // SQLite has one writer at a time
					close(goOn)
				} else {
					awaitLock(t, here, ended)
					late := start(forToken(t.Context(), k), here, add("a", "late"))
					close(goOn)
					wantKind(t, <-late, cohort.KindUnauthorized)
				}
				for _, done := range []<-chan error{written, ended} {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				wantKind(t, here.Update(forToken(t.Context(), k), add("a", "x")), cohort.KindUnauthorized)
			})
		})
	}
}

// awaitLock returns when a transaction waits for an advisory lock. It fails if done
// receives a result before.
func awaitLock(t *testing.T, d *db.DB, done <-chan error) {
	t.Helper()
	for waiting := 0; waiting == 0; {
		select {
		case err := <-done:
			t.Fatalf("it did not wait for the running write (error %v)", err)
		default:
		}
		view(t, d, func(tx *db.Tx) (err error) {
			waiting, err = tx.CountWaiting()
			return err
		})
	}
}
