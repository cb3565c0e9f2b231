package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cohort.example/cohort/bench/load"
)

// process is a server that was started for a row.
type process struct {
	addr    string
	cmd     *exec.Cmd
	log     string
	started time.Time
	startup time.Duration // time until the first response
	ended   chan struct{}
}

// start runs a server on a free address of this machine, which args inserts
// into the arguments, and waits until it answers the request that first writes.
// The log goes to a file.
func (b *bench) start(ctx context.Context, program string, first func(addr string) []byte, args func(addr string) []string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	log, err := os.CreateTemp(b.work, filepath.Base(program)+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{addr: addr, log: log.Name(), ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, program, args(addr)...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = shutdown
	p.cmd.Env = defaults(os.Environ())
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the log has the reason
	}()
	if err := p.wait(ctx, first(addr)); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// shutdown is how long a server may take to stop.
const shutdown = 20 * time.Second

// defaults is the environment without the variables that change how a server
// runs.
func defaults(environ []string) []string {
	var kept []string
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		switch {
		case strings.HasPrefix(name, "COHORT_"):
		case name == "GOGC" || name == "GOMEMLIMIT" || name == "GOMAXPROCS" || name == "GODEBUG":
		default:
			kept = append(kept, e)
		}
	}
	return kept
}

// freeAddr returns a free address. Another program could take it before the
// server does; the server then fails.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// wait waits until the response to the request has a status of 200 to 299.
func (p *process) wait(ctx context.Context, request []byte) error {
	deadline := p.started.Add(2 * time.Minute)
	var last error
	for time.Now().Before(deadline) {
		if last = p.ask(ctx, request); last == nil {
			p.startup = time.Since(p.started)
			return nil
		}
		select {
		case <-p.ended:
			return p.failed("it ended before it answered")
		case <-time.After(200 * time.Microsecond):
		}
	}
	return p.failed("it did not answer in time: " + last.Error())
}

func (p *process) ask(ctx context.Context, request []byte) error {
	conn, err := load.Dial(ctx, p.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	status, _, err := conn.Do(request)
	if err == nil && (status < 200 || status > 299) {
		err = fmt.Errorf("status %d", status)
	}
	return err
}

// failed is an error with the last lines that the server logged.
func (p *process) failed(why string) error {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err
	}
	const most = 2000
	if len(content) > most {
		content = content[len(content)-most:]
	}
	return fmt.Errorf("%s: %s\n%s", filepath.Base(p.cmd.Path), why, content)
}

// stop stops the server as an operator does, and waits for its end.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(shutdown):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// resident is the resident memory of the process in bytes.
func (p *process) resident() (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(content) {
		if f := bytes.Fields(line); len(f) == 3 && string(f[0]) == "VmRSS:" {
			kb, err := strconv.ParseInt(string(f[1]), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("no VmRSS in /proc")
}
