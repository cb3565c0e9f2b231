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

// asChild does nothing where the kernel does not tell of a parent's death; the
// keeper of the run ends what is left.
func asChild(*syscall.SysProcAttr) {}

// processes returns the ids of all processes with a word in their command line.
// The servers' cluster_name is such a word: all their processes show it.
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
