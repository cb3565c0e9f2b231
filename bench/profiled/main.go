// Command profiled is cohort with the profiles of the Go runtime at /debug/pprof/ of
// PPROF_ADDR. It is for measurements only: cohort itself has no such address.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" //nolint:gosec // the purpose of this program
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // as in cohort

	"cohort.example/cohort/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := serveProfiles(os.Getenv("PPROF_ADDR")); err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
		os.Exit(1)
	}
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// serveProfiles serves the profiles until the process ends.
func serveProfiles(addr string) error {
	if addr == "" {
		return errors.New("PPROF_ADDR is not set; it is an address of this machine, such as 127.0.0.1:6060")
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	profiles := &http.Server{Handler: http.DefaultServeMux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = profiles.Serve(listener) }() // it ends with the process
	return nil
}
