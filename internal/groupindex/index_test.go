package groupindex

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
)

// entriesOf returns n entries with the ids from 1 on.
func entriesOf(n int) []Entry {
	entries := make([]Entry, n)
	for i := range entries {
		entries[i] = entry(int64(i + 1))
	}
	return entries
}

// entry returns an entry whose fields are derived from its id.
func entry(id int64) Entry {
	return Entry{ID: id, Created: id, Modified: 2 * id, Name: fmt.Sprint("Name ", id), Folded: fmt.Sprint("name ", id), Default: id%2 == 0}
}

func idsOf(entries []Entry) (ids []int64) {
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// all returns the entries of a snapshot.
func (s *snapshot) all() []Entry { return slices.Concat(s.chunks...) }

// Off-by-one errors would show at chunk boundaries.
func TestPagesAtChunkBoundaries(t *testing.T) {
	unfiltered := NewFilter(cohort.GroupFilter{}, strings.ToLower)
	named := NewFilter(cohort.GroupFilter{NameLike: "name"}, strings.ToLower) // every entry passes, but each is compared
	even := NewFilter(cohort.GroupFilter{IsDefault: new(true)}, strings.ToLower)
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 2*chunkSize + 1} {
		x := New(entriesOf(size))
		for _, skip := range []int{0, 1, chunkSize / 2, chunkSize - 1, chunkSize, chunkSize + 1, 2*chunkSize - 1, 2 * chunkSize, 2*chunkSize + 1} {
			for _, limit := range []int{0, 1, 2, chunkSize, 3 * chunkSize} {
				want := idsOf(entriesOf(size)[min(skip, size):min(skip+limit, size)])
				for _, f := range []Filter{unfiltered, named} {
					if got := x.Page(f, 0, int64(skip), limit); !slices.Equal(got, want) {
						t.Errorf("page of %d, skipping %d of %d: got %v, want %v", limit, skip, size, got, want)
					}
				}
				want = want[:0]
				for id := int64(2*skip + 2); id <= int64(size) && len(want) < limit; id += 2 {
					want = append(want, id)
				}
				if got := x.Page(even, 0, int64(skip), limit); !slices.Equal(got, want) {
					t.Errorf("page of %d, skipping %d of the even ids up to %d: got %v, want %v", limit, skip, size, got, want)
				}
			}
		}
		if n, m := x.Count(unfiltered), x.Count(named); n != size || m != size {
			t.Errorf("an index of %d entries counts %d unfiltered and %d filtered", size, n, m)
		}
	}
}

// An index can be emptied and filled again, from either end.
func TestEmptyAndRefill(t *testing.T) {
	const size = 2*chunkSize + 3
	unfiltered := NewFilter(cohort.GroupFilter{}, strings.ToLower)
	x := New(nil)
	for round, backward := range []bool{false, true, false, true} {
		entries := entriesOf(size)
		if round < 2 { // insert in descending order
			slices.Reverse(entries)
		}
		for _, e := range entries {
			x.Apply([]Edit{Put(e)})
		}
		if got := x.Page(unfiltered, 0, 0, math.MaxInt); !slices.Equal(got, idsOf(entriesOf(size))) {
			t.Fatalf("round %d: the filled index has ids %v", round, got)
		}
		for i := range size {
			id := int64(i + 1)
			if backward {
				id = int64(size - i)
			}
			x.Apply([]Edit{Delete(id), Delete(id)})
		}
		if s := x.now.Load(); len(s.chunks) != 0 || s.size != 0 {
			t.Fatalf("round %d: the emptied index has %d chunks and size %d", round, len(s.chunks), s.size)
		}
	}
}

// An edit copies one chunk, so chunks must not outgrow chunkSize.
func TestChunksAreBounded(t *testing.T) {
	x := New(entriesOf(10))
	for id := int64(11); id < 5*chunkSize; id++ {
		x.Apply([]Edit{Put(entry(id))})
	}
	for i, chunk := range x.now.Load().chunks {
		if len(chunk) > chunkSize {
			t.Errorf("chunk %d has %d entries", i, len(chunk))
		}
	}
}

// Readers see all edits of an Apply or none. Run it with the race detector: snapshots
// share memory.
func TestReadersDuringEdits(t *testing.T) {
	const edits, readers = 1500, 2
	x := New(entriesOf(chunkSize - 5))
	unfiltered := NewFilter(cohort.GroupFilter{}, strings.ToLower)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				s := x.now.Load()
				if all := s.all(); len(all) != s.size || !slices.IsSortedFunc(all, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) }) {
					t.Error("a snapshot is not sorted by id")
					return
				}
				// Each Apply adds one entry and deletes one.
				if n := x.Count(unfiltered); n != chunkSize-5 {
					t.Errorf("counted %d entries, want %d", n, chunkSize-5)
					return
				}
				x.Page(unfiltered, 0, 10, chunkSize)
			}
		})
	}
	for i := range int64(edits) {
		x.Apply([]Edit{Put(entry(chunkSize - 4 + i)), Delete(i + 1), Put(Entry{ID: i + 2, Name: "changed"})})
	}
	close(done)
	wg.Wait()
}
