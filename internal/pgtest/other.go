//go:build !linux && !darwin && !freebsd

package pgtest

import "errors"

// canStart reports whether the tests can start servers on this system.
const canStart = false

type run struct{}

func (*run) url() string { return "" }

func thisRun() (*run, error) { return nil, errors.New("not on this system") }

func thisCitusRun() (*run, error) { return thisRun() }

func (*run) nodeURL(int) string { return "" }

func (*run) path(string) string { return "" }

const firstPort = 0
