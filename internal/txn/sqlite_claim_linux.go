package txn

import (
	"os"
	"sync"
	"syscall"
)

// The lock that a server has on its database for as long as it lives. It is on a
// byte behind all that SQLite locks or writes, and belongs to an open file and not
// to the process (F_OFD_…), so neither knows of the other. The system takes it
// back when the process ends, however it ends.
const (
	ofdGetLock  = 36 // F_OFD_GETLK
	ofdSetLock  = 37 // F_OFD_SETLK
	claimedByte = 1 << 62
)

// claimed are the files that this process has opened for that. None is ever
// closed, which would drop the locks that SQLite has on the same database. A
// server opens one in its life.
var claimed struct {
	mu    sync.Mutex
	files []*os.File
}

// claim takes the lock, which any number of servers can have together, and reports
// whether others have it.
func (f openFile) claim() (others bool, release func(), err error) {
	file, err := f.open()
	if err != nil {
		return false, nil, err
	}
	fd := file.Fd()
	// First taken, then looked: of two that start at once, both see each other.
	if err := syscall.FcntlFlock(fd, ofdSetLock, claimLock(syscall.F_RDLCK)); err != nil {
		return false, nil, err
	}
	release = func() { _ = syscall.FcntlFlock(fd, ofdSetLock, claimLock(syscall.F_UNLCK)) }
	found := claimLock(syscall.F_WRLCK)
	if err := syscall.FcntlFlock(fd, ofdGetLock, found); err != nil {
		release()
		return false, nil, err
	}
	return found.Type != syscall.F_UNLCK, release, nil
}

// open opens the database file to lock it.
func (f openFile) open() (*os.File, error) {
	file, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	claimed.mu.Lock()
	claimed.files = append(claimed.files, file)
	claimed.mu.Unlock()
	info, err := file.Stat()
	if err == nil && !os.SameFile(info, f.info) {
		err = errTakenAway
	}
	return file, err
}

func claimLock(kind int16) *syscall.Flock_t {
	return &syscall.Flock_t{Type: kind, Whence: 0, Start: claimedByte, Len: 1}
}
