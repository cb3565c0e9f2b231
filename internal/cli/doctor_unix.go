//go:build unix

package cli

import "syscall"

// maxOpenFiles returns how many files this process may open.
func maxOpenFiles() (n uint64, known bool) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return uint64(limit.Cur), err == nil //nolint:unconvert // its type differs between systems
}
