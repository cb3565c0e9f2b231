package wrapup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// System calls without a function in package syscall. They have these numbers
// on every architecture that Go supports.
const (
	sysPidfdOpen  = 434
	sysPidfdGetfd = 438
)

// goCommandOutput returns the standard error of the go command that runs this
// test. go test keeps what a test itself prints, and drops it if the test passes.
func goCommandOutput() (*os.File, error) {
	parent := os.Getppid()
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", parent))
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(string(name)) != "go" {
		return nil, errors.New("the test was not started by the go command")
	}
	if f, err := duplicate(parent, 2); err == nil {
		return f, nil
	}
	// Not every user may duplicate a descriptor of another process. Terminals and
	// pipes can be opened instead; a file would be overwritten.
	path := fmt.Sprintf("/proc/%d/fd/2", parent)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() {
		return nil, errors.New("the go command prints to a file")
	}
	return os.OpenFile(path, os.O_WRONLY, 0)
}

// otherTests returns how many other test binaries the go command is running.
func otherTests() (n int) {
	parent := strconv.Itoa(os.Getppid())
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // it fails for bad patterns only
	for _, path := range stats {
		stat, _ := os.ReadFile(path) // the process may have ended
		_, afterName, _ := bytes.Cut(stat, []byte(") "))
		fields := strings.Fields(string(afterName)) // its state, its parent, …
		if len(fields) < 2 || fields[1] != parent || filepath.Dir(path) == fmt.Sprint("/proc/", os.Getpid()) {
			continue
		}
		if program, _ := os.Readlink(filepath.Join(filepath.Dir(path), "exe")); strings.HasSuffix(program, ".test") {
			n++
		}
	}
	return n
}

// duplicate returns a descriptor of another process, with its place in the file.
func duplicate(process, descriptor int) (*os.File, error) {
	pidfd, _, code := syscall.Syscall(sysPidfdOpen, uintptr(process), 0, 0)
	if code != 0 {
		return nil, code
	}
	defer func() { _ = syscall.Close(int(pidfd)) }()
	fd, _, code := syscall.Syscall(sysPidfdGetfd, pidfd, uintptr(descriptor), 0)
	if code != 0 {
		return nil, code
	}
	return os.NewFile(fd, "standard error of go"), nil
}
