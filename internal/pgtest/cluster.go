//go:build linux || darwin || freebsd

package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// superuser owns the clusters that are made here.
const superuser = "postgres"

// cluster is a data folder and the server on it, when one runs.
type cluster struct {
	data     string
	name     string   // cluster_name, which all its processes show
	settings []string // name=value

	server *exec.Cmd
	output *log
	ended  chan struct{} // closed when server has ended
}

// initdb makes a cluster in an empty folder. Those who come through a socket
// have passed the folder's permissions; those who come over TCP need password.
func initdb(data, password string) error {
	if err := makePrivate(data); err != nil {
		return err
	}
	secret := filepath.Join(data, "..", filepath.Base(data)+".password")
	if err := writeFor(secret, password); err != nil {
		return err
	}
	defer func() { _ = os.Remove(secret) }()
	return program("initdb", "-D", data, "-U", superuser, "--pwfile", secret, "--auth-local=trust",
		"--auth-host=scram-sha-256", "--no-locale", "-E", "UTF8", "--no-sync", "--no-instructions")
}

// writeFor writes a file that only the servers' user can read.
func writeFor(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	who, err := account()
	if err != nil || who == nil {
		return err
	}
	return os.Chown(path, int(who.Uid), int(who.Gid))
}

// program runs one of PostgreSQL's programs to its end.
func program(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd, err := command(ctx, name, args...)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

func command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	folder, err := programs()
	if err != nil {
		return nil, err
	}
	who, err := account()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(folder, name), args...)
	cmd.Dir = "/" // the tests' folder may be closed to the servers' user
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	asChild(cmd.SysProcAttr)
	return cmd, nil
}

// environment is what PostgreSQL's programs see. It has none of the variables
// that would redirect them, and messages are English.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "PG") || strings.HasPrefix(pair, "LC_") || strings.HasPrefix(pair, "LANG")
	})
	return append(env, "LC_ALL=C")
}

// start starts the server and waits until it takes connections.
func (c *cluster) start() error {
	if err := c.spawn(); err != nil {
		return err
	}
	select {
	case <-c.output.ready:
		return nil
	case <-c.ended:
		return fmt.Errorf("the server did not start:\n%s", c.output.tail())
	case <-time.After(2 * patience):
		c.kill()
		return fmt.Errorf("the server was not ready in time:\n%s", c.output.tail())
	}
}

func (c *cluster) spawn() error {
	args := []string{"-D", c.data, "-c", "cluster_name=" + c.name}
	for _, s := range c.settings {
		args = append(args, "-c", s)
	}
	cmd, err := command(context.Background(), "postgres", args...)
	if err != nil {
		return err
	}
	c.output = newLog()
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.WaitDelay = time.Second // a child that is stuck must not hold up who waits
	if err := cmd.Start(); err != nil {
		return err
	}
	c.server, c.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait() // how it ended is in its log
		close(ended)
	}(c.ended)
	return nil
}

func (c *cluster) running() bool {
	if c.server == nil {
		return false
	}
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// shutdown asks the server to end, SIGINT fast and SIGQUIT at once, and waits.
func (c *cluster) shutdown(how syscall.Signal) error {
	if !c.running() {
		return nil
	}
	if err := c.server.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-c.ended:
		return nil
	case <-time.After(patience):
		c.kill()
		return fmt.Errorf("the server did not end in time:\n%s", c.output.tail())
	}
}

// kill kills all processes of the server, which leaves them no time for
// anything, and waits until they have gone.
func (c *cluster) kill() {
	if c.running() {
		_ = c.server.Process.Kill() // first, so that it starts no others
	}
	killAll(c.name)
	if c.server != nil {
		<-c.ended
	}
}

// killAll kills all processes that show a name, and waits until there are none.
func killAll(name string) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		ids := processes(name)
		if len(ids) == 0 {
			return
		}
		for _, id := range ids {
			_ = syscall.Kill(id, syscall.SIGKILL) // it may have gone meanwhile
		}
		time.Sleep(5 * time.Millisecond) // nothing tells of the end of what is not our child
	}
}

// remove ends what is left of the server and removes the data.
func (c *cluster) remove() error {
	var err error
	if c.running() {
		c.signal(syscall.SIGCONT)
		err = c.shutdown(syscall.SIGQUIT)
	}
	killAll(c.name)
	freeMemory(c.data)
	return errors.Join(err, os.RemoveAll(c.data))
}

func (c *cluster) signal(s syscall.Signal) {
	for _, id := range processes(c.name) {
		_ = syscall.Kill(id, s) // it may have gone meanwhile
	}
}

// freeMemory frees the piece of System V shared memory by which a server keeps
// others off its data. One that was killed leaves it behind, and systems have
// few of them. The seventh line of the server's file has its key and its id.
func freeMemory(data string) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return // the server has ended by itself, and freed it
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 7 {
		return
	}
	if fields := strings.Fields(lines[6]); len(fields) == 2 {
		_ = exec.CommandContext(context.Background(), "ipcrm", "-m", fields[1]).Run() // no harm if there is no ipcrm
	}
}

// newPassword is for a server that listens on an address everybody here can
// reach.
func newPassword() string { return strings.ToLower(rand.Text()) }
