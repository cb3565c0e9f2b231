// Command compare measures Cohort beside other programs on the same machine in
// the same minutes: beside a peer that stores the same rows, beside servers and
// loops that do less, and beside Cohort itself with more data. The README in
// the folder above describes each row.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	all := rows()
	if o.before != "" {
		all = besideBefore(o.before, o.postgres)
	}
	if o.list {
		return list(os.Stdout, all)
	}
	rows, err := choose(all, o.run)
	if err != nil {
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "cohort-compare-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := checkDisk(dir); err != nil && !o.smoke {
		return err
	}
	b := &bench{settings: o.settings, root: root, dir: dir, log: os.Stderr, made: map[string]bool{}}
	began := time.Now()
	lines, failed := b.measure(ctx, rows)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	describe(os.Stdout, o, time.Since(began))
	return errors.Join(printTable(os.Stdout, lines, !o.smoke), failed)
}

// options are the flags of the command line.
type options struct {
	settings
	run, dir         string
	before, postgres string
	list             bool
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("compare", flag.ExitOnError)
	flags.StringVar(&o.run, "run", "", "measure only the rows whose names begin with these words, separated by commas (see -list)")
	flags.BoolVar(&o.list, "list", false, "list the rows")
	smokes := flags.Bool("smoke", false, "only check that everything runs: short, small, without the peer")
	flags.StringVar(&o.dir, "dir", os.TempDir(), "folder for the databases; it must be on a real disk")
	flags.StringVar(&o.before, "before", "", "compare with this binary of an earlier version of Cohort, and measure nothing else")
	flags.StringVar(&o.postgres, "postgres", "", "URL of a PostgreSQL server for -before, instead of SQLite; its databases are dropped afterwards")
	round := flags.Duration("round", 0, "duration of a round of each side (1.5s)")
	rounds := flags.Int("rounds", 0, "number of rounds (5)")
	verbose := flags.Bool("v", false, "show every round")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	o.settings = full()
	if *smokes {
		o.settings = smoke()
	}
	o.verbose = *verbose
	if *round > 0 {
		o.round = *round
	}
	if *rounds > 0 {
		o.rounds = *rounds
	}
	return o, nil
}

// choose returns the rows whose names begin with one of the words.
func choose(all []row, words string) ([]row, error) {
	if words == "" {
		return all, nil
	}
	var chosen []row
	for _, r := range all {
		for word := range strings.SplitSeq(words, ",") {
			if strings.HasPrefix(r.name, word) {
				chosen = append(chosen, r)
				break
			}
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no row begins with %q; -list lists them", words)
	}
	return chosen, nil
}

func list(w io.Writer, all []row) error {
	for _, r := range all {
		if _, err := fmt.Fprintln(w, r.name); err != nil {
			return err
		}
	}
	return nil
}

// moduleRoot is the folder of the module bench, from any folder within it.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	path, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if path != "cohort.example/cohort/bench" {
		return "", errors.New("run this in the folder bench of a checkout")
	}
	return filepath.Clean(dir), nil
}

// measure runs one row after another. A failed row is shown as failed and does
// not end the run.
func (b *bench) measure(ctx context.Context, rows []row) ([]line, error) {
	var all []line
	var failures []error
	for _, r := range rows {
		lines, err := b.measureRow(ctx, r)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", r.name, err))
			lines = []line{{note: "FAILED: see below"}}
		}
		for _, l := range lines {
			l.row = r.name
			all = append(all, l)
		}
	}
	return all, errors.Join(failures...)
}

func (b *bench) measureRow(ctx context.Context, r row) (lines []line, err error) {
	if r.peer && !b.peer {
		return []line{{note: "skipped: without the peer"}}, nil
	}
	b.progress("%s", r.name)
	if b.work, err = os.MkdirTemp(b.dir, "row-"); err != nil {
		return nil, err
	}
	lines, err = r.run(ctx, b)
	err = errors.Join(err, os.RemoveAll(b.work))
	// Write everything to the disk now, so that the system does not do it
	// during the next row.
	syscall.Sync()
	return lines, err
}

func describe(w io.Writer, o options, took time.Duration) {
	if o.smoke {
		fmt.Fprintln(w, "\nThis only shows that everything runs. The figures mean nothing.")
	}
	fmt.Fprintf(w, "\n%s/%s, %d CPUs, %s; %d rounds of %s a side; %s in all\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), o.rounds, o.round, took.Round(time.Second))
}
