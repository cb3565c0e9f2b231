// Command testrun runs `go test` with the arguments given to it, and lists at the
// end which tests were skipped and why. `go test` itself prints skips only with
// -v, among everything else.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
)

func main() {
	signal.Ignore(os.Interrupt) // go test gets it too, ends, and the report follows
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testrun:", err)
		os.Exit(1)
	}
	os.Exit(status)
}

// run runs go test, prints its report to standard output, and returns its exit
// status.
func run(args []string) (status int, err error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...) //nolint:noctx,gosec // it ends when the tests do
	cmd.Env = append(os.Environ(), "COHORT_TESTRUN=1")
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	r := newReport(os.Stdout)
	readErr := r.read(events)
	err = cmd.Wait()
	r.summary()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, errors.Join(err, readErr)
}
