// Package groupfile keeps encoded groups in a temporary file. A read takes one read of
// the system's page cache, for a group as for a page of them, and the process holds only
// an index of about five bytes per group. The file is no part of the data: whatever it
// lacks, or whatever fails its checksum, the caller reads from the database.
//
// See docs/decisions/0085.
package groupfile

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// maxFile is the size of the file in bytes from which it starts again empty. Records that
// were replaced stay in it until then.
const maxFile = 2 << 30

// maxChunks bounds the index: chunks, each with up to 32 groups and of about 150 bytes, and
// stores count.
const maxChunks = 128 << 10

// maxBody is the largest body that is kept, in bytes.
const maxBody = 256 << 10

// ErrFull means that the file or its index has reached its bound. The caller calls Clear.
var ErrFull = errors.New("the file of groups is full")

// Disk is the open file.
type Disk interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// File has groups of stores. Its methods may be called concurrently, except that calls of
// Put, Scan.End and Clear come from one goroutine.
type File struct {
	disk              Disk
	maxFile, maxIndex int64 // the constants, except in tests
	buf               []byte

	mu     sync.RWMutex
	index  map[string]*store
	last   uint64 // the number of the last store
	end    int64  // of the records
	chunks int64
}

// Record is an encoded group.
type Record struct {
	ID   int64
	Tag  [8]byte // identifies the body
	Body []byte
}

// New returns an empty File that owns the disk.
func New(disk Disk) *File {
	return &File{disk: disk, maxFile: maxFile, maxIndex: maxChunks, index: map[string]*store{}, end: unit}
}

// Close closes the file. Nothing may be called afterwards.
func (f *File) Close() error { return f.disk.Close() }

// Roomy reports whether less than half of the file and of its index is in use. A fill stops
// there, and leaves the other half to what is written and read later.
func (f *File) Roomy() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.end < f.maxFile/2 && f.chunks < f.maxIndex/2
}

// Missing returns up to most groups of a store that exist, as far as the file knows, and
// are not kept.
func (f *File) Missing(storeKey string, most int) []int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if s := f.index[storeKey]; s != nil {
		return s.missing(most)
	}
	return nil
}

// Size returns the size of the file in bytes.
func (f *File) Size() int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.end
}

// Clear drops everything and starts again with an empty file.
func (f *File) Clear() error {
	f.Forget()
	f.mu.Lock()
	f.end = unit
	f.mu.Unlock()
	return f.disk.Truncate(0)
}

// Forget drops everything, for changes whose extent is unknown. The file keeps its size.
func (f *File) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.index)
	f.chunks = 0
}

// Edit is a committed change of a group or a store.
type Edit struct {
	Kind  EditKind
	Store string
	ID    int64
}

// EditKind says what was changed.
type EditKind int

// The kinds of edits.
const (
	Inserted EditKind = iota
	Updated
	Deleted
	StoreDropped // the store is gone, or has other content
)

// Apply applies the edits of a commit in one step: no reader sees a part of them. They
// have to be applied before the commit is acknowledged, and in the order of commits.
func (f *File) Apply(edits []Edit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range edits {
		s := f.index[e.Store]
		if s == nil {
			continue
		}
		if e.Kind == StoreDropped {
			f.chunks -= s.size()
			delete(f.index, e.Store)
			continue
		}
		s.forget(e.ID)
		if s.scan != nil {
			s.scan.touched[e.ID] = e.Kind != Deleted
		}
		if e.Kind == Deleted || e.ID <= s.known {
			f.chunks += s.setExists(e.ID, e.Kind != Deleted)
		}
	}
}

// Put keeps groups of a store. Current is called for each while no edit is applied: it
// reports whether the body is that of the group now. After another error than ErrFull the
// file is unusable.
func (f *File) Put(storeKey string, records []Record, current func(i int) bool) error {
	s, offsets, err := f.write(storeKey, records)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index[storeKey] != s {
		return nil
	}
	for i, r := range records {
		if offsets[i] != 0 && current(i) {
			f.chunks += s.setOffset(r.ID, offsets[i])
		}
	}
	return nil
}

// write appends records to the file and returns their offsets, 0 for one that is too long.
func (f *File) write(storeKey string, records []Record) (*store, []uint32, error) {
	s, start, err := f.storeFor(storeKey)
	if err != nil {
		return nil, nil, err
	}
	offsets := make([]uint32, len(records))
	f.buf = f.buf[:0]
	for i, r := range records {
		if len(r.Body) <= maxBody {
			offsets[i] = uint32((start + int64(len(f.buf))) / unit)
			f.buf = appendRecord(f.buf, s.number, r)
		}
	}
	if start+int64(len(f.buf)) > f.maxFile {
		return nil, nil, ErrFull
	}
	if _, err := f.disk.WriteAt(f.buf, start); err != nil {
		return nil, nil, fmt.Errorf("the file of groups: %w", err)
	}
	f.mu.Lock()
	f.end = start + int64(len(f.buf))
	f.mu.Unlock()
	return s, offsets, nil
}

// storeFor returns the index of a store, and makes it if there is none.
func (f *File) storeFor(storeKey string) (s *store, end int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.chunks >= f.maxIndex {
		return nil, 0, ErrFull
	}
	s = f.index[storeKey]
	if s == nil {
		f.last++
		s = &store{number: f.last}
		f.index[storeKey] = s
		f.chunks += s.size()
	}
	return s, f.end, nil
}
