package service

import (
	"fmt"
	"testing"
	"time"
)

func TestDirectoryIsBounded(t *testing.T) {
	d, now := newDirectory(), time.Now()
	b := remembered{until: now.Add(time.Hour)}
	for i := range 2*maxDirectory + 10 {
		hash := fmt.Sprint(i)
		d.keep(hash, b, 0)
		if _, ok, _ := d.look(hash, now); !ok {
			t.Fatalf("token %d is not remembered", i)
		}
		if len(d.bearers) > maxDirectory {
			t.Fatalf("%d tokens are remembered", len(d.bearers))
		}
	}
}

// What was read before a change may be what it was before, so it must not be
// kept after it.
func TestDirectoryKeepsNothingFromBeforeAChange(t *testing.T) {
	d, now := newDirectory(), time.Now()
	b := remembered{until: now.Add(time.Hour)}
	_, _, changes := d.look("hash", now)
	d.forget()
	d.keep("hash", b, changes)
	if _, ok, _ := d.look("hash", now); ok {
		t.Error("it is kept")
	}
	_, _, changes = d.look("hash", now)
	d.keep("hash", b, changes)
	if _, ok, _ := d.look("hash", now); !ok {
		t.Error("what was read after it is not kept")
	}
	if _, ok, _ := d.look("hash", b.until); ok {
		t.Error("it is kept for longer than it lives")
	}
}
