package groupfile

import (
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

func record(id int64, body string) Record { return Record{ID: id, Body: []byte(body)} }

func want(t *testing.T, what, want, got string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %.60q, want %.60q", what, got, want)
	}
}

func TestGet(t *testing.T) {
	f := New(&memory{})
	long := strings.Repeat("x", 5_000)
	tagged := Record{ID: 3, Tag: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, Body: []byte("three")}
	put(t, f, "a", always, record(1, "one"), record(2, long), tagged, record(math.MaxInt64, "last"))
	put(t, f, "b", always, record(1, "of b"))
	put(t, f, "a", func(int) bool { return false }, record(4, "outdated"))
	put(t, f, "a", always, record(5, strings.Repeat("x", maxBody+1)), record(6, "six"))
	for _, tt := range []struct {
		store string
		id    int64
		want  string
	}{{"a", 1, "one"}, {"a", 2, long}, {"a", math.MaxInt64, "last"}, {"b", 1, "of b"}, {"a", 4, ""}, {"a", 5, ""}, {"a", 6, "six"}, {"b", 2, ""}, {"c", 1, ""}} {
		want(t, tt.store, tt.want, get(f, tt.store, tt.id))
	}
	var r Reader
	if !f.Get(&r, "a", 3) || r.Tag != tagged.Tag || string(r.Body) != "three" {
		t.Errorf("got %q with the tag %v", r.Body, r.Tag)
	}
}

// An edit drops what was kept of a group, and only that.
func TestApply(t *testing.T) {
	f := New(&memory{})
	put(t, f, "a", always, record(1, "one"), record(2, "two"), record(3, "three"))
	put(t, f, "b", always, record(1, "of b"))
	f.Apply([]Edit{{Updated, "a", 1}, {Deleted, "a", 2}, {Inserted, "a", 9}, {Updated, "unknown", 1}})
	want(t, "updated", "", get(f, "a", 1))
	want(t, "deleted", "", get(f, "a", 2))
	want(t, "another", "three", get(f, "a", 3))
	want(t, "of another store", "of b", get(f, "b", 1))
	f.Apply([]Edit{{StoreDropped, "b", 0}})
	want(t, "of a dropped store", "", get(f, "b", 1))
	f.Forget()
	want(t, "after Forget", "", get(f, "a", 3))
	put(t, f, "a", always, record(3, "new"))
	want(t, "after Forget and Put", "new", get(f, "a", 3))
	if err := f.Clear(); err != nil {
		t.Fatal(err)
	}
	want(t, "after Clear", "", get(f, "a", 3))
	put(t, f, "a", always, record(3, "newer"))
	want(t, "after Clear and Put", "newer", get(f, "a", 3))
}

func TestPage(t *testing.T) {
	f := New(&memory{})
	put(t, f, "a", always, record(1, "1"), record(2, "2"))
	want(t, "of a store that was not scanned", "", page(f, "a", 0, 2))
	scanAll(t, f, "a", record(1, "1"), record(2, "2"), record(40, "40"), record(1_000_000, "m"))
	for _, tt := range []struct {
		offset int64
		size   int
		want   string
	}{
		{0, 2, "[1,2]"}, {1, 2, "[2,40]"}, {2, 2, "[40,m]"}, {3, 2, "[m]"}, {0, 50, "[1,2,40,m]"},
		{4, 2, ""}, {math.MaxInt64, 1, ""}, // no page: the caller knows what to respond
	} {
		want(t, "page", tt.want, page(f, "a", tt.offset, tt.size))
	}
	f.Apply([]Edit{{Deleted, "a", 2}})
	want(t, "after a delete", "[1,40]", page(f, "a", 0, 2))
	f.Apply([]Edit{{Inserted, "a", 33}})
	want(t, "with a new group", "", page(f, "a", 0, 3))
	want(t, "before a new group", "[1]", page(f, "a", 0, 1))
	if missing := f.Missing("a", 9); !slices.Equal(missing, []int64{33}) || f.Missing("unknown", 9) != nil {
		t.Errorf("missing: %v", missing)
	}
	put(t, f, "a", always, record(33, "33"))
	want(t, "with a new group that is kept", "[1,33,40]", page(f, "a", 0, 3))
	if s, err := f.Scan("a"); s != nil || err != nil {
		t.Errorf("a second scan of a known store: %v, error %v", s, err)
	}
}

