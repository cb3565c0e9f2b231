//go:build !linux

package txn

import "os"

// fileSystemOf describes the file system of a folder: only on Linux it is known.
func fileSystemOf(folder string) (FileSystem, error) {
	_, err := os.Stat(folder)
	return FileSystem{}, err
}
