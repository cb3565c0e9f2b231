package service

import (
	"fmt"
	"testing"
	"time"
)

// More tokens than the directory holds, in turn, do not drive out the ones that requests
// use all the time.
func TestDirectoryIsBounded(t *testing.T) {
	d, now := newDirectory(), time.Now()
	const busy, others = 100, 5 * maxDirectory
	hits, reads := 0, 0
	use := func(key string) (hit bool) {
		_, hit, changes := d.get(key, now)
		if !hit {
			d.put(key, Bearer{}, now, changes)
		}
		return hit
	}
	for i := range others {
		use(fmt.Sprint("other ", i))
		if use(fmt.Sprint("busy ", i%busy)) {
			hits++
		}
		reads++
	}
	if hits < reads*9/10 {
		t.Errorf("%d of %d reads of busy tokens were hits", hits, reads)
	}
	d.entries.CleanUp() // what runs in the background
	if n := d.entries.EstimatedSize(); n > maxDirectory || n < maxDirectory/2 {
		t.Errorf("the directory has %d entries, want at most %d and not far fewer", n, maxDirectory)
	}
}

// An entry that was read before a change may be outdated, so get does not return it.
func TestDirectoryDropsEntriesFromBeforeAChange(t *testing.T) {
	d, now := newDirectory(), time.Now()
	_, _, changes := d.get("hash", now)
	d.forget()
	d.put("hash", Bearer{}, now, changes)
	if _, ok, _ := d.get("hash", now); ok {
		t.Error("an entry that was read before a change is returned")
	}
	_, _, changes = d.get("hash", now)
	d.put("hash", Bearer{}, now, changes)
	if _, ok, _ := d.get("hash", now); !ok {
		t.Error("an entry that was read after the change is not returned")
	}
	if _, ok, _ := d.get("hash", now.Add(directoryLife)); ok {
		t.Error("an entry is returned after its expiry")
	}
	d.forget()
	if _, ok, _ := d.get("hash", now); ok {
		t.Error("an entry from before a change is returned")
	}
}

// However many tokens are used, the uses that wait are bounded.
func TestTokenUsesAreBounded(t *testing.T) {
	var u tokenUses
	for i := range 2 * maxTokenUses {
		u.note(fmt.Sprint(i), 1)
	}
	u.note("0", 2)
	hours := u.take()
	if len(hours) != maxTokenUses || hours["0"] != 2 || len(u.take()) != 0 {
		t.Errorf("%d uses, the first in hour %d", len(hours), hours["0"])
	}
}
