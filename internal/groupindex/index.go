// Package groupindex holds, in memory, the columns that group lists filter and
// page by: the group index of a store. The database would have to scan all rows
// of the store to find a deep page, to apply a filter or to count.
package groupindex

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// Entry holds the columns of one group that a filter can refer to.
type Entry struct {
	ID       int64
	Created  int64 // Unix milliseconds
	Modified int64 // Unix milliseconds
	Name     string
	Folded   string // the case-folded name
	Default  bool
	Guests   bool
}

// chunkSize is the largest number of entries that an edit copies.
const chunkSize = 512

// Index holds the groups of one store, by id. Readers take no lock: they see the
// snapshot after some commit while one writer prepares the next.
type Index struct{ now atomic.Pointer[snapshot] }

// snapshot is immutable. Its chunks are sorted and not empty, and every id of a
// chunk is less than those of the next. Snapshots share chunks.
type snapshot struct {
	chunks [][]Entry
	size   int
}

// New returns an index of entries that are sorted by id.
func New(sorted []Entry) *Index {
	s := &snapshot{size: len(sorted), chunks: slices.Collect(slices.Chunk(sorted, chunkSize))}
	x := &Index{}
	x.now.Store(s)
	return x
}

// Size returns the number of groups.
func (x *Index) Size() int { return x.now.Load().size }

// Count returns the number of groups that pass the filter.
func (x *Index) Count(f Filter) (n int) {
	s := x.now.Load()
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

// Page returns the ids of up to limit groups that pass the filter and have a higher
// id than after, ascending, without the first skip of them.
func (x *Index) Page(f Filter, after, skip int64, limit int) (ids []int64) {
	s := x.now.Load()
	all := f.passesAll()
	for _, chunk := range chunksAfter(s.chunks, after) {
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

// chunksAfter returns the entries with ids higher than id.
func chunksAfter(chunks [][]Entry, id int64) [][]Entry {
	c, _ := slices.BinarySearchFunc(chunks, id, func(c []Entry, id int64) int { return cmp.Compare(c[len(c)-1].ID, id+1) })
	if c == len(chunks) || chunks[c][0].ID > id {
		return chunks[c:]
	}
	at, _ := slices.BinarySearchFunc(chunks[c], id+1, func(e Entry, id int64) int { return cmp.Compare(e.ID, id) })
	return append([][]Entry{chunks[c][at:]}, chunks[c+1:]...)
}

// Edit is a change of one entry.
type Edit func(*editor)

// Put returns the edit that adds an entry, or replaces the one with the same id.
func Put(entry Entry) Edit { return func(e *editor) { e.put(entry) } }

// Delete returns the edit that removes the entry with an id, if there is one.
func Delete(id int64) Edit { return func(e *editor) { e.delete(id) } }

// Apply applies edits in order. Readers see all of them or none. Only one goroutine
// may call Apply at a time.
func (x *Index) Apply(edits []Edit) {
	old := x.now.Load()
	e := &editor{chunks: slices.Clone(old.chunks), size: old.size}
	for _, edit := range edits {
		edit(e)
	}
	x.now.Store(&snapshot{e.chunks, e.size})
}

// editor builds the next snapshot. It copies the chunks that change.
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
		// Readers of older snapshots do not see the appended entry: their slices of
		// the same chunk end before it.
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

// find returns the chunk of an id and its position there. If the id is not found,
// it returns the position to insert it at.
func (e *editor) find(id int64) (chunk, at int, found bool) {
	// The first chunk whose last id is not less than the id.
	chunk, _ = slices.BinarySearchFunc(e.chunks, id, func(c []Entry, id int64) int { return cmp.Compare(c[len(c)-1].ID, id) })
	if chunk == len(e.chunks) {
		return chunk, 0, false
	}
	at, found = slices.BinarySearchFunc(e.chunks[chunk], id, func(e Entry, id int64) int { return cmp.Compare(e.ID, id) })
	return chunk, at, found
}

// place returns the position of a new id, which is almost always the end.
func (e *editor) place(id int64) (chunk, at int) {
	chunk, at, _ = e.find(id)
	last := len(e.chunks) - 1
	if chunk > last && last >= 0 && len(e.chunks[last]) < chunkSize {
		return last, len(e.chunks[last])
	}
	return chunk, at
}
