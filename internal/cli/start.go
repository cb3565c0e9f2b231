package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cohort.example/cohort/internal/daemon"
	"cohort.example/cohort/internal/db"
)

type startCommand struct {
	Addr    string        `env:"COHORT_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"The address to listen on (${default}). With port 0, the system chooses one."`
	DB      string        `name:"db" env:"COHORT_DB" placeholder:"URL" help:"The database, as of \"cohort serve\". Without it, the server has one of its own, which the next start deletes."`
	Timeout time.Duration `default:"30s" placeholder:"TIME" help:"How long to wait until the server is ready (${default})."`
}

const (
	// readyPause is the time between two looks at a server that starts or ends.
	readyPause = 20 * time.Millisecond
	// maxLogTail bounds the part of the log that is shown if a server does not start.
	maxLogTail = 4 << 10
)

// Run starts the server, or finds that it runs, and prints the variables for clients on
// standard output, so that a shell can evaluate them.
func (c *startCommand) Run(in *invocation) error {
	folder, err := daemon.Default()
	if err != nil {
		return err
	}
	options, err := c.options(folder)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(in.ctx, c.Timeout)
	defer cancel()
	for {
		process, err := c.start(ctx, folder, options)
		if err == nil {
			return c.await(ctx, in, folder, process)
		}
		if !errors.Is(err, daemon.ErrLocked) {
			return err
		}
		if running, err := folder.Running(); err == nil {
			if err := sameOptions(folder, options); err != nil {
				return err
			}
			if askReady(ctx, running.URL+"/readyz") == nil {
				return c.greet(in, folder, running, "runs already")
			}
		}
		if err := pause(ctx, readyPause); err != nil {
			return fmt.Errorf("another server runs in the background and is not ready; \"cohort stop\" ends it, and its log is %s", folder.Log())
		}
	}
}

// options returns what the server is asked for, in a form that can be compared.
func (c *startCommand) options(folder daemon.Folder) (daemon.Options, error) {
	path, isFile := strings.CutPrefix(c.DB, "sqlite:")
	if isFile && path != "" {
		path, err := filepath.Abs(path)
		if err != nil {
			return daemon.Options{}, err
		}
		c.DB = "sqlite:" + path
		if path == folder.Database() { // "cohort env" has exported it
			c.DB = ""
		}
	}
	return daemon.Options{Addr: c.Addr, DB: db.Redact(c.DB)}, nil
}

// sameOptions returns an error if the running server was asked for something else.
func sameOptions(folder daemon.Folder, want daemon.Options) error {
	have, err := folder.Options()
	if err != nil || have == want {
		return err
	}
	if have.DB == "" {
		have.DB = "its own"
	}
	return fmt.Errorf("a server runs already with other flags (--addr %s, the database is %s); run \"cohort stop\" first", have.Addr, have.DB)
}

func (c *startCommand) start(ctx context.Context, folder daemon.Folder, options daemon.Options) (*daemon.Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	database := c.DB
	if database == "" {
		database = "sqlite:" + folder.Database()
	}
	// The server outlives the context.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, "serve", "--dev", "--addr", c.Addr, "--ready-file", folder.Ready())
	// The URL of a database can have a password, which a command line would show.
	cmd.Env = append(os.Environ(), "COHORT_DB="+database)
	return folder.Start(cmd, options)
}

// await waits until the server is ready. If it does not become ready, it is ended.
func (c *startCommand) await(ctx context.Context, in *invocation, folder daemon.Folder, process *daemon.Process) error {
	for {
		if running, err := folder.Running(); err == nil && askReady(ctx, running.URL+"/readyz") == nil {
			return c.greet(in, folder, running, "is ready")
		}
		select {
		case <-process.Ended():
			printLogTail(in, folder)
			return fmt.Errorf("the server has ended: %w; its log is %s", process.Err(), folder.Log())
		default:
		}
		if err := pause(ctx, readyPause); err != nil {
			process.Kill()
			printLogTail(in, folder)
			if in.ctx.Err() != nil {
				return errors.New("stopped: the server is not started")
			}
			return fmt.Errorf("the server was not ready after %s; its log is %s", c.Timeout, folder.Log())
		}
	}
}

// greet prints the variables on standard output, and what the server is on standard error.
func (c *startCommand) greet(in *invocation, folder daemon.Folder, s daemon.Server, state string) error {
	fmt.Fprintf(in.Err, "Cohort %s at %s (process %d), with the store %q and the token %q.\nIts log is %s. \"cohort stop\" ends it.\nTo watch requests in a browser, open %[2]s/\n\n",
		state, s.URL, s.PID, devStore, devSecret, folder.Log())
	return printVariables(in, "sh", append(backgroundVariables(), variables(s.URL, devStore, devSecret)...))
}

// printLogTail prints the end of the log of a server.
func printLogTail(in *invocation, folder daemon.Folder) {
	file, err := os.Open(folder.Log())
	if err != nil {
		return // the error of the caller has the name of the file
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > maxLogTail {
		_, err = file.Seek(-maxLogTail, io.SeekEnd)
		if err != nil {
			return
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, maxLogTail))
	if err == nil {
		fmt.Fprintf(in.Err, "%s\n", strings.TrimSpace(string(text)))
	}
}
