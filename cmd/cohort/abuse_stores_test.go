package main_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort/internal/testenv"
)

// recreatedStore deletes a store and creates it again while the server runs.
// Requests with the old token have no effect on the new store, and a new token
// shows nothing of the old store.
func recreatedStore(t *testing.T, a *abuse) {
	a.each(t, func(t *testing.T, url string) {
		v := newVictimOn(t, url)
		rounds := a.size(testenv.Times(6, 3), 30) // three ways of using the store
		wrote, saw := 0, 0
		token := v.newStore("xyz")
		for round := range rounds {
			var landed, seen bool
			token, landed, seen = v.recreate(token, round%3)
			if landed {
				wrote++
			}
			if seen {
				saw++
			}
		}
		if wrote > 0 || saw > 0 {
			t.Errorf("an old token wrote to the new store, or a new token read from the old one")
		}
		a.found(t, "recreated %d times: the old token wrote to the new store in %d; the new token read from the old store in %d", rounds, wrote, saw)
		v.wantAlive()
		v.end()
	})
}

// The ways in which a store is used while it is recreated. A server notices a
// change by another process at its next write or soon after, so each way meets
// a different state of its caches.
const (
	writeAllTheTime = iota // with the old token
	writeAfterwards        // once, with the old token
	onlyRead               // with the new token
)

// recreate reports whether a write with the old token changed the new store,
// and whether the new token showed the old one.
func (v *victim) recreate(old string, way int) (token string, landed, seen bool) {
	v.t.Helper()
	const groups = "/stores/xyz/v2/customer_groups"
	path := fmt.Sprint(groups, "/", v.group("xyz", old, ""))
	v.must(200, old, "GET", path, "")
	v.must(200, old, "GET", groups, "")
	write := func(ctx context.Context, _ int) reply {
		return v.ask(ctx, old, "POST", groups, newGroupBody("of the old store"))
	}
	var writing []func() *tally
	if way == writeAllTheTime {
		for range 4 {
			writing = append(writing, v.beside(write))
		}
	}
	v.cohort("store", "delete", "xyz", "--yes")
	v.cohort("store", "create", "xyz")
	if way == writeAfterwards {
		landed = write(v.t.Context(), 0).status == 200
	}
	token = v.newToken("xyz")
	one := v.ask(v.t.Context(), token, "GET", path, "")
	list := v.ask(v.t.Context(), token, "GET", groups, "")
	seen = strings.Contains(one.body, `"a group `) || strings.Contains(list.body, `"a group `)
	for _, stop := range writing {
		stop()
	}
	list = v.ask(v.t.Context(), token, "GET", groups, "")
	return token, landed || strings.Contains(list.body, "of the old store"), seen
}

// tokenRevoked revokes a token that is used for writes. No write that begins
// after the revocation is acknowledged.
func tokenRevoked(t *testing.T, a *abuse) {
	a.each(t, func(t *testing.T, url string) {
		v := newVictimOn(t, url)
		v.newStore("xyz")
		rounds := a.size(2, 20)
		var late atomic.Int64
		var longest time.Duration
		for range rounds {
			token := v.newToken("xyz")
			var revoked atomic.Int64 // time of the revocation in ns, 0 before it
			var last atomic.Int64
			var writing [8]func() *tally
			for i := range writing {
				writing[i] = v.beside(func(ctx context.Context, _ int) reply {
					before := revoked.Load()
					r := v.ask(ctx, token, "POST", "/stores/xyz/v2/customer_groups", newGroupBody("written"))
					if before != 0 && r.status == 200 {
						late.Add(1)
						last.Store(time.Now().UnixNano() - before)
					}
					return r
				})
			}
			v.must(200, token, "GET", "/stores/xyz/v2/time", "")
			lines := strings.Split(v.cohort("token", "list", "--store", "xyz"), "\n")
			id, _, _ := strings.Cut(lines[len(lines)-1], " ")
			v.cohort("token", "revoke", id)
			revoked.Store(time.Now().UnixNano())
			for range 20 {
				if r := v.ask(t.Context(), token, "POST", "/stores/xyz/v2/customer_groups", newGroupBody("late")); r.status == 200 {
					late.Add(1)
					last.Store(time.Now().UnixNano() - revoked.Load())
				}
			}
			for _, stop := range writing {
				stop()
			}
			longest = max(longest, time.Duration(last.Load()))
		}
		if late.Load() > 0 {
			t.Errorf("%d writes of revoked tokens were acknowledged", late.Load())
		}
		a.found(t, "%d tokens: %d writes acknowledged after the revocation, up to %v later", rounds, late.Load(), longest.Round(time.Millisecond))
		v.wantAlive()
		v.end()
	})
}

// fileModes checks that only the owner can read the files of a database.
func fileModes(t *testing.T, a *abuse) {
	v := newVictim(t)
	v.group("xyz", v.newStore("xyz"), "")
	path := strings.TrimPrefix(v.db, "sqlite:")
	var modes []fs.FileMode
	for _, end := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + end)
		if err != nil {
			t.Fatal(err)
		}
		modes = append(modes, info.Mode().Perm())
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %o", filepath.Base(path+end), info.Mode().Perm())
		}
	}
	a.found(t, "the modes are %o", modes)
	v.end()
}

// databaseRemoved removes the database file of a running server.
func databaseRemoved(t *testing.T, a *abuse) {
	takenAway(t, a, func(path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	})
}

// databaseReplaced renames another file over the database of a running server.
func databaseReplaced(t *testing.T, a *abuse) {
	takenAway(t, a, func(path string) {
		other := filepath.Join(t.TempDir(), "other.db")
		program(t, "store", "create", "xyz", "--db", "sqlite:"+other)
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
	})
}

// takenAway fails unless the server notices that its file was removed or
// replaced, and acknowledges no write afterwards.
func takenAway(t *testing.T, a *abuse, away func(path string)) {
	v := newVictim(t)
	token := v.newStore("xyz")
	v.group("xyz", token, "")
	away(strings.TrimPrefix(v.db, "sqlite:"))

	write := func() reply {
		return v.ask(t.Context(), token, "POST", "/stores/xyz/v2/customer_groups", newGroupBody("into a file that is gone"))
	}
	acknowledged, noticed := 0, false
	for begun := time.Now(); !noticed && time.Since(begun) < 5*time.Second; {
		if write().status == 200 {
			acknowledged++
		}
		noticed = v.ask(t.Context(), "", "GET", "/readyz", "").status == 503
	}
	if !noticed {
		t.Error("/readyz does not report that the database is gone")
	}
	for range 5 {
		if r := write(); r.status != 503 {
			t.Errorf("a write got %s, want 503", r)
		}
	}
	a.found(t, "/readyz noticed: %v; %d writes were acknowledged meanwhile", noticed, acknowledged)
	v.wantAlive()
	v.end()
}
