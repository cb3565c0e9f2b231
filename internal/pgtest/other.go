//go:build !linux && !darwin && !freebsd

package pgtest

import "errors"

// canStart reports whether the tests can start servers on this system.
const canStart = false

type run struct{}

func (*run) url() string { return "" }

func thisRun() (*run, error) { return nil, errors.New("not on this system") }
