package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"cohort.example/cohort/internal/pgtest"
)

// withPostgres calls fn with the URL of a new PostgreSQL server, which flushes its commits.
func withPostgres(fn func(url string) error) error {
	o := &owner{}
	done := make(chan error, 1)
	go func() { // which Fatalf ends
		err := errors.New("PostgreSQL did not start")
		defer func() {
			o.cleanUp()
			done <- errors.Join(err, errors.Join(o.errors...))
		}()
		err = fn(pgtest.Start(o, pgtest.Options{Fsync: true, Settings: map[string]string{"max_connections": "200"}}).URL())
	}()
	return <-done
}

// owner is the testing.TB of a server outside of a test. It has the methods that pgtest
// calls.
type owner struct {
	testing.TB
	errors   []error
	cleanups []func()
}

func (o *owner) Helper()           {}
func (o *owner) Failed() bool      { return len(o.errors) > 0 }
func (o *owner) Cleanup(fn func()) { o.cleanups = append(o.cleanups, fn) }

func (o *owner) Logf(format string, args ...any) { o.Errorf(format, args...) }

func (o *owner) Errorf(format string, args ...any) {
	o.errors = append(o.errors, fmt.Errorf(format, args...))
}

func (o *owner) Fatal(args ...any) { o.Fatalf("%s", fmt.Sprint(args...)) }

func (o *owner) Fatalf(format string, args ...any) {
	o.Errorf(format, args...)
	runtime.Goexit()
}

func (o *owner) cleanUp() {
	for _, fn := range slices.Backward(o.cleanups) {
		fn()
	}
}
