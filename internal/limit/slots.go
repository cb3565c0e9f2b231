package limit

import (
	"crypto/rand"
	"slices"
	"strconv"
	"sync"
)

// slot counts one running request in Redis: it is a member of the sorted set that
// has all running requests of a store's operation, with the ends of their leases
// as scores.
type slot struct{ key, member string }

// slots are this node's slots by Redis key: those that running requests hold, and
// freed ones that may still be in Redis.
type slots struct {
	node string // a random prefix of each member, so that no two nodes use the same one

	mu      sync.Mutex
	last    uint64
	held    map[string]map[string]bool // whether Redis may have the slot
	freed   map[string][]string        // the oldest first
	waiting int                        // the number of slots in freed
}

const (
	// maxFreed bounds the freed slots that wait to be removed. Further slots stay
	// in Redis until their leases run out.
	maxFreed = 1 << 14
	// maxFreedPerAdmit is how many freed slots an admission removes.
	maxFreedPerAdmit = 64
)

func newSlots() *slots {
	return &slots{node: rand.Text(), held: map[string]map[string]bool{}, freed: map[string][]string{}}
}

// newSlot returns a new slot, and the newest freed slots of the same key. The
// admission removes them from Redis, so that a request that follows another one
// is not rejected only because the background has not removed its slot yet. The
// background removes the older ones.
func (s *slots) newSlot(key string) (at slot, freed []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	freed = s.freed[key]
	return slot{key, s.node + "-" + strconv.FormatUint(s.last, 36)}, slices.Clone(freed[max(len(freed)-maxFreedPerAdmit, 0):])
}

// hold stores the slot of a running request. known says whether Redis may have it.
func (s *slots) hold(at slot, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[at.key] == nil {
		s.held[at.key] = map[string]bool{}
	}
	s.held[at.key][at.member] = known
}

// free frees a slot. It reports whether the slot is to be removed from Redis.
func (s *slots) free(at slot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.held[at.key][at.member]
	delete(s.held[at.key], at.member)
	if len(s.held[at.key]) == 0 {
		delete(s.held, at.key)
	}
	return known && s.addFreed(at)
}

// addFreed adds a slot to those that are to be removed. The caller holds the lock.
func (s *slots) addFreed(at slot) bool {
	if s.waiting >= maxFreed {
		return false
	}
	s.waiting++
	s.freed[at.key] = append(s.freed[at.key], at.member)
	return true
}

// renewable returns the held slots by key. From now on Redis may have all of them.
func (s *slots) renewable() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]string, len(s.held))
	for key, members := range s.held {
		for member := range members {
			members[member] = true
			all[key] = append(all[key], member)
		}
	}
	return all
}

// removable returns the freed slots by key. They stay until removed is called.
func (s *slots) removable() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]string, len(s.freed))
	for key, members := range s.freed {
		all[key] = slices.Clone(members)
	}
	return all
}

// removed drops slots that removable has returned and that are no longer in
// Redis. They are the oldest of their keys, because only the background
// goroutine drops slots.
func (s *slots) removed(gone map[string][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, members := range gone {
		s.waiting -= len(members)
		s.freed[key] = s.freed[key][len(members):]
		if len(s.freed[key]) == 0 {
			delete(s.freed, key)
		}
	}
}

// freeAll frees all held slots. Those that Redis may have are to be removed.
func (s *slots) freeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, members := range s.held {
		for member, known := range members {
			if known {
				s.addFreed(slot{key, member})
			}
		}
	}
	clear(s.held)
}
