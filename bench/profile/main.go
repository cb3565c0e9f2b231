// Command profile measures where the processor time of requests goes. It runs the whole
// server, sends it one kind of request after another, takes a profile of each, and writes
// the shares of the layers into the table of docs/performance.md and into its picture.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/content"
	"cohort.example/cohort/bench/load"
	"cohort.example/cohort/internal/cli"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/google/pprof/profile"
)

const (
	callers = 40
	secret  = "profile-secret"
	// The content of the two stores: one with groups, one with a catalog.
	groups, products = 10_000, 10_000
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("profile", flag.ExitOnError)
	docs := flags.String("docs", "../docs", "the folder of performance.md and pictures, which are rewritten; empty to print the table only")
	length := flags.Duration("for", 8*time.Second, "how long each kind of request is measured")
	raw := flags.String("raw", "", "a folder for the profiles, for go tool pprof (none)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cohort-profile-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "cohort.db")
	if err := fill(ctx, "sqlite:"+path); err != nil {
		return err
	}
	var t table
	err = withServer(ctx, dir, path, func(addr string) error {
		for _, op := range operations(addr) {
			p, err := take(addr, op.source, *length)
			if err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			if err := keep(*raw, op.name, p); err != nil {
				return err
			}
			t = append(t, column{op.name, shares(p)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if *docs == "" {
		_, err := fmt.Print(t)
		return err
	}
	return t.write(*docs)
}

// fill creates the stores "groups" and "catalog".
func fill(ctx context.Context, url string) (err error) {
	d, err := db.Open(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	svc := service.New(d)
	for _, store := range []string{"groups", "catalog"} {
		if _, err := svc.CreateStore(ctx, cohort.Store{Hash: store, Plan: cohort.PlanUnlimited, Concurrency: cohort.MaxConcurrency}); err != nil {
			return err
		}
		token := cohort.Token{StoreKey: store, Scopes: cohort.Scopes()}
		if _, err := svc.CreateTokenWithSecret(ctx, token, store+"-"+secret); err != nil {
			return err
		}
	}
	if err := content.Groups(ctx, d, "groups", groups); err != nil {
		return err
	}
	return content.Catalog(ctx, d, "catalog", products)
}

// withServer calls fn while "cohort serve" runs in this process, with the defaults of its
// flags and its log in a file.
func withServer(ctx context.Context, dir, path string, fn func(addr string) error) error {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	ready := filepath.Join(dir, "ready.json")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, []string{"serve", "--db", "sqlite:" + path, "--addr", "127.0.0.1:0", "--ready-file", ready},
			cli.Streams{In: strings.NewReader(""), Out: io.Discard, Err: log})
	}()
	addr, err := awaitReady(ready, ended)
	if err != nil {
		return err
	}
	err = fn(addr)
	stop()
	if status := <-ended; status != 0 {
		err = errors.Join(err, fmt.Errorf("the server ended with status %d", status))
	}
	return err
}

// awaitReady waits for the file that the server writes when it serves, and returns the
// address in it.
func awaitReady(file string, ended <-chan int) (addr string, err error) {
	for {
		select {
		case status := <-ended:
			return "", fmt.Errorf("the server did not start: status %d", status)
		case <-time.After(10 * time.Millisecond):
		}
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		var ready struct{ URL string }
		if err == nil {
			err = json.Unmarshal(text, &ready)
		}
		return strings.TrimPrefix(ready.URL, "http://"), err
	}
}

// take sends requests for a time and returns the profile of the second part of it. The
// first part fills caches.
func take(addr string, source load.Source, length time.Duration) (*profile.Profile, error) {
	if err := send(addr, source, length/4); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := pprof.StartCPUProfile(&buf); err != nil {
		return nil, err
	}
	err := send(addr, source, length)
	pprof.StopCPUProfile()
	if err != nil {
		return nil, err
	}
	return profile.Parse(&buf)
}

// next is the number of the next request. No number is used twice.
var next uint64

func send(addr string, source load.Source, length time.Duration) error {
	r, err := load.Run(load.Plan{Addr: addr, Callers: callers, Source: source, First: next, For: length})
	if err != nil {
		return err
	}
	next = r.Next
	return r.Check()
}

// keep writes a profile into a folder, if there is one.
func keep(folder, name string, p *profile.Profile) (err error) {
	if folder == "" {
		return nil
	}
	f, err := os.Create(filepath.Join(folder, name+".pprof"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return p.Write(f)
}
