//go:build unix

package daemon

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// acquire takes a lock on a file. The lock is held until all processes that have the file
// open end or close it. It returns ErrLocked if another process holds it.
func acquire(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(file, syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// held reports whether a process holds the lock on a file.
func held(name string) (bool, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer release(file)
	err = lock(file, syscall.LOCK_SH)
	if errors.Is(err, ErrLocked) {
		return true, nil
	}
	return false, err
}

// lock takes a lock of a kind, or returns ErrLocked.
func lock(file *os.File, kind int) error {
	err := syscall.Flock(int(file.Fd()), kind|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// release gives the lock on a file back and closes it. Closing alone is not enough: a process
// that is being started at this moment has a copy of the file until it runs its program.
func release(file *os.File) {
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) // fails only for a file that is not open
	_ = file.Close()                                   // nothing was written
}

// detach gives a process its own session, so that the end of the terminal does not end it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// Stop asks the server to end, and does not wait.
func (s Server) Stop() error { return syscall.Kill(s.PID, syscall.SIGTERM) }
