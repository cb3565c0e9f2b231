package txn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// errTakenAway means that the path of the database no longer leads to the file
// that is open.
var errTakenAway = errors.New("the database was taken away")

// openFile is a file that SQLite has open, with its identity when it was opened.
type openFile struct {
	path string
	info fs.FileInfo
}

// check compares the file at the path with the open one. It does not open the
// file, because closing it again would drop this process's locks on it.
func (f openFile) check() error {
	info, err := os.Stat(f.path)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errTakenAway, err)
	case !os.SameFile(info, f.info):
		return fmt.Errorf("%w: %s is another file now", errTakenAway, f.path)
	}
	return nil
}

// fileWatch checks whether the path of a database still leads to the open file. A
// commit to a deleted or moved file would be acknowledged and then lost.
//
// After the file is moved back the database works again.
type fileWatch struct {
	database openFile
	beside   []openFile // the write-ahead log, then its shared-memory index
	away     atomic.Bool

	mu     sync.Mutex
	err    error // of the last check
	notify func(error)
}

// watchFiles starts to watch a database. The caller has looked at the file before
// it opened the first connection, which has read from the file since.
func watchFiles(before openFile) (*fileWatch, error) {
	if err := before.check(); err != nil {
		return nil, err
	}
	w := &fileWatch{database: before}
	target, err := filepath.EvalSymlinks(before.path) // SQLite names its other files after the target
	if err != nil {
		return nil, err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		info, err := os.Stat(target + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue // this file system does not support it
		}
		if err != nil {
			return nil, err
		}
		w.beside = append(w.beside, openFile{target + suffix, info})
	}
	return w, nil
}

func lookAt(path string) (openFile, error) {
	info, err := os.Stat(path)
	return openFile{path, info}, err
}

func (w *fileWatch) all() []openFile { return append([]openFile{w.database}, w.beside...) }

// check compares all files with the open ones.
func (w *fileWatch) check() error {
	for _, f := range w.all() {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

// checkWritten compares the files that a commit writes to.
func (w *fileWatch) checkWritten() error {
	if err := w.database.check(); err != nil || len(w.beside) == 0 {
		return err
	}
	return w.beside[0].check()
}

// record stores the result of a check and reports whether the state has changed.
func (w *fileWatch) record(err error) (changed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed = (err != nil) != (w.err != nil)
	w.err = err
	w.away.Store(err != nil)
	if changed && w.notify != nil {
		w.notify(err)
	}
	return changed
}

// unavailable returns the reason why the files cannot be used, or nil.
func (w *fileWatch) unavailable() error {
	if !w.away.Load() {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// WatchFile calls fn with an error when the files of the database are moved,
// deleted or replaced, and with nil when they are back. In between every
// transaction fails with KindUnavailable. If the files are missing already, it
// calls fn immediately. It does nothing on PostgreSQL. fn must be quick.
func (db *DB) WatchFile(fn func(error)) {
	s, ok := db.backend.(*sqliteDB)
	if !ok {
		return
	}
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	s.files.notify = fn
	if s.files.err != nil {
		fn(s.files.err)
	}
}

// checkFiles runs a check of the files. If their state has changed, it invalidates
// every cache.
func (w *writer) checkFiles(check func() error) error {
	err := check()
	if w.files.record(err) {
		w.changed([]Change{{Kind: AnythingChanged}})
	}
	return err
}

// checkMissing returns an error while the files are missing.
func (w *writer) checkMissing() error {
	if !w.files.away.Load() {
		return nil
	}
	return w.checkFiles(w.files.check)
}

// confirm is called after a commit. If the files are missing now, the outcome is
// unknown: the change is in a file that may or may not come back.
func (w *writer) confirm() error {
	err := w.checkFiles(w.files.checkWritten)
	if err == nil {
		return nil
	}
	return w.engine.classify(errors.Join(errUnknown, err))
}

// Folder returns the folder of the database file, or "" if the database is a server.
func (db *DB) Folder() string {
	s, ok := db.backend.(*sqliteDB)
	if !ok {
		return ""
	}
	return filepath.Dir(s.files.all()[len(s.files.all())-1].path) // SQLite's other files are beside the target of a link
}
