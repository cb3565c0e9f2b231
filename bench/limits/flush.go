package main

import (
	"fmt"
	"os"

	"modernc.org/libc"
)

// openFlush returns a function that writes as much as a commit of a group
// writes to SQLite's log and flushes it. The flush is the one of the SQLite
// driver, so that a driver whose flush was made slower shows here by how much.
func openFlush(path string) (func() error, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	// The log is written over from its beginning when it has a thousand pages.
	const commit, size = 2 * 4096, 1000 * 4096
	if _, err := f.Write(make([]byte, size)); err != nil {
		return nil, err
	}
	tls := libc.NewTLS()
	page := make([]byte, commit)
	at := int64(0)
	return func() error {
		if _, err := f.WriteAt(page, at); err != nil {
			return err
		}
		at = (at + commit) % size
		page[0]++
		if code := libc.Xfsync(tls, int32(f.Fd())); code != 0 {
			return fmt.Errorf("fsync of %s returned %d", path, code)
		}
		return nil
	}, nil
}
