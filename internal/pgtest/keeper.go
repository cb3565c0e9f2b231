//go:build linux || darwin || freebsd

package pgtest

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// keeperVariable makes a program that imports this package the keeper of the
	// run whose folder it names, and nothing else.
	keeperVariable = "COHORT_PGTEST_KEEPER"

	saidReady = "ready"

	// linger is how long a server waits for the next test binary of its run.
	linger = 3 * time.Second
)

// A keeper is the program of a test binary started once more. It has to be
// caught here, before the tests begin. The main thread, on which this runs,
// lives as long as the process, as the parent of a server must on Linux.
func init() {
	folder := os.Getenv(keeperVariable)
	if folder == "" {
		return
	}
	_ = os.Unsetenv(keeperVariable) // nothing it starts is a keeper
	syscall.CloseOnExec(3)          // the starter waits until the keeper alone closes it
	keep(folder, os.NewFile(3, "starter"))
	os.Exit(0)
}

// keep runs the server of a run until nobody uses it, and tells the starter when
// it is there, or why it is not.
func keep(folder string, starter *os.File) {
	enough := make(chan os.Signal, 1)
	signal.Notify(enough, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)

	r := &run{folder: folder}
	c, lock, err := r.startServer()
	if err != nil {
		fmt.Fprint(starter, err)
		_ = starter.Close()
		return
	}
	defer lock.Close()
	fmt.Fprint(starter, saidReady)
	_ = starter.Close()

	unused := make(chan struct{})
	go func() {
		_ = r.waitUnused() // if that cannot be told, it ends now: better than never
		close(unused)
	}()
	select {
	case <-unused:
		r.end()
	case <-enough: // the machine goes down, say
		r.end()
	case <-c.ended: // somebody ended it; whoever comes next starts another
		_ = os.Remove(r.path("ready"))
	}
}

// startServer makes the shared cluster and starts it. The lock that it returns
// says that the run has a keeper.
func (r *run) startServer() (*cluster, *os.File, error) {
	lock, err := lockFile(r.path("keeper"), syscall.LOCK_EX)
	if err != nil {
		return nil, nil, err
	}
	_ = os.Remove(r.path("ready"))
	c := r.sharedCluster()
	if err := c.remove(); err != nil { // of a keeper that was killed
		return nil, nil, err
	}
	if err := makePrivate(r.path("socket")); err != nil {
		return nil, nil, err
	}
	if err := initdb(c.data, newPassword()); err != nil {
		return nil, nil, err
	}
	if err := c.start(); err != nil {
		return nil, nil, err
	}
	return c, lock, os.WriteFile(r.path("ready"), nil, 0o600)
}

// sharedCluster is set for many short tests: nothing of it has to survive, and
// all of them together have many connections.
func (r *run) sharedCluster() *cluster {
	return &cluster{data: r.path("data"), name: r.mark() + "shared", settings: []string{
		"listen_addresses=",
		"unix_socket_directories=" + r.path("socket"),
		"max_connections=300",
		"fsync=off",
		"full_page_writes=off",
		"wal_level=minimal",
		"max_wal_senders=0",
		"max_wal_size=256MB",
		"autovacuum=off",
		"jit=off",
	}}
}

// waitUnused waits until no test binary uses the run, and returns with the lock
// that keeps others from joining it.
func (r *run) waitUnused() error {
	users, err := os.OpenFile(r.path("users"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	for {
		if err := flock(users, syscall.LOCK_EX); err != nil {
			return err
		}
		// One binary of `go test ./...` has ended; the next may be on its way.
		if err := flock(users, syscall.LOCK_UN); err != nil {
			return err
		}
		time.Sleep(linger)
		if flock(users, syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return nil
		}
	}
}

// end ends all servers of the run and removes its folder. It moves the folder
// away first, so that nobody joins a run that is half gone.
func (r *run) end() {
	r.stopServers()
	gone := fmt.Sprintf("%s.ended-%d", r.folder, os.Getpid())
	if err := os.Rename(r.folder, gone); err != nil {
		return
	}
	_ = os.RemoveAll(gone) // what cannot be removed now, a later run sweeps
}

// stopServers ends the shared server, and those that a test binary which was
// killed has left behind.
func (r *run) stopServers() {
	for _, id := range processes(r.mark()) {
		_ = syscall.Kill(id, syscall.SIGCONT) // it may be paused, or gone meanwhile
		_ = syscall.Kill(id, syscall.SIGQUIT)
	}
	for deadline := time.Now().Add(linger); len(processes(r.mark())) > 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond) // nothing tells of the end of what is not our child
	}
	killAll(r.mark())
	for _, pattern := range []string{"data", "servers/*"} {
		found, _ := filepath.Glob(r.path(pattern)) // it fails for bad patterns only
		for _, data := range found {
			freeMemory(data)
		}
	}
}

// sweep removes the runs whose users and keepers have all been killed.
func sweep(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, fmt.Sprintf("cohort-pgtest-%d-*", os.Geteuid())))
	for _, folder := range found {
		if r := abandoned(folder); r != nil {
			r.end()
			_ = r.users.Close()
		}
	}
}

// abandoned returns the run of a folder, locked against others, if nobody uses
// or keeps it.
func abandoned(folder string) *run {
	users, err := lockFile(filepath.Join(folder, "users"), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil
	}
	if !isAt(users, filepath.Join(folder, "users")) {
		_ = users.Close() // its keeper has moved it away, and there may be another in its place
		return nil
	}
	keeper, err := lockFile(filepath.Join(folder, "keeper"), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		_ = users.Close()
		return nil
	}
	_ = keeper.Close()
	return &run{folder: folder, users: users}
}
