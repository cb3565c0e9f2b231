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

// errTakenAway says that the path of a database leads to another file than the
// one that is open, or to none.
var errTakenAway = errors.New("the database was taken away")

// openFile is a file that SQLite has open, as the path led to it then.
type openFile struct {
	path string
	info fs.FileInfo
}

// check compares the file at the path with the open one. It does not open the
// file: to close it again would drop the locks that this process has on it.
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

// fileWatch knows whether a database is still where its path leads. A commit into
// a file that nobody can find any more would be acknowledged and lost.
//
// A file that is moved back is the same file, and the database goes on.
type fileWatch struct {
	database openFile
	beside   []openFile // the log, and then the index of the log
	away     atomic.Bool

	mu   sync.Mutex
	err  error // as tell was told last
	tell func(error)
}

// watchFiles returns the watch of a database whose first connection was opened
// after its file was looked at, and has read from it.
func watchFiles(before openFile) (*fileWatch, error) {
	if err := before.check(); err != nil {
		return nil, err
	}
	w := &fileWatch{database: before}
	target, err := filepath.EvalSymlinks(before.path) // as SQLite names what it puts beside it
	if err != nil {
		return nil, err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		info, err := os.Stat(target + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue // on a file system where SQLite cannot have it
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

// check looks at the files and changes nothing.
func (w *fileWatch) check() error {
	for _, f := range w.all() {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

// checkWritten looks only at what a commit writes to.
func (w *fileWatch) checkWritten() error {
	if err := w.database.check(); err != nil || len(w.beside) == 0 {
		return err
	}
	return w.beside[0].check()
}

// note keeps what a check has found, and reports whether that is news.
func (w *fileWatch) note(err error) (news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	news = (err != nil) != (w.err != nil)
	w.err = err
	w.away.Store(err != nil)
	if news && w.tell != nil {
		w.tell(err)
	}
	return news
}

// refusal returns why nothing is read, or nil.
func (w *fileWatch) refusal() error {
	if !w.away.Load() {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// WatchFile calls fn when the files of the database are taken away, or others put
// in their place, and with nil when they are back. Meanwhile everything fails with
// KindUnavailable. If they are away already it calls fn at once. It does nothing
// for a database that is not a file. fn must be quick.
func (db *DB) WatchFile(fn func(error)) {
	s, ok := db.backend.(*sqliteDB)
	if !ok {
		return
	}
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	s.files.tell = fn
	if s.files.err != nil {
		fn(s.files.err)
	}
}

// lookForFiles looks whether the files are in place. When that has changed, what
// anybody remembers of the database is forgotten.
func (w *writer) lookForFiles(check func() error) error {
	err := check()
	if w.files.note(err) {
		w.changed([]Change{{Kind: AnythingChanged}})
	}
	return err
}

// refuseAway returns an error while the files are away.
func (w *writer) refuseAway() error {
	if !w.files.away.Load() {
		return nil
	}
	return w.lookForFiles(w.files.check)
}

// confirm is called after a commit. If the files are gone by now, the change is in
// a file that may or may not come back.
func (w *writer) confirm() error {
	err := w.lookForFiles(w.files.checkWritten)
	if err == nil {
		return nil
	}
	return w.engine.classify(errors.Join(errUnknown, err))
}
