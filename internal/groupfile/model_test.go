package groupfile

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// model is what the database has: the bodies of the groups of each store.
type model map[string]map[int64]string

func (m model) page(store string, offset, size int) string {
	ids := slices.Sorted(maps.Keys(m[store]))
	ids = ids[min(offset, len(ids)):]
	var bodies []string
	for _, id := range ids[:min(size, len(ids))] {
		bodies = append(bodies, m[store][id])
	}
	if len(bodies) == 0 {
		return ""
	}
	return "[" + strings.Join(bodies, ",") + "]"
}

// pieceOf returns up to size records after an id, and whether they are the last.
func (m model) pieceOf(store string, after int64, size int) (records []Record, done bool) {
	for _, id := range slices.Sorted(maps.Keys(m[store])) {
		if id > after && len(records) < size {
			records = append(records, record(id, m[store][id]))
		}
	}
	return records, len(records) < size
}

// Random edits, puts and scans on a disk that damages what is written and read. Whatever
// the file returns is what the database has at that time.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		damage := rapid.SampledFrom([]int{0, 0, 3, 10}).Draw(t, "damage")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		disk := &memory{}
		if damage > 0 {
			disk.onRead = func(b []byte, _ int64) error { return spoil(random, b, damage) }
			disk.onWrite = func(b []byte) ([]byte, error) { b = slices.Clone(b); return b, spoil(random, b, 2*damage) }
		}
		f := New(disk)
		f.maxFile, f.maxIndex = 20_000, 12
		run := &modelRun{
			f: f, db: model{"a": {}, "b": {}},
			scans: map[string]*Scan{}, after: map[string]int64{}, open: map[string]bool{}, piece: map[string][]Record{}, done: map[string]bool{},
		}
		t.Repeat(map[string]func(*rapid.T){
			"edit": run.edit, "put": run.put, "begin": run.begin, "end": run.end, "drop": run.drop, "": run.check,
		})
	})
}

// spoil damages one of so many reads or writes: bits, the end, or all of it.
func spoil(random *rand.Rand, b []byte, oneOf int) error {
	if len(b) == 0 || random.IntN(oneOf) > 0 {
		return nil
	}
	switch random.IntN(3) {
	case 0:
		b[random.IntN(len(b))] ^= 1 << random.IntN(8)
	case 1:
		clear(b[random.IntN(len(b)):])
	case 2:
		copy(b, b[random.IntN(len(b)):])
	}
	return nil
}

type modelRun struct {
	f     *File
	db    model
	scans map[string]*Scan
	after map[string]int64
	open  map[string]bool     // Begin was called
	piece map[string][]Record // that was read after Begin
	done  map[string]bool     // it is the last
	next  int
}

var (
	stores = rapid.SampledFrom([]string{"a", "b"})
	ids    = rapid.Custom(func(t *rapid.T) int64 {
		return rapid.OneOf(rapid.Int64Range(1, 40), rapid.Int64Range(1_000, 1_080)).Draw(t, "id")
	})
)

func (r *modelRun) body() string {
	r.next++
	return fmt.Sprintf("%d%s", r.next, strings.Repeat("x", r.next%7*40))
}

// edit changes some groups in one commit.
func (r *modelRun) edit(t *rapid.T) {
	var edits []Edit
	for range rapid.IntRange(1, 3).Draw(t, "edits") {
		store, id := stores.Draw(t, "store"), ids.Draw(t, "id")
		_, exists := r.db[store][id]
		switch {
		case !exists:
			edits = append(edits, Edit{Inserted, store, id})
			r.db[store][id] = r.body()
		case rapid.Bool().Draw(t, "delete"):
			edits = append(edits, Edit{Deleted, store, id})
			delete(r.db[store], id)
		default:
			edits = append(edits, Edit{Updated, store, id})
			r.db[store][id] = r.body()
		}
	}
	r.f.Apply(edits)
}

func (r *modelRun) put(t *rapid.T) {
	store := stores.Draw(t, "store")
	var records []Record
	for range rapid.IntRange(1, 20).Draw(t, "groups") {
		if id := ids.Draw(t, "id"); r.db[store][id] != "" {
			records = append(records, record(id, r.db[store][id]))
		}
	}
	r.result(t, r.f.Put(store, records, always))
}

func (r *modelRun) result(t *rapid.T, err error) {
	if err == ErrFull { //nolint:errorlint // it is returned as it is
		clear(r.scans)
		err = r.f.Clear()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// begin begins a scan, or its next piece, and reads that.
func (r *modelRun) begin(t *rapid.T) {
	store := stores.Draw(t, "store")
	if r.scans[store] == nil {
		scan, err := r.f.Scan(store)
		r.result(t, err)
		if scan == nil {
			return
		}
		r.scans[store], r.after[store] = scan, 0
	}
	r.scans[store].Begin()
	r.open[store] = true
	r.piece[store], r.done[store] = r.db.pieceOf(store, r.after[store], 10)
}

func (r *modelRun) end(t *rapid.T) {
	store := stores.Draw(t, "store")
	scan := r.scans[store]
	if scan == nil || !r.open[store] {
		return
	}
	r.open[store] = false
	if n := len(r.piece[store]); n > 0 {
		r.after[store] = r.piece[store][n-1].ID
	}
	more, err := scan.End(r.piece[store], r.done[store])
	if !more {
		delete(r.scans, store)
	}
	r.result(t, err)
}

func (r *modelRun) drop(t *rapid.T) {
	store := stores.Draw(t, "store")
	if rapid.IntRange(0, 5).Draw(t, "all") == 0 {
		r.f.Forget()
		return
	}
	clear(r.db[store])
	r.f.Apply([]Edit{{StoreDropped, store, 0}})
}

func (r *modelRun) check(t *rapid.T) {
	for store, groups := range r.db {
		for _, id := range []int64{1, 2, 20, 1_000, 1_001} {
			if got := get(r.f, store, id); got != "" && got != groups[id] {
				t.Fatalf("group %d of %s: got %.40s, want %.40s", id, store, got, groups[id])
			}
		}
		for _, p := range [][2]int{{0, 3}, {3, 3}, {0, 100}, {10, 5}} {
			got, want := page(r.f, store, int64(p[0]), p[1]), r.db.page(store, p[0], p[1])
			if got != "" && got != want {
				t.Fatalf("page %v of %s:\ngot  %.200s\nwant %.200s", p, store, got, want)
			}
		}
	}
	if r.f.Size() > r.f.maxFile {
		t.Fatalf("%d bytes", r.f.Size())
	}
	var size int64
	for _, s := range r.f.index {
		size += s.size()
	}
	if size != r.f.chunks {
		t.Fatalf("the index counts %d, but has %d", r.f.chunks, size)
	}
}
