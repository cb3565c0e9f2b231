//go:build !unix

package daemon

import (
	"errors"
	"os"
	"os/exec"
)

var errUnsupported = errors.New("\"cohort start\" does not work on this operating system; run \"cohort serve --dev\" instead")

func acquire(string) (*os.File, error) { return nil, errUnsupported }

func release(*os.File) {}

// held is never true, because no server can be started.
func held(string) (bool, error) { return false, nil }

func detach(*exec.Cmd) {}

// Stop is not possible.
func (s Server) Stop() error { return errUnsupported }
