package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// settings are what a run is made with.
type settings struct {
	round   time.Duration // how long each side is measured at a time
	warmUp  time.Duration // before each round
	rounds  int
	callers int
	verbose bool
	// What is there before something is measured.
	small, large, many content
	// creates is how many groups the memory row creates.
	creates uint64
	peer    bool
	smoke   bool
}

// The size of things in a run that counts. They are no flags, because figures
// from other sizes would be other figures.
func full() settings {
	return settings{
		round: 1500 * time.Millisecond, warmUp: 300 * time.Millisecond, rounds: 5, callers: 40,
		small: content{1, 10_000}, large: content{1, 200_000}, many: content{1000, 1_000_000},
		creates: 1_000_000, peer: true,
	}
}

// smoke shows that everything runs. Its figures mean nothing.
func smoke() settings {
	return settings{
		round: 100 * time.Millisecond, warmUp: 20 * time.Millisecond, rounds: 1, callers: 8,
		small: content{1, 500}, large: content{1, 5_000}, many: content{10, 1_000},
		creates: 2_000, smoke: true,
	}
}

// bench is one run: its settings, its programs, and a folder for everything
// that it writes.
type bench struct {
	settings
	root   string // of the benchmarks' module
	dir    string // everything is below it, and goes with it
	work   string // what one row writes, and goes with the row
	log    io.Writer
	made   map[string]bool // files that are there: programs and filled databases
	number uint64          // of the next request, so that none is made twice
}

func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(b.log, "… "+format+"\n", args...)
}

// detail says what only those who doubt a row want to see.
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

// copyFile returns when the copy is on disk: what the system still has to write
// would be written while something is measured.
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
