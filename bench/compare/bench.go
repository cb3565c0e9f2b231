package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// settings are the durations and sizes of a run.
type settings struct {
	round   time.Duration // of each side
	warmUp  time.Duration // before each round
	rounds  int
	callers int
	verbose bool
	// The content before the measurements.
	small, large, many content
	scattered          content // many stores with few groups each
	// creates is the number of groups that the memory row creates.
	creates uint64
	peer    bool
	smoke   bool
}

// The sizes of a real run. They are not flags, because figures with other sizes
// cannot be compared.
func full() settings {
	return settings{
		round: 1500 * time.Millisecond, warmUp: 300 * time.Millisecond, rounds: 5, callers: 40,
		small: content{1, 10_000}, large: content{1, 200_000}, many: content{1000, 1_000_000},
		scattered: content{100_000, 1_000_000},
		creates:   1_000_000, peer: true,
	}
}

// smoke only checks that everything runs. Its figures mean nothing.
func smoke() settings {
	return settings{
		round: 100 * time.Millisecond, warmUp: 20 * time.Millisecond, rounds: 1, callers: 8,
		small: content{1, 500}, large: content{1, 5_000}, many: content{10, 1_000},
		scattered: content{3_000, 30_000},
		creates:   2_000, smoke: true,
	}
}

// bench is one run: its settings, its programs, and the folder for its files.
type bench struct {
	settings
	root   string // of the module bench
	dir    string // contains all files, and is removed at the end
	work   string // the files of one row, removed after it
	log    io.Writer
	made   map[string]bool // existing files: programs and filled databases
	number uint64          // of the next request; each number is used once
}

func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(b.log, "… "+format+"\n", args...)
}

// detail prints details for a reader who doubts a row.
func (b *bench) detail(format string, args ...any) {
	if b.verbose {
		fmt.Fprintf(b.log, "    "+format+"\n", args...)
	}
}

// copy returns the path of a copy of a database, alone in a folder.
func (b *bench) copy(path string) (copied string, err error) {
	dir, err := os.MkdirTemp(b.work, "db-")
	if err != nil {
		return "", err
	}
	copied = filepath.Join(dir, "cohort.db")
	return copied, copyFile(path, copied)
}

// copyFile returns when the copy is on the disk. Otherwise the system would
// write it during a measurement.
func copyFile(path, copied string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(copied)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Sync(), to.Close())
}
