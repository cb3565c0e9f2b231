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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A run is all test binaries that one `go test` starts. They share a folder
// with a server in it, because starting a server takes longer than most tests.
//
// Each binary holds a shared lock on the file "users" of the folder; the kernel
// releases it when the binary ends. The first binary starts a keeper, which is
// the same program again. The keeper runs the server, waits for an exclusive
// lock on the file, and so ends after the last binary.
type run struct {
	folder string
	users  *os.File // locked (shared) as long as this process lives
}

// runVariable sets the folder of the run, for tests of this package.
const runVariable = "COHORT_PGTEST_RUN"

// thisRun joins the run of this process and makes sure that its server is running.
// thisCitusRun does so for the run with the servers of Citus, which is another one.
var (
	thisRun      = sync.OnceValues(func() (*run, error) { return joinThis("") })
	thisCitusRun = sync.OnceValues(func() (*run, error) { return joinThis(citusSuffix) })
)

func joinThis(suffix string) (*run, error) {
	folder := os.Getenv(runVariable)
	if folder == "" {
		// The binaries of one `go test` have the same parent.
		folder = filepath.Join(temporary(), fmt.Sprintf("cohort-pgtest-%d-%d", os.Geteuid(), os.Getppid()))
	}
	folder += suffix
	for deadline := time.Now().Add(patience); ; {
		r, err := join(folder)
		if err != nil {
			return nil, err
		}
		err = r.ensureServer()
		if err == nil || isAt(r.users, r.path("users")) || time.Now().After(deadline) {
			return r, err
		}
		_ = r.users.Close() // another process renamed the folder in spite of the lock
	}
}

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
		// A keeper has renamed the folder in between: make a new one.
		if err == nil {
			_ = users.Close()
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) || time.Now().After(deadline) {
			return nil, fmt.Errorf("join the test run in %s: %w", folder, err)
		}
	}
}

// makeRunFolder makes the folder if it is missing. It fails if the folder
// belongs to another user. The user of the servers must be able to pass through
// it to the servers' own folders.
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
		return nil // renamed just now: opening a file in it will fail
	}
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user", folder)
	}
	return nil
}

// lockFile opens a file and locks it. It waits for the lock unless how contains
// LOCK_NB.
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

// isAt reports whether path still names the open file f.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(open, there)
}

func (r *run) path(name string) string { return filepath.Join(r.folder, name) }

// mark is a word in the cluster_name of all servers of this run and of no
// others.
func (r *run) mark() string {
	sum := sha256.Sum256([]byte(r.folder))
	return fmt.Sprintf("cohort_%x_", sum[:6])
}

// url is the URL of the shared server, on Citus of the coordinator.
func (r *run) url() string { return r.nodeURL(0) }

// nodeURL is the URL of a shared server. It listens on a socket in a folder that only
// its user and root can read.
func (r *run) nodeURL(node int) string {
	q := url.Values{"host": {r.path("socket")}, "port": {strconv.Itoa(firstPort + node)}, "sslmode": {"disable"}}
	return "postgres://" + superuser + "@/postgres?" + q.Encode()
}

// isCitus reports whether the shared servers of the run are a coordinator and workers of
// Citus.
func (r *run) isCitus() bool { return strings.HasSuffix(r.folder, citusSuffix) }

// programs returns the folder with the programs of the servers of the run.
func (r *run) programs() (string, error) {
	if r.isCitus() {
		return citusPrograms()
	}
	return programs()
}

// ensureServer starts the keeper of the run unless the server answers.
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

// startKeeper starts the keeper and waits until it reports that the server
// runs.
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
	// Ctrl-C must not reach the keeper, which ends after the tests.
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
