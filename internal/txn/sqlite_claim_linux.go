package txn

import (
	"os"
	"sync"
	"syscall"
)

// Each server holds a shared lock on one byte of its database file. The byte lies
// beyond everything that SQLite locks or writes. The lock belongs to an open file
// description (F_OFD_…), so it does not interfere with SQLite's locks, which belong
// to the process. The kernel releases it when the process ends.
const (
	ofdGetLock  = 36 // F_OFD_GETLK
	ofdSetLock  = 37 // F_OFD_SETLK
	claimedByte = 1 << 62
)

// claimed holds the files that this process has opened to lock them. They stay open:
// closing one would drop SQLite's locks on the same database. A server opens one
// file per run.
var claimed struct {
	mu    sync.Mutex
	files []*os.File
}

// claim takes the shared lock and reports whether other servers hold it too, or none does.
func (f openFile) claim() (others, alone bool, release func(), err error) {
	file, err := f.open()
	if err != nil {
		return false, false, nil, err
	}
	fd := file.Fd()
	// Lock before looking: two servers that start together then see each other.
	if err := syscall.FcntlFlock(fd, ofdSetLock, claimLock(syscall.F_RDLCK)); err != nil {
		return false, false, nil, err
	}
	release = func() { _ = syscall.FcntlFlock(fd, ofdSetLock, claimLock(syscall.F_UNLCK)) }
	found := claimLock(syscall.F_WRLCK)
	if err := syscall.FcntlFlock(fd, ofdGetLock, found); err != nil {
		release()
		return false, false, nil, err
	}
	others = found.Type != syscall.F_UNLCK
	return others, !others, release, nil
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
