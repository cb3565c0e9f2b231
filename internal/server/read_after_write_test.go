package server_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/testenv"
)

// acknowledged counts the acknowledged writes: how often each of two groups was
// renamed, and how many other groups were created.
type acknowledged struct {
	*fixture
	renamed [2]atomic.Int64
	created atomic.Int64
}

// rename renames a group several times, and each time moves the flags to it.
func (a *acknowledged) rename(t *testing.T, id int, times int64) {
	for n := int64(1); n <= times && !t.Failed(); n++ {
		body := fmt.Sprintf(`{"name":"name %d of %d","is_default":true,"is_group_for_guests":true}`, n, id)
		w := a.do("PUT", a.path(fmt.Sprint("/customer_groups/", id)), a.vars["token"], body)
		if w.Code != http.StatusOK {
			t.Errorf("rename: %d %s", w.Code, w.Body)
		}
		a.renamed[id-1].Store(n)
		// The writer reads its own write. No other client renames this group.
		for _, path := range []string{fmt.Sprint("/customer_groups/", id), "/customer_groups"} {
			if w := a.do("GET", a.path(path), a.vars["token"], ""); !strings.Contains(w.Body.String(), fmt.Sprintf(`{"id":%d,"name":"name %d of %d",`, id, n, id)) {
				t.Errorf("after the rename to name %d, %s: %d %s", n, path, w.Code, w.Body)
			}
		}
	}
}

func (a *acknowledged) create(t *testing.T, times int64) {
	for n := int64(1); n <= times && !t.Failed(); n++ {
		w := a.do("POST", a.path("/customer_groups"), a.vars["token"], fmt.Sprintf(`{"name":"another %d"}`, n))
		if w.Code != http.StatusOK {
			t.Errorf("create: %d %s", w.Code, w.Body)
		}
		a.created.Store(n)
	}
}

// reader is a client that only reads. If a response had an ETag, about every second
// request is conditional.
type reader struct {
	*acknowledged
	*testing.T
	rng    *rand.Rand
	cached map[string]cached // by path
}

type cached struct{ tag, body string }

type group struct {
	Name    string
	Default bool `json:"is_default"`
	Guests  bool `json:"is_group_for_guests"`
}

// readAll reads in every way. Each response must have all writes that were
// acknowledged before the request.
func (r *reader) readAll() {
	for i := range r.renamed {
		acked := r.renamed[i].Load()
		var g group
		r.get(fmt.Sprint("/customer_groups/", i+1), &g)
		r.wantName("the group", g, acked)
	}
	r.readList()
	for _, flag := range []string{"is_default", "is_group_for_guests"} {
		var groups []group
		r.get("/customer_groups?"+flag+"=true", &groups)
		if len(groups) != 1 || flag == "is_default" && !groups[0].Default || flag != "is_default" && !groups[0].Guests {
			r.Errorf("the groups with %s: %+v", flag, groups)
		}
	}
	created := r.created.Load()
	var n struct{ Count int64 }
	if r.get("/customer_groups/count?name:like=another", &n); n.Count < created {
		r.Errorf("count %d after %d groups were created", n.Count, created)
	}
}

// readList also checks that the list is a consistent snapshot: at any time exactly one
// group has each flag.
func (r *reader) readList() {
	acked := [2]int64{r.renamed[0].Load(), r.renamed[1].Load()}
	created := r.created.Load()
	var groups []group
	r.get("/customer_groups?limit=250", &groups)
	if want := len(acked) + int(created); len(groups) < want {
		r.Errorf("a list of %d groups, want at least %d", len(groups), want)
		return
	}
	for i := range acked {
		r.wantName("the list", groups[i], acked[i])
	}
	r.wantOneOfEach("the list", groups)
}

// readAfterWrites reads the groups one by one after all writes: the group that lost the
// flags last must not have them.
func (r *reader) readAfterWrites() {
	var groups [2]group
	for i := range groups {
		r.get(fmt.Sprint("/customer_groups/", i+1), &groups[i])
	}
	r.wantOneOfEach("single groups", groups[:])
}

func (r *reader) wantOneOfEach(what string, groups []group) {
	defaults, guests := 0, 0
	for _, g := range groups {
		if g.Default {
			defaults++
		}
		if g.Guests {
			guests++
		}
	}
	if defaults != 1 || guests != 1 {
		r.Errorf("%s: %d default groups and %d groups for guests, want one each: %v", what, defaults, guests, groups)
	}
}

func (r *reader) wantName(what string, g group, acked int64) {
	var n int64
	if _, err := fmt.Sscanf(g.Name, "name %d", &n); err != nil || n < acked {
		r.Errorf("%s: %q after name %d was acknowledged", what, g.Name, acked)
	}
}

func (r *reader) get(path string, v any) {
	var header []string
	old := r.cached[path]
	if old.tag != "" && r.rng.IntN(2) == 0 {
		header = []string{"If-None-Match", old.tag}
	}
	w := r.do("GET", r.path(path), r.vars["read_token"], "", header...)
	switch {
	case w.Code == http.StatusOK:
		old = cached{w.Header().Get("ETag"), w.Body.String()}
		r.cached[path] = old
	case w.Code != http.StatusNotModified || header == nil:
		r.Errorf("GET %s: %d %s", path, w.Code, w.Body)
		return
	}
	if err := json.NewDecoder(strings.NewReader(old.body)).Decode(v); err != nil {
		r.Errorf("GET %s: %v: %s", path, err, old.body)
	}
}

// TestReadAfterWrite lets clients read concurrently with writes. A stale cache entry
// would miss an acknowledged write.
func TestReadAfterWrite(t *testing.T) {
	t.Parallel()
	changes := testenv.Times[int64](60, 20)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := &acknowledged{fixture: newFixture(t, d, server.Options{})}
		var writers, readers sync.WaitGroup
		for i := range a.renamed {
			a.mustDo(t, 200, "POST", a.path("/customer_groups"), a.vars["token"], fmt.Sprintf(`{"name":"name 0 of %d","is_default":true,"is_group_for_guests":true}`, i+1))
			writers.Go(func() { a.rename(t, i+1, changes) })
		}
		writers.Go(func() { a.create(t, changes/3) })
		var done atomic.Bool
		for i := range uint64(3) {
			readers.Go(func() {
				r := &reader{acknowledged: a, T: t, rng: rand.New(rand.NewPCG(1, i)), cached: map[string]cached{}}
				for last := false; !last && !t.Failed(); {
					last = done.Load() // read once more after the last write
					r.readAll()
				}
				r.readAfterWrites()
			})
		}
		writers.Wait()
		done.Store(true)
		readers.Wait()
	})
}
