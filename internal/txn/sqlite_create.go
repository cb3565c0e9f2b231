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

// ownerOnly is the mode of a new database. SQLite creates its other files with the
// mode of the database.
const ownerOnly fs.FileMode = 0o600

// maxLinks is how many symbolic links are followed from a path to its file, as on
// Linux.
const maxLinks = 40

// creating serializes the creation of files. Closing a file drops every lock that
// the process has on it, SQLite's too, so no other goroutine may open the new file
// before it is closed.
var creating sync.Mutex

// createPrivate creates an empty file that only its owner can read and write, unless
// another process has just created it. SQLite accepts an empty file as an empty
// database; all users can read a file that SQLite creates.
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

// followLinks returns the file that a path leads to through symbolic links. The
// file need not exist. O_EXCL fails on a symbolic link, so the links are resolved
// first.
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

// hasModes reports whether file modes control access.
const hasModes = runtime.GOOS != "windows"

// OpenFile is a file of the database that users other than its owner can access.
type OpenFile struct {
	Path string
	Mode fs.FileMode
}

// OpenToOthers returns the files of the database whose mode lets users other than
// the owner read or write them. They hold password hashes. It returns none on
// PostgreSQL and on systems without file modes.
func (db *DB) OpenToOthers() (files []OpenFile) {
	s, ok := db.backend.(*sqliteDB)
	if !ok || !hasModes {
		return nil
	}
	for _, f := range s.files.all() {
		// WatchFile reports files that are missing.
		if info, err := os.Stat(f.path); err == nil && info.Mode()&0o077 != 0 {
			files = append(files, OpenFile{f.path, info.Mode().Perm()})
		}
	}
	return files
}
