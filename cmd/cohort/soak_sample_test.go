package main_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// longSoak is the shortest soak whose samples are judged.
	longSoak = time.Minute
	// soakSamples is about the number of samples of a long soak.
	soakSamples = 600
)

// diskUse is the size in bytes of the database of a server. PostgreSQL's log does not
// count: all databases of its server share it.
type diskUse struct{ database, log int64 }

// sqliteUse measures the files of a database in SQLite.
func sqliteUse(t *testing.T, file string) diskUse {
	t.Helper()
	size := func(name string) int64 {
		info, err := os.Stat(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // SQLite creates the log with the first write
			t.Fatal(err)
		}
		if err != nil {
			return 0
		}
		return info.Size()
	}
	return diskUse{database: size(file), log: size(file + "-wal")}
}

// soakSample is the state of a server at one moment.
type soakSample struct {
	vitals
	diskUse
	at     time.Duration // since the begin of the load
	logged float64       // bytes of the log per response, since the sample before
}

// samples are in order.
type samples []soakSample

type soakFigure struct {
	name string
	of   func(soakSample) float64
	room float64
}

// grew reports whether the figure grew in the second half of the soak.
func (f soakFigure) grew(all samples) bool {
	return all.quarter(3, f.of) > 1.1*all.quarter(2, f.of)+f.room
}

// soakFigures are the figures that have to be flat. A figure of the last quarter may
// exceed that of the third by a tenth and the room.
var soakFigures = []soakFigure{
	// The collector may start at other moments, and then finds a few bodies more.
	{"resident MiB", func(s soakSample) float64 { return s.memory / (1 << 20) }, 24},
	{"live heap MiB", func(s soakSample) float64 { return s.live / (1 << 20) }, 16},
	{"Go MiB", func(s soakSample) float64 { return (s.held - s.released) / (1 << 20) }, 24},
	{"other MiB", func(s soakSample) float64 { return s.outside() / (1 << 20) }, 8},
	{"goroutines", func(s soakSample) float64 { return s.goroutines }, 15},
	{"descriptors", func(s soakSample) float64 { return s.fds }, 15},
	{"database MiB", func(s soakSample) float64 { return float64(s.database) / (1 << 20) }, 4},
	{"write-ahead log MiB", func(s soakSample) float64 { return float64(s.log) / (1 << 20) }, 4},
	{"log bytes per response", func(s soakSample) float64 { return s.logged }, 20},
}

// sampleSoak takes samples until ctx ends.
func sampleSoak(t *testing.T, ctx context.Context, s *soak, use func() diskUse) (all samples) {
	t.Helper()
	began := time.Now()
	ticks := time.NewTicker(max(100*time.Millisecond, soakTime(t)/soakSamples))
	defer ticks.Stop()
	record := recordSamples(t)
	var logged, responses int64
	for {
		select {
		case <-ctx.Done():
			return all
		case <-ticks.C:
		}
		sample := soakSample{vitals: s.server.vitals(t), diskUse: use(), at: time.Since(began)}
		l, r := s.server.logged.Load(), s.figures.all()
		sample.logged = float64(l-logged) / float64(max(r-responses, 1))
		logged, responses = l, r
		all = append(all, sample)
		record(sample)
	}
}

// recordSamples returns a function that appends a sample to a file in the folder
// COHORT_SOAK_SAMPLES, if that is set, so that a long soak can be watched.
func recordSamples(t *testing.T) func(soakSample) {
	t.Helper()
	folder := os.Getenv("COHORT_SOAK_SAMPLES")
	if folder == "" {
		return func(soakSample) {}
	}
	f, err := os.Create(filepath.Join(folder, strings.ReplaceAll(t.Name(), "/", "-")+".tsv"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	fmt.Fprint(f, "seconds")
	for _, figure := range soakFigures {
		fmt.Fprint(f, "\t", figure.name)
	}
	fmt.Fprintln(f)
	return func(s soakSample) {
		fmt.Fprintf(f, "%.0f", s.at.Seconds())
		for _, figure := range soakFigures {
			fmt.Fprintf(f, "\t%.1f", figure.of(s))
		}
		fmt.Fprintln(f)
	}
}

// quarter returns the median of a figure in the quarter i of the soak. Single
// samples do not matter.
func (all samples) quarter(i int, of func(soakSample) float64) float64 {
	var values []float64
	for _, s := range all[i*len(all)/4 : (i+1)*len(all)/4] {
		values = append(values, of(s))
	}
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// String is a table of the medians of each quarter.
func (all samples) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "medians of the quarters, from %d samples:", len(all))
	for _, figure := range soakFigures {
		fmt.Fprintf(&b, "\n  %-24s", figure.name)
		for i := range 4 {
			fmt.Fprintf(&b, "%9.1f", all.quarter(i, figure.of))
		}
	}
	return b.String()
}

// wantFlat fails if a figure grew in the second half of the soak. A short soak does
// not tell, because caches fill at first.
func (all samples) wantFlat(t *testing.T) {
	t.Helper()
	if soakTime(t) < longSoak {
		return
	}
	for _, figure := range soakFigures {
		if figure.grew(all) {
			t.Errorf("%s: %.1f in the third quarter, %.1f in the last", figure.name, all.quarter(2, figure.of), all.quarter(3, figure.of))
		}
	}
}

// A soak whose figures grow by a steady amount fails, and one whose figures jump once
// in its first half does not.
func TestSoakVerdict(t *testing.T) {
	grow := func(memory func(i int) float64) (all samples) {
		for i := range 100 {
			all = append(all, soakSample{vitals: vitals{memory: memory(i) * (1 << 20)}})
		}
		return all
	}
	resident := soakFigures[0]
	for _, c := range []struct {
		name   string
		memory func(i int) float64
		grows  bool
	}{
		{"a leak", func(i int) float64 { return 100 + 2*float64(i) }, true},
		{"a cache that fills", func(i int) float64 { return 100 + min(2*float64(i), 80) }, false},
		{"a single peak", func(i int) float64 { return 100 + 1000*float64(i/99) }, false},
	} {
		if got := resident.grew(grow(c.memory)); got != c.grows {
			t.Errorf("%s: grew is %v", c.name, got)
		}
	}
}
