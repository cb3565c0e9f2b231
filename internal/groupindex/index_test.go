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

// entry returns an entry that follows from its id.
func entry(id int64) Entry {
	return Entry{ID: id, Created: id, Modified: 2 * id, Name: fmt.Sprint("Name ", id), Folded: fmt.Sprint("name ", id), Default: id%2 == 0}
}

func idsOf(entries []Entry) (ids []int64) {
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// all is every entry that a snapshot has.
func (s *snapshot) all() []Entry { return slices.Concat(s.chunks...) }

// The ends of chunks are where one is off by one.
func TestPagesAroundTheEndsOfChunks(t *testing.T) {
	everybody := NewFilter(cohort.GroupFilter{}, strings.ToLower)
	named := NewFilter(cohort.GroupFilter{NameLike: "name"}, strings.ToLower) // is everybody too, but has to be looked at
	even := NewFilter(cohort.GroupFilter{IsDefault: new(true)}, strings.ToLower)
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 2*chunkSize + 1} {
		r := New(entriesOf(size))
		for _, skip := range []int{0, 1, chunkSize / 2, chunkSize - 1, chunkSize, chunkSize + 1, 2*chunkSize - 1, 2 * chunkSize, 2*chunkSize + 1} {
			for _, limit := range []int{0, 1, 2, chunkSize, 3 * chunkSize} {
				want := idsOf(entriesOf(size)[min(skip, size):min(skip+limit, size)])
				for _, f := range []Filter{everybody, named} {
					if got := r.Page(f, 0, int64(skip), limit); !slices.Equal(got, want) {
						t.Errorf("%d after %d of %d: got %v, want %v", limit, skip, size, got, want)
					}
				}
				want = want[:0]
				for id := int64(2*skip + 2); id <= int64(size) && len(want) < limit; id += 2 {
					want = append(want, id)
				}
				if got := r.Page(even, 0, int64(skip), limit); !slices.Equal(got, want) {
					t.Errorf("%d after %d of those even in %d: got %v, want %v", limit, skip, size, got, want)
				}
			}
		}
		if n, m := r.Count(everybody), r.Count(named); n != size || m != size {
			t.Errorf("of %d counted %d and %d", size, n, m)
		}
	}
}

// A roster can be emptied and filled again, from either end.
func TestIndexIsEmptiedAndFilled(t *testing.T) {
	const size = 2*chunkSize + 3
	everybody := NewFilter(cohort.GroupFilter{}, strings.ToLower)
	r := New(nil)
	for round, backward := range []bool{false, true, false, true} {
		entries := entriesOf(size)
		if round < 2 { // then they are added in order
			slices.Reverse(entries)
		}
		for _, e := range entries {
			r.Apply([]Edit{Put(e)})
		}
		if got := r.Page(everybody, 0, 0, math.MaxInt); !slices.Equal(got, idsOf(entriesOf(size))) {
			t.Fatalf("round %d: full of %v", round, got)
		}
		for i := range size {
			id := int64(i + 1)
			if backward {
				id = int64(size - i)
			}
			r.Apply([]Edit{Delete(id), Delete(id)})
		}
		if s := r.now.Load(); len(s.chunks) != 0 || s.size != 0 {
			t.Fatalf("round %d: %d chunks are left, and the size is %d", round, len(s.chunks), s.size)
		}
	}
}

// A change copies one chunk at most, which therefore must not grow.
func TestChunksAreBounded(t *testing.T) {
	r := New(entriesOf(10))
	for id := int64(11); id < 5*chunkSize; id++ {
		r.Apply([]Edit{Put(entry(id))})
	}
	for i, chunk := range r.now.Load().chunks {
		if len(chunk) > chunkSize {
			t.Errorf("chunk %d has %d entries", i, len(chunk))
		}
	}
}

// An edit is seen as a whole or not at all, by readers who do not wait for it.
// The race detector has a look at the memory that states share.
func TestReadersWhileEdited(t *testing.T) {
	const edits, readers = 1500, 2
	r := New(entriesOf(chunkSize - 5))
	everybody := NewFilter(cohort.GroupFilter{}, strings.ToLower)
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
				s := r.now.Load()
				if all := s.all(); len(all) != s.size || !slices.IsSortedFunc(all, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) }) {
					t.Error("a state is not in order")
					return
				}
				// Each edit adds one and takes one away.
				if n := r.Count(everybody); n != chunkSize-5 {
					t.Errorf("counted %d", n)
					return
				}
				r.Page(everybody, 0, 10, chunkSize)
			}
		})
	}
	for i := range int64(edits) {
		r.Apply([]Edit{Put(entry(chunkSize - 4 + i)), Delete(i + 1), Put(Entry{ID: i + 2, Name: "changed"})})
	}
	close(done)
	wg.Wait()
}
