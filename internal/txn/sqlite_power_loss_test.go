package txn_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"cohort.example/cohort/internal/testenv"
)

// After a power failure a disk has everything that was flushed, and any part of what was
// written later. These tests construct such disks. TestSQLiteSettings checks the
// settings that make SQLite flush the log before it acknowledges a commit.

// sector is the number of bytes that a disk writes as a whole.
const sector = 512

// losses are what a disk can have after the flushed part of the log: lost is the rest of
// the log, and older is an older log at the same place.
var losses = []struct {
	name string
	rest func(rng *rand.Rand, lost, older []byte) []byte
}{
	{"nothing", func(*rand.Rand, []byte, []byte) []byte { return nil }},
	{"zeros", func(_ *rand.Rand, lost, _ []byte) []byte { return make([]byte, len(lost)) }},
	{"the older log", func(_ *rand.Rand, _, older []byte) []byte { return older }},
	{"some of both logs", func(rng *rand.Rand, lost, older []byte) []byte { return mixed(rng, sector, lost, older) }},
	{"garbage", func(rng *rand.Rand, lost, _ []byte) []byte {
		b := make([]byte, len(lost))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}},
}

// mixed takes each piece of the given size from one of two contents.
func mixed(rng *rand.Rand, size int, a, b []byte) []byte {
	m := make([]byte, max(len(a), len(b)))
	for from := 0; from < len(m); from += size {
		source := [][]byte{a, b}[rng.IntN(2)]
		if from < len(source) {
			copy(m[from:min(from+size, len(m))], source[from:])
		}
	}
	return m
}

// The flushed log ends at a cut. Every update that was acknowledged before the log reached
// the cut is recovered. Of the later updates, the first ones or none are recovered,
// each as a whole.
func TestPowerFails(t *testing.T) {
	t.Parallel()
	r := newRecording(t)
	r.record(t, func() { r.addSerially(t, 40) })
	older := r.wal
	checkpoint(t, r.path, "TRUNCATE")

	rng := rand.New(rand.NewPCG(1, 2))
	t.Run("serial updates", func(t *testing.T) {
		r.record(t, func() { r.addSerially(t, 20) })
		r.cutEverywhere(t, rng, older, true)
	})
	older = append(slices.Clone(r.wal), older[len(r.wal):]...)
	checkpoint(t, r.path, "TRUNCATE")
	t.Run("concurrent updates", func(t *testing.T) {
		r.record(t, func() { r.addConcurrently(t, 8, 3) })
		r.cutEverywhere(t, rng, older, false)
	})
}

// cutEverywhere cuts the log at the ends of commits, just before, and anywhere. If the
// updates were serial, the last update that is recovered is known exactly.
func (r *recording) cutEverywhere(t *testing.T, rng *rand.Rand, older []byte, serial bool) {
	if len(older) < len(r.wal) {
		t.Fatalf("the older log has %d bytes, and the log %d", len(older), len(r.wal))
	}
	cuts := []int{0, 16, 32, len(r.wal)} // around the log's header, which has 32 bytes
	step := testenv.Times(1, 4)          // use two of every 2*step acknowledgements
	for i, a := range r.acks[1:] {
		if i%(2*step) >= 2 {
			continue
		}
		end := int(a.length)
		if i%2 == 0 {
			cuts = append(cuts, end-rng.IntN(5000))
		} else {
			cuts = append(cuts, end-i/2/step%2) // at the end, or one byte before
		}
	}
	d := newDisk(t)
	for _, cut := range cuts {
		loss := losses[rng.IntN(len(losses))]
		wal := append(slices.Clone(r.wal[:cut]), loss.rest(rng, r.wal[cut:], older[cut:])...)
		// By chance some bytes after the cut may be the original ones.
		least := r.lastBefore(intact(r.wal, wal))
		most := least
		if !serial {
			most = r.lastBefore(int64(len(r.wal)))
		}
		t.Run(fmt.Sprint(loss.name, " from ", cut), func(t *testing.T) { d.wantRecovered(t, r.base, wal, least, most) })
	}
}

// intact returns the length of the common prefix of two contents.
func intact(a, b []byte) int64 {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return int64(n)
}

// lastBefore returns the last update that was acknowledged before the log was longer
// than length.
func (r *recording) lastBefore(length int64) (last int64) {
	for _, a := range r.acks {
		if a.length <= length {
			last = max(last, a.update)
		}
	}
	return last
}

// A checkpoint copies the log into the database file in any order. The log may only
// restart after all of it is copied.
func TestPowerFailsDuringCheckpoint(t *testing.T) {
	mixes := testenv.Times(6, 2)
	t.Parallel()
	r := newRecording(t)
	r.record(t, func() { r.addSerially(t, 15) })
	checkpoint(t, r.path, "TRUNCATE") // so that the file has older pages
	r.record(t, func() { r.addSerially(t, 30) })
	last := r.lastBefore(int64(len(r.wal)))
	checkpoint(t, r.path, "FULL")
	copied := r.content(t)
	if slices.Equal(copied, r.base) {
		t.Fatal("the checkpoint moved nothing")
	}

	rng := rand.New(rand.NewPCG(3, 4))
	d := newDisk(t)
	for _, size := range []int{4096, sector} {
		for i := range mixes {
			file := mixed(rng, size, r.base, copied)
			t.Run(fmt.Sprint("pieces of ", size, ", mix ", i), func(t *testing.T) { d.wantRecovered(t, file, r.wal, last, last) })
		}
	}
	for _, loss := range losses {
		wal := loss.rest(rng, r.wal, nil)
		t.Run("after the checkpoint "+loss.name, func(t *testing.T) { d.wantRecovered(t, copied, wal, last, last) })
	}
}
