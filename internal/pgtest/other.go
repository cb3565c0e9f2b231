//go:build !linux && !darwin && !freebsd

package pgtest

import "errors"

// canStart says whether servers can be started here.
const canStart = false

type run struct{}

func (*run) url() string { return "" }

func thisRun() (*run, error) { return nil, errors.New("not on this system") }
