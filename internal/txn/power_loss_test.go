package txn_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// When the power fails, a disk has what was flushed to it, and of what was
// written after that any part or none. These tests make up such disks. That
// SQLite flushes the log before it says that a commit is done is a matter of
// its settings, which TestSQLiteSettings holds. What a PostgreSQL server does
// with its disk is its own matter.

// sector is what a disk writes as a whole.
const sector = 512

// losses are what can be found on a disk behind the place up to which the log
// was flushed, where the log went on and where there was an older one before.
var losses = []struct {
	name string
	find func(rng *rand.Rand, lost, older []byte) []byte
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

// mixed takes each piece of a certain size from one of two contents.
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

// Whatever becomes of the log behind a cut, all updates that were acknowledged
// before the log reached it are there, and of those behind it the first ones or
// none, each as a whole.
func TestPowerFails(t *testing.T) {
	t.Parallel()
	r := newRecording(t)
	r.record(t, func() { r.alone(t, 40) })
	older := r.wal
	checkpoint(t, r.path, "TRUNCATE")

	rng := rand.New(rand.NewPCG(1, 2))
	t.Run("alone", func(t *testing.T) {
		r.record(t, func() { r.alone(t, 20) })
		r.cutEverywhere(t, rng, older, true)
	})
	older = append(slices.Clone(r.wal), older[len(r.wal):]...)
	checkpoint(t, r.path, "TRUNCATE")
	t.Run("together", func(t *testing.T) {
		r.record(t, func() { r.together(t, 8, 3) })
		r.cutEverywhere(t, rng, older, false)
	})
}

// cutEverywhere tries cuts at the ends of commits, just before, and anywhere.
// If no two updates shared a commit, it is known which one has to be the last.
func (r *recording) cutEverywhere(t *testing.T, rng *rand.Rand, older []byte, alone bool) {
	if len(older) < len(r.wal) {
		t.Fatalf("the older log has %d bytes, and the log %d", len(older), len(r.wal))
	}
	cuts := []int{0, 16, 32, len(r.wal)} // around the log's header, which has 32 bytes
	for i, p := range r.promises[1:] {
		end := int(p.length)
		if i%2 == 0 {
			cuts = append(cuts, end-rng.IntN(5000))
		} else {
			cuts = append(cuts, end-i%4/2) // at it, or one byte before
		}
	}
	d := newDisks(t)
	for _, cut := range cuts {
		loss := losses[rng.IntN(len(losses))]
		wal := append(slices.Clone(r.wal[:cut]), loss.find(rng, r.wal[cut:], older[cut:])...)
		// By chance some bytes behind the cut may be as they were.
		least := r.promisedBy(intact(r.wal, wal))
		most := least
		if !alone {
			most = r.promisedBy(int64(len(r.wal)))
		}
		t.Run(fmt.Sprint(loss.name, " from ", cut), func(t *testing.T) { d.wantRecovered(t, r.base, wal, least, most) })
	}
}

// intact is how many bytes two contents have in common from the beginning.
func intact(a, b []byte) int64 {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return int64(n)
}

// promisedBy is the last update that was acknowledged when the log was so long,
// or shorter.
func (r *recording) promisedBy(length int64) (last int64) {
	for _, p := range r.promises {
		if p.length <= length {
			last = max(last, p.update)
		}
	}
	return last
}

// The log is copied into the database file in any order, and only when all of
// it is there may the log begin anew.
func TestPowerFailsDuringCheckpoint(t *testing.T) {
	const mixes = 6
	t.Parallel()
	r := newRecording(t)
	r.record(t, func() { r.alone(t, 15) })
	checkpoint(t, r.path, "TRUNCATE") // so that there is something old
	r.record(t, func() { r.alone(t, 30) })
	last := r.promisedBy(int64(len(r.wal)))
	checkpoint(t, r.path, "FULL")
	copied := r.content(t)
	if slices.Equal(copied, r.base) {
		t.Fatal("the checkpoint did nothing")
	}

	rng := rand.New(rand.NewPCG(3, 4))
	d := newDisks(t)
	for _, size := range []int{4096, sector} {
		for i := range mixes {
			file := mixed(rng, size, r.base, copied)
			t.Run(fmt.Sprint("pieces of ", size, ", mix ", i), func(t *testing.T) { d.wantRecovered(t, file, r.wal, last, last) })
		}
	}
	for _, loss := range losses {
		wal := loss.find(rng, r.wal, nil)
		t.Run("afterwards "+loss.name, func(t *testing.T) { d.wantRecovered(t, copied, wal, last, last) })
	}
}
