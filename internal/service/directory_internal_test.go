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
			t.Fatalf("entry %d is missing after put", i)
		}
		if len(d.entries) > maxDirectory {
			t.Fatalf("the directory has %d entries, want at most %d", len(d.entries), maxDirectory)
		}
	}
}

// An entry that was read before a change may be outdated, so put drops it.
func TestDirectoryDropsEntriesFromBeforeAChange(t *testing.T) {
	d, now := newDirectory(), time.Now()
	b := directoryEntry{until: now.Add(time.Hour)}
	_, _, changes := d.get("hash", now)
	d.forget()
	d.put("hash", b, changes)
	if _, ok, _ := d.get("hash", now); ok {
		t.Error("an entry that was read before a change is kept")
	}
	_, _, changes = d.get("hash", now)
	d.put("hash", b, changes)
	if _, ok, _ := d.get("hash", now); !ok {
		t.Error("an entry that was read after the change is not kept")
	}
	if _, ok, _ := d.get("hash", b.until); ok {
		t.Error("an entry is returned after its expiry")
	}
}
