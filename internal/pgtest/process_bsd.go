//go:build darwin || freebsd

package pgtest

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// asChild does nothing where the kernel cannot signal the death of a parent.
// The keeper of the run ends the servers that are left.
func asChild(*syscall.SysProcAttr) {}

// processes returns the ids of all processes with a word in their command line.
// The cluster_name of a server is in the command line of all its processes.
func processes(word string) []int {
	out, _ := exec.CommandContext(context.Background(), "ps", "-A", "-o", "pid=,command=").Output()
	var ids []int
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.Contains(line, word) {
			continue
		}
		if id, err := strconv.Atoi(fields[0]); err == nil && id != os.Getpid() {
			ids = append(ids, id)
		}
	}
	return ids
}
