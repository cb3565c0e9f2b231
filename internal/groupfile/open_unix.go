//go:build linux || darwin

package groupfile

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// minFree is the free space in bytes that the file leaves on its disk, for the database.
const minFree = 1 << 30

// checkEvery is after how many written bytes the free space is looked at again.
const checkEvery = 32 << 20

// Open creates an empty file in a folder. It has no name, so it is gone when the process
// ends, however it ends.
func Open(folder string) (*File, error) {
	file, err := os.CreateTemp(folder, ".cohort-groups-*") // only the owner can read it
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return New(&frugalFile{File: file}), nil
}

// frugalFile is a file that does not take the last space of its disk.
type frugalFile struct {
	*os.File
	checked int64 // the size up to which there is space
}

func (f *frugalFile) WriteAt(b []byte, at int64) (int, error) {
	if at+int64(len(b)) > f.checked {
		var s syscall.Statfs_t
		if err := syscall.Fstatfs(int(f.Fd()), &s); err != nil {
			return 0, err
		}
		if free := int64(s.Bavail) * int64(s.Bsize); free < minFree+checkEvery { //nolint:unconvert // the types differ between systems
			return 0, fmt.Errorf("the disk has only %d MiB free", free>>20)
		}
		f.checked = at + int64(len(b)) + checkEvery
	}
	return f.File.WriteAt(b, at)
}

func (f *frugalFile) Truncate(size int64) error {
	f.checked = size
	return f.File.Truncate(size)
}
