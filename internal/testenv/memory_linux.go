package testenv

import (
	"os"
	"sync"
	"syscall"
)

// memoryFolder is a folder whose files are in memory.
const memoryFolder = "/dev/shm"

// MemoryFolder returns a folder for the databases of tests in which a flush to the
// disk costs nothing. It returns "", which stands for the default folder for
// temporary files, in the full form of the tests, if TMPDIR chooses a folder, and if
// the machine has none with 4 GiB free: containers often limit it to 64 MiB.
var MemoryFolder = sync.OnceValue(func() string {
	var s syscall.Statfs_t
	if Full() || os.Getenv("TMPDIR") != "" || syscall.Statfs(memoryFolder, &s) != nil || s.Bavail*uint64(s.Bsize) < 4<<30 { //nolint:gosec // a block size is positive
		return ""
	}
	folder, err := os.MkdirTemp(memoryFolder, "cohort-probe")
	if err != nil || os.Remove(folder) != nil {
		return ""
	}
	return memoryFolder
})
