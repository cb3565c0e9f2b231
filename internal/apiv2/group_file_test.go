package apiv2

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/groupfile"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// brittleDisk is a disk in memory. It damages and refuses some of what is read and loses some
// of what is written.
type brittleDisk struct {
	damage   bool
	full     atomic.Bool
	mu       sync.Mutex
	content  []byte
	answered atomic.Int64 // reads that were not damaged
}

func (d *brittleDisk) ReadAt(b []byte, at int64) (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at < int64(len(d.content)) {
		n = copy(b, d.content[at:])
	}
	if d.damage && n > 0 {
		switch rand.IntN(4) {
		case 0:
			b[rand.IntN(n)] ^= 0x20
			return n, nil
		case 1:
			return n / 2, errors.New("the disk is broken")
		}
	}
	d.answered.Add(1)
	return n, nil
}

func (d *brittleDisk) WriteAt(b []byte, at int64) (int, error) {
	if d.full.Load() {
		return 0, errors.New("no space left on device")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if missing := at + int64(len(b)) - int64(len(d.content)); missing > 0 {
		d.content = append(d.content, make([]byte, missing)...)
	}
	if !d.damage || rand.IntN(4) > 0 {
		copy(d.content[at:], b)
	}
	return len(b), nil
}

func (d *brittleDisk) Truncate(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.content = d.content[:size]
	return nil
}

func (d *brittleDisk) Close() error { return nil }

// keeping is a handler of groups whose file is on a disk of the test.
type keeping struct {
	*handler
	db     *db.DB
	disk   *brittleDisk
	filler *groupFiller
	store  string
}

// startKeeping returns a handler whose file is not filled yet.
func startKeeping(t *testing.T, disk *brittleDisk) *keeping {
	d, err := db.Open(t.Context(), dbtest.SQLiteURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	svc := service.New(d)
	st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	return &keeping{handler: &handler{svc: svc, responses: newResponseCache(svc)}, db: d, disk: disk, store: st.Key}
}

func (k *keeping) name(t *testing.T, name string) cohort.Group {
	t.Helper()
	g, err := k.svc.CreateGroup(t.Context(), k.store, cohort.Group{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// ask returns the body of the response of a handler. The cache in memory is emptied first.
func (k *keeping) ask(handle api.Handler, path string, id int64) (int, string) {
	k.responses.entries.InvalidateAll()
	return k.request(handle, path, id)
}

// get is ask with the cache in memory.
func (k *keeping) get(handle api.Handler, id int64) (int, string) { return k.request(handle, "/", id) }

func (k *keeping) request(handle api.Handler, path string, id int64) (int, string) {
	w := httptest.NewRecorder()
	r := &api.Request{Request: httptest.NewRequest(http.MethodGet, path, http.NoBody), Store: cohort.Store{Key: k.store, Hash: "abc"}}
	r.IDs[0].Name, r.IDs[0].Text = "id", fmt.Sprint(id)
	if err := handle(w, r); err != nil {
		return 0, err.Error()
	}
	return w.Code, w.Body.String()
}

// settle runs the filler's work until nothing is left to do.
func (k *keeping) settle(t *testing.T) {
	t.Helper()
	for {
		var err error
		switch {
		case len(k.responses.kept.jobs) > 0:
			err = k.filler.keep(<-k.responses.kept.jobs)
		case len(k.responses.kept.wanted) > 0:
			err = k.filler.want(<-k.responses.kept.wanted)
		case k.filler.scan != nil || len(k.filler.stores) > 0:
			err = k.filler.scanPiece()
		default:
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// begin makes the filler without running it.
func (k *keeping) begin(t *testing.T) {
	file := groupfile.New(k.disk)
	kept := k.responses.kept
	kept.watch(file)
	kept.file.Store(file)
	k.filler = &groupFiller{keptGroups: kept, ctx: t.Context(), file: file, log: slog.New(slog.DiscardHandler)}
	if err := k.filler.fill(); err != nil {
		t.Fatal(err)
	}
}

// After the fill, and after the work that follows from a change, reads are answered from the
// file: what was there at the start, what is created, what is changed, pages of both.
func TestGroupsAreReadFromTheFile(t *testing.T) {
	k := startKeeping(t, &brittleDisk{})
	const groups = fillPiece + 40
	var all []cohort.Group
	for i := range groups {
		all = append(all, k.name(t, fmt.Sprint("group ", i)))
	}
	k.begin(t)
	k.settle(t)
	all = append(all, k.name(t, "created"))
	var err error
	if all[1], err = k.svc.UpdateGroup(t.Context(), k.store, all[1].ID, cohort.GroupUpdate{Name: new("changed"), IsDefault: new(true)}); err != nil {
		t.Fatal(err)
	}
	if err := k.svc.DeleteGroup(t.Context(), k.store, all[2].ID); err != nil {
		t.Fatal(err)
	}
	all = append(all[:2], all[3:]...)
	k.settle(t)
	wantFromFile := func(what, want string, handle api.Handler, path string, id int64) {
		t.Helper()
		for range 2 { // the second response goes into the cache in memory
			before := k.disk.answered.Load()
			if status, body := k.ask(handle, path, id); status != http.StatusOK || body != want {
				t.Errorf("%s: %d %.100s, want %.100s", what, status, body, want)
			}
			if k.disk.answered.Load() == before {
				t.Errorf("%s is not read from the file", what)
			}
		}
	}
	for _, g := range all {
		wantFromFile(g.Name, string(appendGroup(nil, g)), k.getGroup, "/", g.ID)
	}
	for query, part := range map[string][]cohort.Group{
		"": all[:50], "?page=2": all[50:100], "?limit=250": all[:250], "?page=2&limit=250": all[250:], "?limit=1&page=296": all[295:],
	} {
		var bodies []string
		for _, g := range part {
			bodies = append(bodies, string(appendGroup(nil, g)))
		}
		wantFromFile("page "+query, "["+strings.Join(bodies, ",")+"]", k.listGroups, "/"+query, 0)
	}
	if status, body := k.ask(k.listGroups, "/?page=99", 0); status != http.StatusNoContent {
		t.Errorf("a page after the last: %d %s", status, body)
	}
	if status, body := k.ask(k.getGroup, "/", 3); status != 0 || !strings.Contains(body, "3") {
		t.Errorf("the deleted group: %d %s", status, body)
	}
}

// A page of a store that is new is read from the file after the first request, and a group
// that was lost comes back.
func TestGroupsAreKeptOnDemand(t *testing.T) {
	k := startKeeping(t, &brittleDisk{})
	k.begin(t)
	k.settle(t)
	st, err := k.svc.CreateStore(t.Context(), cohort.Store{Hash: "late"})
	if err != nil {
		t.Fatal(err)
	}
	k.store = st.Key
	g := k.name(t, "of a late store")
	want := "[" + string(appendGroup(nil, g)) + "]"
	for what, prepare := range map[string]func(){
		"of a new store": func() {},
		"that was lost":  func() { k.filler.file.Apply([]groupfile.Edit{{Kind: groupfile.Updated, Store: k.store, ID: g.ID}}) },
	} {
		prepare()
		for try, fromFile := range []bool{false, true} {
			before := k.disk.answered.Load()
			if _, body := k.ask(k.listGroups, "/", 0); body != want {
				t.Errorf("%s: got %s, want %s", what, body, want)
			}
			if got := k.disk.answered.Load() > before; got != fromFile && what == "that was lost" || try == 1 && !got {
				t.Errorf("%s, request %d: read from the file: %v", what, try+1, got)
			}
			k.settle(t)
		}
	}
}

// Without space the file is given up, and every response comes from the database.
func TestGroupFileWithoutSpace(t *testing.T) {
	disk := &brittleDisk{}
	disk.full.Store(true)
	k := startKeeping(t, disk)
	g := k.name(t, "first")
	var log strings.Builder
	if err := k.responses.kept.runWith(t.Context(), groupfile.New(disk), slog.New(slog.NewTextHandler(&log, nil))); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("the filler returned %v", err)
	}
	if status, body := k.ask(k.getGroup, "/", g.ID); status != http.StatusOK || body != string(appendGroup(nil, g)) {
		t.Errorf("%d %s", status, body)
	}
}

// A failure of the database ends the fill, not the cache: the file is filled again later.
func TestGroupFileOutlivesTheDatabase(t *testing.T) {
	k := startKeeping(t, &brittleDisk{})
	k.begin(t)
	if err := k.filler.nextScan(); err != nil {
		t.Fatal(err)
	}
	if err := k.db.Close(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"the scan of all stores": k.filler.fill(),
		"the scan of a store":    k.filler.scanPiece(),
	} {
		if cohort.KindOf(err) != cohort.KindUnavailable {
			t.Fatalf("%s of a closed database: %v", what, err)
		}
		k.filler.refill = nil
		if err := k.filler.recover(err); err != nil || k.filler.refill == nil {
			t.Errorf("%s: %v, next fill planned: %v", what, err, k.filler.refill != nil)
		}
	}
	if err := k.filler.recover(errors.New("no space left on device")); err == nil {
		t.Error("a failure of the disk was taken for one that passes")
	}
}

// While a commit is told, readers may still get its groups as they were from the file. None of
// these responses is current any more once the commit is acknowledged.
func TestResponsesWhileACommitIsTold(t *testing.T) {
	k := startKeeping(t, &brittleDisk{})
	g := k.name(t, "before")
	// This is called after the versions have changed and before the file has.
	k.svc.WatchGroups(func([]service.GroupChange) {
		for range 3 { // the second response goes into the cache in memory
			k.get(k.getGroup, g.ID)
			k.get(k.listGroups, 0)
		}
	}, func([]service.GroupChange) {})
	k.begin(t)
	k.settle(t)
	g, err := k.svc.UpdateGroup(t.Context(), k.store, g.ID, cohort.GroupUpdate{Name: new("after")})
	if err != nil {
		t.Fatal(err)
	}
	body := string(appendGroup(nil, g))
	if _, got := k.get(k.getGroup, g.ID); got != body {
		t.Errorf("got %s, want %s", got, body)
	}
	if _, got := k.get(k.listGroups, 0); got != "["+body+"]" {
		t.Errorf("got %s, want [%s]", got, body)
	}
}

// Groups are changed while others read them, over a disk that damages what it holds. No
// response is older than a change that was acknowledged before the request, and every
// response is a group as it once was.
func TestGroupFileIsNeverStale(t *testing.T) {
	for _, damage := range []bool{false, true} {
		t.Run(fmt.Sprint("damage=", damage), func(t *testing.T) {
			k := startKeeping(t, &brittleDisk{damage: damage})
			const groups = 12
			var acknowledged [groups]atomic.Int64
			for i := range groups {
				k.name(t, nameOf(i, 0))
			}
			ctx, cancel := context.WithCancel(t.Context())
			var filler, callers sync.WaitGroup
			filler.Go(func() {
				if err := k.responses.kept.runWith(ctx, groupfile.New(k.disk), slog.New(slog.DiscardHandler)); err != nil {
					t.Error(err)
				}
			})
			changes := testenv.Times(400, 20)
			for i := range groups {
				callers.Go(func() {
					for n := int64(1); n <= int64(changes); n++ {
						if _, err := k.svc.UpdateGroup(ctx, k.store, int64(i+1), cohort.GroupUpdate{Name: new(nameOf(i, n))}); err != nil {
							t.Error(err)
							return
						}
						acknowledged[i].Store(n)
						k.read(t, i, &acknowledged)
					}
				})
			}
			callers.Wait()
			cancel()
			filler.Wait()
			if k.disk.answered.Load() == 0 {
				t.Error("nothing was read from the file")
			}
		})
	}
}

func nameOf(group int, n int64) string { return fmt.Sprintf("group %d, change %d.", group, n) }

// read reads a group and a page, and checks that no group is older than acknowledged.
func (k *keeping) read(t *testing.T, of int, acknowledged *[12]atomic.Int64) {
	var since [12]int64
	for i := range since {
		since[i] = acknowledged[i].Load()
	}
	_, one := k.ask(k.getGroup, "/", int64(of+1))
	_, page := k.ask(k.listGroups, "/?limit=12", 0)
	for i := range since {
		for _, body := range []string{one, page} {
			_, rest, ok := strings.Cut(body, fmt.Sprintf(`"name":"group %d, change `, i))
			if !ok {
				if body == page || i == of {
					t.Errorf("group %d is missing in %s", i, body)
				}
				continue
			}
			var n int64
			if _, err := fmt.Sscanf(rest, "%d.", &n); err != nil || n < since[i] {
				t.Errorf("group %d: change %d, but %d was acknowledged before (%v)", i, n, since[i], err)
			}
		}
	}
}

func TestPlainPage(t *testing.T) {
	for query, want := range map[string]cohort.Page{
		"": {Number: 1, Size: 50}, "page=3": {Number: 3, Size: 50}, "limit=250": {Number: 1, Size: 250}, "limit=7&page=12345678": {Number: 12345678, Size: 7},
		"page=0": {}, "page=03": {}, "page=": {}, "page": {}, "&": {}, "page=1&": {}, "limit=251": {}, "page=123456789": {}, "page=+1": {}, "page=1&name=x": {}, "%70age=1": {}, "page=1;limit=2": {},
	} {
		got, ok := plainPage(cacheKey{operation: "list", query: query})
		if ok != (want != cohort.Page{}) || ok && got != want {
			t.Errorf("%q: %v %v, want %v", query, got, ok, want)
		}
	}
	if _, ok := plainPage(cacheKey{operation: "count"}); ok {
		t.Error("a count is no page")
	}
}
