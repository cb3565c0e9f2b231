package txn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// ownerOnly is the mode of a new database. SQLite gives the mode of the database
// to the files that it makes beside it.
const ownerOnly fs.FileMode = 0o600

// maxLinks is how many symbolic links may lead from a path to the file that it
// names, as on Linux.
const maxLinks = 40

// creating keeps two goroutines from making one file at once. To close a file
// drops every lock that the process has on it, those of SQLite too, so nobody
// may have opened the new file before it is closed.
var creating sync.Mutex

// createPrivate makes an empty file that its owner alone can read and write,
// unless another process makes it at the same moment. SQLite takes an empty file
// for an empty database; left to itself it would let everybody read a new one.
func createPrivate(path string) error {
	target, err := followLinks(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_RDWR|os.O_CREATE|os.O_EXCL, ownerOnly)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return errCannotOpen
	case err != nil:
		return err
	}
	return f.Close()
}

// followLinks returns the file that a path leads to by symbolic links, whether
// there is one or not. O_EXCL alone would take a link for the file itself.
func followLinks(path string) (string, error) {
	for range maxLinks {
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link: this is the file
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return "", fmt.Errorf("more than %d symbolic links lead to it", maxLinks)
}

// hasModes reports whether the mode of a file says who may read it.
const hasModes = runtime.GOOS != "windows"

// OpenFile is a file of the database that others than its owner can read or write.
type OpenFile struct {
	Path string
	Mode fs.FileMode
}

// OpenToOthers returns the files of the database that others than their owner can
// read or write, by their modes. They hold hashes of passwords. It returns none
// for a database that is not a file, and on systems without modes.
func (db *DB) OpenToOthers() (files []OpenFile) {
	s, ok := db.backend.(*sqliteDB)
	if !ok || !hasModes {
		return nil
	}
	for _, f := range s.files.all() {
		// What cannot be looked at is for others to report.
		if info, err := os.Stat(f.path); err == nil && info.Mode()&0o077 != 0 {
			files = append(files, OpenFile{f.path, info.Mode().Perm()})
		}
	}
	return files
}
