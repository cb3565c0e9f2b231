package pgtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// asChild makes the kernel shut a server down when the process that started it
// dies.
func asChild(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }

// processes returns the ids of all processes with a word in their command line.
// The cluster_name of a server is in the command line of all its processes.
func processes(word string) []int {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline") // it fails for bad patterns only
	var ids []int
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte(word)) {
			continue // it has ended, or belongs to another user
		}
		if id, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && id != os.Getpid() {
			ids = append(ids, id)
		}
	}
	return ids
}
