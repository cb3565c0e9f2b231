// Command limits measures the costs that no server can avoid: how often SQLite
// can commit a row, one commit after another, and how often the disk can flush.
// There is no HTTP and one caller.
//
// For each line of its standard input, a duration such as "2s", it measures for
// that long and prints one JSON object. It keeps its file open in between, like
// a server.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"
)

// Measured is the result of a measurement.
type Measured struct {
	PerSecond float64
}

func main() {
	loop := flag.String("loop", "commit", "what to do again and again: commit or flush")
	dir := flag.String("dir", "", "where the file is written")
	present := flag.Int("present", 10_000, "how many rows are there before")
	flag.Parse()
	if err := run(context.Background(), *loop, *dir, *present); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, loop, dir string, present int) error {
	once, err := open(ctx, loop, filepath.Join(dir, loop), present)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		d, err := time.ParseDuration(lines.Text())
		if err != nil {
			return err
		}
		m, err := measure(once, d)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
			return err
		}
	}
	return lines.Err()
}

func open(ctx context.Context, loop, path string, present int) (once func() error, err error) {
	switch loop {
	case "commit":
		return openCommit(ctx, path, present)
	case "flush":
		return openFlush(path)
	}
	return nil, fmt.Errorf("there is no loop %q", loop)
}

// measure calls once repeatedly.
func measure(once func() error, d time.Duration) (Measured, error) {
	n := 0
	start := time.Now()
	for time.Since(start) < d {
		if err := once(); err != nil {
			return Measured{}, err
		}
		n++
	}
	return Measured{float64(n) / time.Since(start).Seconds()}, nil
}
