package daemon

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
)

// Process is a server that was started.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // valid once ended is closed
}

// Start runs a command in the background, in a session of its own, with its output in the
// log. It returns ErrLocked if there is a server already. The database of the folder is
// deleted first, and so is what an earlier server has left.
func (f Folder) Start(cmd *exec.Cmd, o Options) (*Process, error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, err
	}
	lock, err := acquire(f.lock())
	if err != nil {
		return nil, err
	}
	p, err := f.startLocked(cmd, o, lock)
	if err != nil {
		release(lock)
		return nil, err
	}
	_ = lock.Close() // the server has it too, and nothing was written
	return p, nil
}

func (f Folder) startLocked(cmd *exec.Cmd, o Options, lock *os.File) (*Process, error) {
	if err := f.clean(); err != nil {
		return nil, err
	}
	if err := writeJSON(f.options(), o); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(f.Log(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the server has it too
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{lock}
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// clean removes what an earlier server has left.
func (f Folder) clean() error {
	var failed error
	for _, name := range []string{f.Ready(), f.Database(), f.Database() + "-wal", f.Database() + "-shm"} {
		if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err returns why the process has ended. It is called after that.
func (p *Process) Err() error { return p.err }

// Kill ends the process, and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}
