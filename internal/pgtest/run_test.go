//go:build linux || darwin || freebsd

package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
)

const childVariable = "COHORT_PGTEST_CHILD"

// TestChild is the process that TestRunIsSharedAndRemoved kills: a test
// with a database and a server of its own. For each line of input it prints the
// start time of the shared server.
func TestChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		t.Skip("this is the process of TestRunIsSharedAndRemoved")
	}
	url := pgtest.URL(t)
	pgtest.Start(t, pgtest.Options{}).Pause()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println("started", queryOne[string](t, connect(t, url), "SELECT pg_postmaster_start_time()::text"))
	}
}

type child struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func startChild(t *testing.T, folder string) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), childVariable+"=1", pgtest.RunVariable+"="+folder)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	t.Cleanup(func() { c.kill(); cancel() })
	return c
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may have been killed before
	_ = c.cmd.Wait()
}

// ask returns the start time of the shared server that the child prints.
func (c *child) ask(t *testing.T) string {
	t.Helper()
	fmt.Fprintln(c.in, "?")
	for c.out.Scan() {
		if when, ok := strings.CutPrefix(c.out.Text(), "started "); ok {
			return when
		}
	}
	t.Fatal("the child printed no start time")
	return ""
}

func TestRunIsSharedAndRemoved(t *testing.T) {
	t.Parallel()
	testenv.Long(t, "it starts a run of its own, with three servers")
	pgtest.URL(t) // skips the test where there is no server
	folder := pgtest.RunFolder(fmt.Sprintf("cohort-pgtest-%d-test-%d", os.Geteuid(), os.Getpid()))
	one, two := startChild(t, folder), startChild(t, folder)
	if a, b := one.ask(t), two.ask(t); a != b {
		t.Errorf("the processes of one run have servers that started at %s and %s", a, b)
	}
	one.kill()
	two.ask(t)
	if len(pgtest.RunProcesses(folder)) == 0 {
		t.Fatal("no process of the servers was found")
	}
	two.kill()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(folder)
		left := pgtest.RunProcesses(folder)
		if os.IsNotExist(err) && len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after all tests were killed, folder %s: %v, processes: %v", folder, err, left)
		}
	}
}
