package service

import (
	"fmt"
	"testing"
	"time"
)

func TestDirectoryIsBounded(t *testing.T) {
	d, now := newDirectory(), time.Now()
	b := directoryEntry{until: now.Add(time.Hour)}
	for i := range 2*maxDirectory + 10 {
		hash := fmt.Sprint(i)
		d.put(hash, b, 0)
		if _, ok, _ := d.get(hash, now); !ok {
			t.Fatalf("token %d is not in the directory", i)
		}
		if len(d.entries) > maxDirectory {
			t.Fatalf("%d entries are in the directory", len(d.entries))
		}
	}
}

// What was read before a change may be what it was before, so it must not be
// kept after it.
func TestDirectoryKeepsNothingFromBeforeAChange(t *testing.T) {
	d, now := newDirectory(), time.Now()
	b := directoryEntry{until: now.Add(time.Hour)}
	_, _, changes := d.get("hash", now)
	d.forget()
	d.put("hash", b, changes)
	if _, ok, _ := d.get("hash", now); ok {
		t.Error("it is kept")
	}
	_, _, changes = d.get("hash", now)
	d.put("hash", b, changes)
	if _, ok, _ := d.get("hash", now); !ok {
		t.Error("what was read after it is not kept")
	}
	if _, ok, _ := d.get("hash", b.until); ok {
		t.Error("it is kept for longer than it lives")
	}
}
