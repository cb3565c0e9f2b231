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
	// keeperVariable makes a program that imports this package the keeper of
	// the run whose folder it names; the program does nothing else.
	keeperVariable = "COHORT_PGTEST_KEEPER"

	saidReady = "ready"

	// linger is how long a server waits for the next test binary of its run.
	linger = 3 * time.Second
)

// A keeper is the test binary, started once more. It starts here, before the
// tests do. An init function runs on the main thread, which lives as long as
// the process: on Linux a server is shut down when the thread that started it
// ends.
func init() {
	folder := os.Getenv(keeperVariable)
	if folder == "" {
		return
	}
	_ = os.Unsetenv(keeperVariable) // its children are no keepers
	syscall.CloseOnExec(3)          // only the keeper may hold it open: the starter waits until it is closed
	keep(folder, os.NewFile(3, "starter"))
	os.Exit(0)
}

// keep runs the servers of a run until no test binary uses them. It reports to the
// starter that they accept connections, or why they do not.
func keep(folder string, starter *os.File) {
	enough := make(chan os.Signal, 1)
	signal.Notify(enough, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)

	r := &run{folder: folder}
	clusters, lock, err := r.startServers()
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
		_ = r.waitUnused() // on an error the servers end at once
		close(unused)
	}()
	ended := make(chan struct{}, len(clusters))
	for _, c := range clusters {
		go func() {
			<-c.ended
			ended <- struct{}{}
		}()
	}
	select {
	case <-unused:
		r.end()
	case <-enough: // for example when the machine shuts down
		r.end()
	case <-ended: // another process ended one; the next test binary starts new ones
		_ = os.Remove(r.path("ready"))
	}
}

// startServers makes the shared clusters and starts them. The keeper holds the
// returned lock as long as it lives.
func (r *run) startServers() ([]*cluster, *os.File, error) {
	lock, err := lockFile(r.path("keeper"), syscall.LOCK_EX)
	if err != nil {
		return nil, nil, err
	}
	_ = os.Remove(r.path("ready"))
	clusters, err := r.sharedClusters()
	if err != nil {
		return nil, nil, err
	}
	for _, c := range clusters {
		if err := c.remove(); err != nil { // left by a keeper that was killed
			return nil, nil, err
		}
	}
	if err := makePrivate(r.path("socket")); err != nil {
		return nil, nil, err
	}
	for _, c := range clusters {
		if err := initdb(c.programs, c.data, newPassword()); err != nil {
			return nil, nil, err
		}
		if err := c.start(); err != nil {
			return nil, nil, err
		}
	}
	return clusters, lock, os.WriteFile(r.path("ready"), nil, 0o600)
}

// sharedClusters are the server that tests share, or on Citus the coordinator and the
// workers.
func (r *run) sharedClusters() ([]*cluster, error) {
	programs, err := r.programs()
	if err != nil {
		return nil, err
	}
	if !r.isCitus() {
		return []*cluster{r.sharedCluster(programs, "", firstPort, "wal_level=minimal", "max_wal_senders=0")}, nil
	}
	var nodes []*cluster
	for i := range citusNodes {
		nodes = append(nodes, r.sharedCluster(programs, fmt.Sprint(i), firstPort+i, citusSettings...))
	}
	return nodes, nil
}

// firstPort is in the name of the socket of the first shared server. The servers do not
// listen on TCP.
const firstPort = 5432

// sharedCluster is configured for many short tests: data need not survive a
// crash, and the tests open many connections.
func (r *run) sharedCluster(programs, suffix string, port int, more ...string) *cluster {
	return &cluster{programs: programs, data: r.path("data" + suffix), name: r.mark() + "shared" + suffix, settings: append([]string{
		"listen_addresses=",
		fmt.Sprint("port=", port),
		"unix_socket_directories=" + r.path("socket"),
		"max_connections=300",
		"fsync=off",
		"full_page_writes=off",
		"max_wal_size=256MB",
		"autovacuum=off",
		"jit=off",
	}, more...)}
}

// waitUnused waits until no test binary uses the run. It returns with the lock
// that prevents another one from joining.
func (r *run) waitUnused() error {
	users, err := os.OpenFile(r.path("users"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	for {
		if err := flock(users, syscall.LOCK_EX); err != nil {
			return err
		}
		// One binary of `go test ./...` has ended; the next may be about to
		// start.
		if err := flock(users, syscall.LOCK_UN); err != nil {
			return err
		}
		time.Sleep(linger)
		if flock(users, syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return nil
		}
	}
}

// end ends all servers of the run and removes its folder. It renames the folder
// first, so that no test binary joins a run that is half removed.
func (r *run) end() {
	r.stopServers()
	gone := fmt.Sprintf("%s.ended-%d", r.folder, os.Getpid())
	if err := os.Rename(r.folder, gone); err != nil {
		return
	}
	_ = os.RemoveAll(gone) // a later run sweeps the rest
}

// stopServers ends the shared server, and the servers of test binaries that
// were killed.
func (r *run) stopServers() {
	for _, id := range processes(r.mark()) {
		_ = syscall.Kill(id, syscall.SIGCONT) // it may be paused, or have ended
		_ = syscall.Kill(id, syscall.SIGQUIT)
	}
	for deadline := time.Now().Add(linger); len(processes(r.mark())) > 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond) // poll: only the parent of a process can wait for its end
	}
	killAll(r.mark())
	for _, pattern := range []string{"data*", "servers/*"} {
		found, _ := filepath.Glob(r.path(pattern)) // it fails for bad patterns only
		for _, data := range found {
			freeMemory(data)
		}
	}
}

// sweep removes the runs whose test binaries and keepers were all killed.
func sweep(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, fmt.Sprintf("cohort-pgtest-%d-*", os.Geteuid())))
	for _, folder := range found {
		if r := abandoned(folder); r != nil {
			r.end()
			_ = r.users.Close()
		}
	}
}

// abandoned returns the run of a folder, locked, if no test binary and no
// keeper uses it.
func abandoned(folder string) *run {
	users, err := lockFile(filepath.Join(folder, "users"), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil
	}
	if !isAt(users, filepath.Join(folder, "users")) {
		_ = users.Close() // its keeper has renamed the folder; another may have its name now
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
