package apiv2

import (
	"hash/maphash"
	"sync/atomic"
)

// recentKeys is how many keys a recent remembers, roughly.
const recentKeys = 1 << 16

// recent remembers the keys of the last requests, without exactness: keys that share a
// place displace each other.
type recent struct {
	seed  maphash.Seed
	marks [recentKeys]atomic.Uint32
}

func newRecent() *recent { return &recent{seed: maphash.MakeSeed()} }

// again reports whether a key is remembered, and remembers it.
func (r *recent) again(key cacheKey) bool {
	sum := maphash.Comparable(r.seed, key)
	mark := &r.marks[sum%recentKeys]
	if mark.Load() == uint32(sum>>32) {
		return true
	}
	mark.Store(uint32(sum >> 32))
	return false
}
