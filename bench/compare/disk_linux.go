package main

import (
	"fmt"
	"syscall"
)

// checkDisk returns an error for a folder in memory: a flush costs nothing
// there, so the figures of writes would mean nothing.
func checkDisk(dir string) error {
	const tmpfs, ramfs = 0x01021994, 0x858458f6
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return err
	}
	if s.Type == tmpfs || s.Type == ramfs {
		return fmt.Errorf("%s is kept in memory; give a folder on a disk with -dir", dir)
	}
	return nil
}