// While a store is being scanned, edits go to what was scanned and to what is being read.
func TestPageBesideScan(t *testing.T) {
	f := New(&memory{})
	scan, err := f.Scan("a")
	if err != nil {
		t.Fatal(err)
	}
	scan.Begin()
	f.Apply([]Edit{{Updated, "a", 1}, {Deleted, "a", 2}, {Inserted, "a", 3}, {Inserted, "a", 99}})
	if more, err := scan.End([]Record{record(1, "old 1"), record(2, "old 2"), record(4, "4")}, false); err != nil || !more {
		t.Fatal(more, err)
	}
	want(t, "one that was updated", "", get(f, "a", 1))
	want(t, "one that was deleted", "", get(f, "a", 2))
	want(t, "another", "4", get(f, "a", 4))
	put(t, f, "a", always, record(1, "1"), record(3, "3"), record(99, "99"))
	want(t, "page", "[1,3,4]", page(f, "a", 0, 3))
	want(t, "a page beyond what is known", "", page(f, "a", 0, 4))
	scan.Begin()
	f.Apply([]Edit{{Deleted, "a", 3}, {Inserted, "a", 100}})
	if more, err := scan.End([]Record{record(99, "99")}, true); err != nil || more {
		t.Fatal(more, err)
	}
	put(t, f, "a", always, record(100, "100"))
	want(t, "all", "[1,4,99,100]", page(f, "a", 0, 10))
}

// A scan of a store that was dropped meanwhile adds nothing.
func TestScanOfDroppedStore(t *testing.T) {
	for name, drop := range map[string]func(f *File){
		"dropped": func(f *File) { f.Apply([]Edit{{StoreDropped, "a", 0}}) },
		"all":     (*File).Forget,
	} {
		f := New(&memory{})
		scan, err := f.Scan("a")
		if err != nil {
			t.Fatal(err)
		}
		scan.Begin()
		drop(f)
		if more, err := scan.End([]Record{record(1, "old")}, false); more || err != nil {
			t.Errorf("%s: more %v, error %v", name, more, err)
		}
		want(t, name, "", get(f, "a", 1))
	}
}

func TestFull(t *testing.T) {
	f := New(&memory{})
	f.maxFile = 1_000
	full := func(what string) {
		t.Helper()
		for id := int64(1); ; id++ {
			err := f.Put("a", []Record{record(id*perChunk, strings.Repeat("x", 50))}, always)
			if err != nil {
				if !errors.Is(err, ErrFull) {
					t.Errorf("%s: %v", what, err)
				}
				return
			}
			if f.Size() > f.maxFile || f.chunks > f.maxIndex || id > 1_000 {
				t.Fatalf("%s: %d bytes and %d chunks after %d groups", what, f.Size(), f.chunks, id)
			}
			if roomy := f.end < f.maxFile/2 && f.chunks < f.maxIndex/2; roomy != f.Roomy() {
				t.Errorf("%s: Roomy returns %v", what, !roomy)
			}
		}
	}
	full("the file")
	if err := f.Clear(); err != nil || f.Size() != unit {
		t.Errorf("%d bytes after Clear, error %v", f.Size(), err)
	}
	f.maxFile, f.maxIndex = maxFile, 5
	full("the index")
	if err := f.Clear(); err != nil {
		t.Fatal(err)
	}
	put(t, f, "a", always, record(1, "again"))
	want(t, "after Clear", "again", get(f, "a", 1))
}

// The file has no name.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	f, err := Open(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	put(t, f, "a", always, record(1, "one"))
	want(t, "of a real file", "one", get(f, "a", 1))
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("files %v, error %v", files, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	want(t, "of a closed file", "", get(f, "a", 1))
	if _, err := Open(dir + "/missing"); err == nil {
		t.Error("opened a file in a folder that does not exist")
	}
}

// An error of the disk is returned to those who write. Readers get nothing.
func TestDiskErrors(t *testing.T) {
	disk := &memory{}
	f := New(disk)
	put(t, f, "a", always, record(1, "one"), record(2, "two"))
	disk.onRead = func([]byte, int64) error { return errDisk }
	want(t, "unreadable", "", get(f, "a", 1))
	disk.onRead = nil
	want(t, "after it was unreadable", "", get(f, "a", 1))
	want(t, "another", "two", get(f, "a", 2))
	disk.onWrite = func([]byte) ([]byte, error) { return nil, errDisk }
	if err := f.Put("a", []Record{record(1, "one")}, always); !errors.Is(err, errDisk) {
		t.Errorf("Put returns %v", err)
	}
	scan, err := f.Scan("a")
	if err != nil {
		t.Fatal(err)
	}
	scan.Begin()
	if more, err := scan.End([]Record{record(1, "one")}, true); more || !errors.Is(err, errDisk) {
		t.Errorf("End returns %v, error %v", more, err)
	}
	want(t, "not written", "", get(f, "a", 1))
}
