package main

import (
	"fmt"
	"os"

	"modernc.org/libc"
)

// openFlush returns a function that writes as many bytes as a commit of a group
// writes to the log of SQLite, and flushes them. It uses the flush of the
// SQLite driver, so it shows the delay of a slowed driver.
func openFlush(path string) (func() error, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	// Like the log, the file is overwritten from its beginning after a thousand
	// pages.
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
