package limit

import (
	"crypto/rand"
	"slices"
	"strconv"
	"sync"
)

// slot is the place of one request at a gate in Redis: a member of a sorted set.
type slot struct{ gate, member string }

// slots are the slots of this node, by the key of their gate: those of requests
// under way, and those that are free again and still in Redis.
type slots struct {
	node string // begins each member, so that no two nodes make the same

	mu      sync.Mutex
	last    uint64
	held    map[string]map[string]bool // whether Redis may know the slot
	freed   map[string][]string        // the oldest first
	waiting int                        // how many are in freed
}

const (
	// maxFreed bounds what waits for its removal. Slots beyond it come back by
	// lease.
	maxFreed = 1 << 14
	// maxSent is how many freed slots an admission takes along.
	maxSent = 64
)

func newSlots() *slots {
	return &slots{node: rand.Text(), held: map[string]map[string]bool{}, freed: map[string][]string{}}
}

// name makes a new slot, and returns the slots of its gate that are free again
// and may still be in Redis. Whoever comes after another request's end must not
// be refused because the removal is late. Of many, the oldest are on their way.
func (s *slots) name(gate string) (at slot, freed []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	freed = s.freed[gate]
	return slot{gate, s.node + "-" + strconv.FormatUint(s.last, 36)}, slices.Clone(freed[max(len(freed)-maxSent, 0):])
}

// hold keeps a slot for a request under way. It is known if Redis may have it.
func (s *slots) hold(at slot, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[at.gate] == nil {
		s.held[at.gate] = map[string]bool{}
	}
	s.held[at.gate][at.member] = known
}

// free gives a slot back. It reports whether one is to be removed from Redis.
func (s *slots) free(at slot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.held[at.gate][at.member]
	delete(s.held[at.gate], at.member)
	if len(s.held[at.gate]) == 0 {
		delete(s.held, at.gate)
	}
	return known && s.remove(at)
}

// remove has a slot removed. The caller holds the lock.
func (s *slots) remove(at slot) bool {
	if s.waiting >= maxFreed {
		return false
	}
	s.waiting++
	s.freed[at.gate] = append(s.freed[at.gate], at.member)
	return true
}

// renewable returns the slots that are held, by gate. From now on Redis may
// know all of them.
func (s *slots) renewable() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]string, len(s.held))
	for gate, members := range s.held {
		for member := range members {
			members[member] = true
			all[gate] = append(all[gate], member)
		}
	}
	return all
}

// removable returns the slots that are to be removed, by gate. They stay until
// they are forgotten.
func (s *slots) removable() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]string, len(s.freed))
	for gate, members := range s.freed {
		all[gate] = slices.Clone(members)
	}
	return all
}

// forget is for slots that have been removed. They are the oldest of their gate,
// because nobody else forgets any.
func (s *slots) forget(removed map[string][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for gate, members := range removed {
		s.waiting -= len(members)
		s.freed[gate] = s.freed[gate][len(members):]
		if len(s.freed[gate]) == 0 {
			delete(s.freed, gate)
		}
	}
}

// abandon has all slots removed that Redis may know, whoever holds them.
func (s *slots) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for gate, members := range s.held {
		for member, known := range members {
			if known {
				s.remove(slot{gate, member})
			}
		}
	}
	clear(s.held)
}
