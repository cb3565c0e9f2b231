//go:build linux || darwin || freebsd

package pgtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A run is all test binaries that one `go test` starts. They share a folder with
// a cluster in it, because to start one takes longer than most of their tests.
//
// Each binary keeps a shared lock on the folder's file "users" as long as it
// lives, and the kernel gives it back when the binary dies, of whatever. The
// first of them starts a keeper, which is the same program again: it runs the
// server, waits for the exclusive lock, and so ends when the last user has gone.
type run struct {
	folder string
	users  *os.File // locked shared as long as this process lives
}

// runVariable overrides where the run's folder is, for tests of this package.
const runVariable = "COHORT_PGTEST_RUN"

// thisRun joins the run that this process belongs to, and makes sure that its
// server is there.
var thisRun = sync.OnceValues(func() (*run, error) {
	folder := os.Getenv(runVariable)
	if folder == "" {
		// Binaries of one `go test` have it as their parent.
		folder = filepath.Join(temporary(), fmt.Sprintf("cohort-pgtest-%d-%d", os.Geteuid(), os.Getppid()))
	}
	for deadline := time.Now().Add(patience); ; {
		r, err := join(folder)
		if err != nil {
			return nil, err
		}
		err = r.ensureServer()
		if err == nil || isAt(r.users, r.path("users")) || time.Now().After(deadline) {
			return r, err
		}
		_ = r.users.Close() // somebody has moved the folder away in spite of the lock
	}
})

// join takes part in the run of a folder.
func join(folder string) (*run, error) {
	for deadline := time.Now().Add(patience); ; {
		if err := makeRunFolder(folder); err != nil {
			return nil, err
		}
		users, err := lockFile(filepath.Join(folder, "users"), syscall.LOCK_SH)
		if err == nil && isAt(users, filepath.Join(folder, "users")) {
			return &run{folder: folder, users: users}, nil
		}
		// A keeper has moved the folder away between these lines: make a new one.
		if err == nil {
			_ = users.Close()
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) || time.Now().After(deadline) {
			return nil, fmt.Errorf("join the test run in %s: %w", folder, err)
		}
	}
}

// makeRunFolder makes the folder if it is missing, and refuses one that somebody
// else has put there. The servers' user has to get through it, to folders of its
// own.
func makeRunFolder(folder string) error {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	err := os.Mkdir(folder, mode)
	if err == nil {
		return os.Chmod(folder, mode) // whatever the umask
	}
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil // moved away this moment; who opens a file in it will see
	}
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to somebody else", folder)
	}
	return nil
}

// lockFile opens a file and locks it, waiting unless how has LOCK_NB.
func lockFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f, how); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// isAt reports whether f is still the file of that path.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(open, there)
}

func (r *run) path(name string) string { return filepath.Join(r.folder, name) }

// mark is a word that all servers of the run, and no others, have in their
// cluster_name.
func (r *run) mark() string {
	sum := sha256.Sum256([]byte(r.folder))
	return fmt.Sprintf("cohort_%x_", sum[:6])
}

// url is where the shared server listens: on a socket in a folder that only its
// user, and root, can look into.
func (r *run) url() string {
	q := url.Values{"host": {r.path("socket")}, "sslmode": {"disable"}}
	return "postgres://" + superuser + "@/postgres?" + q.Encode()
}

// ensureServer starts the run's keeper unless the server answers.
func (r *run) ensureServer() error {
	start, err := lockFile(r.path("start"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer start.Close()
	if _, err := os.Stat(r.path("ready")); err == nil && execute(r.url(), "SELECT 1") == nil {
		return nil
	}
	sweep(filepath.Dir(r.folder))
	return startKeeper(r.folder)
}

// startKeeper starts the keeper and waits until it says that the server runs.
func startKeeper(folder string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	hear, say, err := os.Pipe()
	if err != nil {
		return err
	}
	defer hear.Close()
	cmd := exec.CommandContext(context.Background(), self)
	cmd.Env = append(os.Environ(), keeperVariable+"="+folder)
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{say}
	// Ctrl-C is for the tests. The keeper goes when they have gone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	_ = say.Close()
	if err != nil {
		return err
	}
	if err := hear.SetReadDeadline(time.Now().Add(3 * patience)); err != nil {
		return err
	}
	said, err := io.ReadAll(hear)
	if err != nil {
		return fmt.Errorf("wait for the server: %w", err)
	}
	if string(said) != saidReady {
		return fmt.Errorf("%s", said)
	}
	return cmd.Process.Release()
}
