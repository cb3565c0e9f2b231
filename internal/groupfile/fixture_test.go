package groupfile

import (
	"errors"
	"io"
	"sync"
	"testing"
)

// memory is a disk in memory that fails on demand.
type memory struct {
	mu      sync.Mutex
	content []byte
	onRead  func(b []byte, at int64) error // may change what was read
	onWrite func(b []byte) ([]byte, error) // returns what is written
}

func (m *memory) ReadAt(b []byte, at int64) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at < int64(len(m.content)) {
		n = copy(b, m.content[at:])
	}
	if m.onRead != nil {
		if err := m.onRead(b[:n], at); err != nil {
			return 0, err
		}
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}

func (m *memory) WriteAt(b []byte, at int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	written := b
	if m.onWrite != nil {
		var err error
		if written, err = m.onWrite(b); err != nil {
			return 0, err
		}
	}
	if missing := at + int64(len(b)) - int64(len(m.content)); missing > 0 {
		m.content = append(m.content, make([]byte, missing)...)
	}
	copy(m.content[at:], written)
	return len(b), nil
}

func (m *memory) Truncate(size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.content = m.content[:size]
	return nil
}

func (m *memory) Close() error { return nil }

var errDisk = errors.New("the disk is broken")

func always(int) bool { return true }

func put(t testing.TB, f *File, store string, current func(int) bool, records ...Record) {
	t.Helper()
	if err := f.Put(store, records, current); err != nil {
		t.Fatal(err)
	}
}

// scanAll scans a store whose groups are these.
func scanAll(t testing.TB, f *File, store string, records ...Record) {
	t.Helper()
	scan, err := f.Scan(store)
	if err != nil || scan == nil {
		t.Fatalf("no scan, error %v", err)
	}
	scan.Begin()
	if more, err := scan.End(records, true); err != nil || more {
		t.Fatalf("more %v, error %v", more, err)
	}
}

// get returns the body of a group, or "" if it is not kept.
func get(f *File, store string, id int64) string {
	var r Reader
	if !f.Get(&r, store, id) {
		return ""
	}
	return string(r.Body)
}

// page returns a page, or "" if it is not kept.
func page(f *File, store string, offset int64, size int) string {
	var r Reader
	if !f.Page(&r, store, offset, size) {
		return ""
	}
	return string(r.Body)
}
