// Package roster keeps in memory what the filters of group lists look at, for
// stores where somebody pages deep, filters or counts. The database would have
// to walk over every row for that.
package groupindex

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// Entry is one group: what it can be found by.
type Entry struct {
	ID       int64
	Created  int64 // Unix milliseconds
	Modified int64 // Unix milliseconds
	Name     string
	Folded   string // the name, as it is compared without regard to case
	Default  bool
	Guests   bool
}

// chunkSize is how many entries a change has to copy at most.
const chunkSize = 512

// Index is the groups of one store by id. Readers see it as it was after some
// commit, while one writer changes it.
type Index struct{ now atomic.Pointer[snapshot] }

// snapshot never changes. Its chunks are sorted, in themselves and among each
// other, and none is empty. Snapshots share chunks.
type snapshot struct {
	chunks [][]Entry
	size   int
}

// New returns a roster of entries that are sorted by id.
func New(sorted []Entry) *Index {
	s := &snapshot{size: len(sorted), chunks: slices.Collect(slices.Chunk(sorted, chunkSize))}
	r := &Index{}
	r.now.Store(s)
	return r
}

// Size returns how many groups there are.
func (r *Index) Size() int { return r.now.Load().size }

// Count returns how many groups pass the filter.
func (r *Index) Count(f Filter) (n int) {
	s := r.now.Load()
	if f.passesAll() {
		return s.size
	}
	for _, chunk := range s.chunks {
		for i := range chunk {
			if f.passes(&chunk[i]) {
				n++
			}
		}
	}
	return n
}

// Page returns the ids of the groups behind an id that pass the filter, in their
// order, after skipping some and up to a limit.
func (r *Index) Page(f Filter, after, skip int64, limit int) (ids []int64) {
	s := r.now.Load()
	all := f.passesAll()
	for _, chunk := range behind(s.chunks, after) {
		if all && skip >= int64(len(chunk)) {
			skip -= int64(len(chunk))
			continue
		}
		for i := range chunk {
			if !all && !f.passes(&chunk[i]) {
				continue
			}
			if skip > 0 {
				skip--
				continue
			}
			if len(ids) == limit {
				return ids
			}
			ids = append(ids, chunk[i].ID)
		}
	}
	return ids
}

// behind yields what chunks have behind an id.
func behind(chunks [][]Entry, id int64) [][]Entry {
	c, _ := slices.BinarySearchFunc(chunks, id, func(c []Entry, id int64) int { return cmp.Compare(c[len(c)-1].ID, id+1) })
	if c == len(chunks) || chunks[c][0].ID > id {
		return chunks[c:]
	}
	at, _ := slices.BinarySearchFunc(chunks[c], id+1, func(e Entry, id int64) int { return cmp.Compare(e.ID, id) })
	return append([][]Entry{chunks[c][at:]}, chunks[c+1:]...)
}

// Edit is a change of one group.
type Edit func(*editor)

// Put returns the edit that adds an entry, or replaces the one with its id.
func Put(entry Entry) Edit { return func(e *editor) { e.put(entry) } }

// Delete returns the edit that removes the entry with an id, if there is one.
func Delete(id int64) Edit { return func(e *editor) { e.delete(id) } }

// Apply carries out edits one after another. Readers see what all of them did,
// or nothing. Only one goroutine may apply edits at a time.
func (r *Index) Apply(edits []Edit) {
	old := r.now.Load()
	e := &editor{chunks: slices.Clone(old.chunks), size: old.size}
	for _, edit := range edits {
		edit(e)
	}
	r.now.Store(&snapshot{e.chunks, e.size})
}

// editor makes the next state of a roster. It replaces the chunks that change.
type editor struct {
	chunks [][]Entry
	size   int
}

func (e *editor) put(entry Entry) {
	if c, i, found := e.find(entry.ID); found {
		e.chunks[c] = slices.Clone(e.chunks[c])
		e.chunks[c][i] = entry
		return
	}
	e.size++
	c, i := e.place(entry.ID)
	if c == len(e.chunks) {
		e.chunks = append(e.chunks, append(make([]Entry, 0, chunkSize), entry))
		return
	}
	if i == len(e.chunks[c]) {
		// Behind what readers of older states see of the same chunk.
		e.chunks[c] = append(e.chunks[c], entry)
		return
	}
	e.chunks[c] = slices.Insert(slices.Clone(e.chunks[c]), i, entry)
}

func (e *editor) delete(id int64) {
	c, i, found := e.find(id)
	if !found {
		return
	}
	e.size--
	if len(e.chunks[c]) == 1 {
		e.chunks = slices.Delete(e.chunks, c, c+1)
		return
	}
	e.chunks[c] = slices.Delete(slices.Clone(e.chunks[c]), i, i+1)
}

// find returns in which chunk and where in it an id is.
func (e *editor) find(id int64) (chunk, at int, found bool) {
	// The first chunk that ends at the id or behind it.
	chunk, _ = slices.BinarySearchFunc(e.chunks, id, func(c []Entry, id int64) int { return cmp.Compare(c[len(c)-1].ID, id) })
	if chunk == len(e.chunks) {
		return chunk, 0, false
	}
	at, found = slices.BinarySearchFunc(e.chunks[chunk], id, func(e Entry, id int64) int { return cmp.Compare(e.ID, id) })
	return chunk, at, found
}

// place returns where a new id goes: almost always behind all others.
func (e *editor) place(id int64) (chunk, at int) {
	chunk, at, _ = e.find(id)
	last := len(e.chunks) - 1
	if chunk > last && last >= 0 && len(e.chunks[last]) < chunkSize {
		return last, len(e.chunks[last])
	}
	return chunk, at
}
