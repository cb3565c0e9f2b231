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
)

// acknowledged is what clients were told: how often each of two groups was
// renamed, and how many others were created.
type acknowledged struct {
	*fixture
	renamed [2]atomic.Int64
	created atomic.Int64
}

// rename gives a group its next names, one after the other, and each time takes
// the flags from whoever has them.
func (a *acknowledged) rename(t *testing.T, group int, times int64) {
	for n := int64(1); n <= times && !t.Failed(); n++ {
		body := fmt.Sprintf(`{"name":"name %d","is_default":true,"is_group_for_guests":true}`, n)
		w := a.answer("PUT", a.path(fmt.Sprint("/customer_groups/", group)), a.vars["token"], body)
		if w.Code != http.StatusOK {
			t.Errorf("rename: %d %s", w.Code, w.Body)
		}
		a.renamed[group-1].Store(n)
		// Nobody is sooner back than who wrote, and nobody else gives names.
		for _, path := range []string{fmt.Sprint("/customer_groups/", group), "/customer_groups"} {
			if w := a.answer("GET", a.path(path), a.vars["token"], ""); !strings.Contains(w.Body.String(), fmt.Sprintf(`{"id":%d,"name":"name %d",`, group, n)) {
				t.Errorf("who has just given name %d is shown by %s: %d %s", n, path, w.Code, w.Body)
			}
		}
	}
}

func (a *acknowledged) create(t *testing.T, times int64) {
	for n := int64(1); n <= times && !t.Failed(); n++ {
		w := a.answer("POST", a.path("/customer_groups"), a.vars["token"], `{"name":"another"}`)
		if w.Code != http.StatusOK {
			t.Errorf("create: %d %s", w.Code, w.Body)
		}
		a.created.Store(n)
	}
}

// reader is a client that only looks. Where an answer had an ETag, it asks
// every other time whether it is still good.
type reader struct {
	*acknowledged
	*testing.T
	rng  *rand.Rand
	kept map[string]kept // by path
}

type kept struct{ tag, body string }

type shown struct {
	Name    string
	Default bool `json:"is_default"`
	Guests  bool `json:"is_group_for_guests"`
}

// look asks in every way. What had been acknowledged before has to be in each
// answer.
func (r *reader) look() {
	for i := range r.renamed {
		promised := r.renamed[i].Load()
		var g shown
		r.get(fmt.Sprint("/customer_groups/", i+1), &g)
		r.wantName("the group", g, promised)
	}
	r.lookAtList()
	for _, flag := range []string{"is_default", "is_group_for_guests"} {
		var groups []shown
		r.get("/customer_groups?"+flag+"=true", &groups)
		if len(groups) != 1 || flag == "is_default" && !groups[0].Default || flag != "is_default" && !groups[0].Guests {
			r.Errorf("the groups with %s: %+v", flag, groups)
		}
	}
	created := r.created.Load()
	var n struct{ Count int64 }
	if r.get("/customer_groups/count?name=another", &n); n.Count < created {
		r.Errorf("a count of %d when %d had been created", n.Count, created)
	}
}

// lookAtList also wants the list to be of one moment: at every moment one group
// has each flag.
func (r *reader) lookAtList() {
	promised := [2]int64{r.renamed[0].Load(), r.renamed[1].Load()}
	created := r.created.Load()
	var groups []shown
	r.get("/customer_groups?limit=250", &groups)
	if want := len(promised) + int(created); len(groups) < want {
		r.Errorf("a list of %d groups when there are %d", len(groups), want)
		return
	}
	for i := range promised {
		r.wantName("the list", groups[i], promised[i])
	}
	r.wantOneOfEach("a list", groups)
}

// lookWhenQuiet asks for one group after the other: the one that lost the flags
// last has to be shown without them.
func (r *reader) lookWhenQuiet() {
	var groups [2]shown
	for i := range groups {
		r.get(fmt.Sprint("/customer_groups/", i+1), &groups[i])
	}
	r.wantOneOfEach("one after the other", groups[:])
}

func (r *reader) wantOneOfEach(what string, groups []shown) {
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
		r.Errorf("%s shows %d default groups and %d for guests: %v", what, defaults, guests, groups)
	}
}

func (r *reader) wantName(what string, g shown, promised int64) {
	var n int64
	if _, err := fmt.Sscanf(g.Name, "name %d", &n); err != nil || n < promised {
		r.Errorf("%s shows %q when name %d had been acknowledged", what, g.Name, promised)
	}
}

func (r *reader) get(path string, v any) {
	var header []string
	old := r.kept[path]
	if old.tag != "" && r.rng.IntN(2) == 0 {
		header = []string{"If-None-Match", old.tag}
	}
	w := r.answer("GET", r.path(path), r.vars["read_token"], "", header...)
	switch {
	case w.Code == http.StatusOK:
		old = kept{w.Header().Get("ETag"), w.Body.String()}
		r.kept[path] = old
	case w.Code != http.StatusNotModified || header == nil:
		r.Errorf("GET %s: %d %s", path, w.Code, w.Body)
		return
	}
	if err := json.NewDecoder(strings.NewReader(old.body)).Decode(v); err != nil {
		r.Errorf("GET %s: %v: %s", path, err, old.body)
	}
}

// TestReadersSeeWhatWasAcknowledged lets clients read as often as they can
// while others write. An answer that was kept for too long, or kept from before
// the write, would show less than somebody has been told.
func TestReadersSeeWhatWasAcknowledged(t *testing.T) {
	const changes = 60
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := &acknowledged{fixture: newFixture(t, d, server.Options{})}
		var writers, readers sync.WaitGroup
		for i := range a.renamed {
			a.mustAnswer(t, 200, "POST", a.path("/customer_groups"), a.vars["token"], `{"name":"name 0","is_default":true,"is_group_for_guests":true}`)
			writers.Go(func() { a.rename(t, i+1, changes) })
		}
		writers.Go(func() { a.create(t, changes/3) })
		var done atomic.Bool
		for i := range uint64(3) {
			readers.Go(func() {
				r := &reader{acknowledged: a, T: t, rng: rand.New(rand.NewPCG(1, i)), kept: map[string]kept{}}
				for last := false; !last && !t.Failed(); {
					last = done.Load() // once more when nothing happens any more
					r.look()
				}
				r.lookWhenQuiet()
			})
		}
		writers.Wait()
		done.Store(true)
		readers.Wait()
	})
}
