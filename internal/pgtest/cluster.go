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

// superuser owns the clusters.
const superuser = "postgres"

// cluster is a data folder and the server on it, if one is running.
type cluster struct {
	programs string // the folder of PostgreSQL's programs
	data     string
	name     string   // cluster_name, which is in the command line of all its processes
	settings []string // name=value

	server *exec.Cmd
	output *log
	ended  chan struct{} // closed when server has ended
}

// initdb makes a cluster in an empty folder. Connections through a socket need
// no password, since the permissions of the folder protect it; connections over
// TCP do.
func initdb(folder, data, password string) error {
	if err := makePrivate(data); err != nil {
		return err
	}
	secret := filepath.Join(data, "..", filepath.Base(data)+".password")
	if err := writeFor(secret, password); err != nil {
		return err
	}
	defer func() { _ = os.Remove(secret) }()
	return program(folder, "initdb", "-D", data, "-U", superuser, "--pwfile", secret, "--auth-local=trust",
		"--auth-host=scram-sha-256", "--no-locale", "-E", "UTF8", "--no-sync", "--no-instructions")
}

// writeFor writes a file that only the user of the servers can read.
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

// program runs one of the programs in a folder and waits for it.
func program(folder, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd, err := command(ctx, folder, name, args...)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

func command(ctx context.Context, folder, name string, args ...string) (*exec.Cmd, error) {
	who, err := account()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(folder, name), args...)
	cmd.Dir = "/" // the user of the servers may not be able to read the current folder
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	asChild(cmd.SysProcAttr)
	return cmd, nil
}

// environment is the environment of PostgreSQL's programs: without the
// variables that change what they connect to, and with English messages.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "PG") || strings.HasPrefix(pair, "LC_") || strings.HasPrefix(pair, "LANG")
	})
	return append(env, "LC_ALL=C")
}

// start starts the server and waits until it accepts connections.
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
	cmd, err := command(context.Background(), c.programs, "postgres", args...)
	if err != nil {
		return err
	}
	c.output = newLog()
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.WaitDelay = time.Second // do not wait longer for a child that holds the output open
	if err := cmd.Start(); err != nil {
		return err
	}
	c.server, c.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait() // the log has the reason
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

// shutdown sends a signal, SIGINT for a fast or SIGQUIT for an immediate
// shutdown, and waits for the end of the server.
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

// kill kills all processes of the server with SIGKILL and waits for their end.
func (c *cluster) kill() {
	if c.running() {
		_ = c.server.Process.Kill() // first, so that it starts no more processes
	}
	killAll(c.name)
	if c.server != nil {
		<-c.ended
	}
}

// killAll kills all processes with a name in their command line, and waits
// until none is left.
func killAll(name string) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		ids := processes(name)
		if len(ids) == 0 {
			return
		}
		for _, id := range ids {
			_ = syscall.Kill(id, syscall.SIGKILL) // it may have ended
		}
		time.Sleep(5 * time.Millisecond) // poll: only the parent of a process can wait for its end
	}
}

// remove ends the rest of the server and removes the data.
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
		_ = syscall.Kill(id, s) // it may have ended
	}
}

// freeMemory frees the System V shared memory segment with which a server locks
// its data folder. A killed server leaves it behind, and systems allow few of
// them. The seventh line of postmaster.pid has its key and its id.
func freeMemory(data string) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return // the server ended by itself and freed it
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 7 {
		return
	}
	if fields := strings.Fields(lines[6]); len(fields) == 2 {
		_ = exec.CommandContext(context.Background(), "ipcrm", "-m", fields[1]).Run() // optional: ipcrm may be missing
	}
}

// newPassword returns a password for a server that listens on 127.0.0.1, which
// every user of this machine can reach.
func newPassword() string { return strings.ToLower(rand.Text()) }
