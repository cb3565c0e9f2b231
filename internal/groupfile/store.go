package groupfile

import (
	"math"
	"math/bits"
	"slices"
)

// store is the index of a store's groups.
type store struct {
	number uint64 // in its records
	known  int64  // exists is right for every id up to here
	scan   *Scan  // that is in progress; nil: none
	chunks []*chunk
	counts []uint8 // how many groups of each chunk exist
}

// perChunk is the number of ids of a chunk.
const perChunk = 32

// complete is the value of store.known when all groups are known.
const complete = math.MaxInt64

// chunk has the groups with ids from perChunk*base on.
type chunk struct {
	base   int64
	exists uint32           // a bit for each group that exists
	at     [perChunk]uint32 // the offset of each group's record, in units; 0: not kept
}

// size is what the store counts in the bound of the index.
func (s *store) size() int64 { return 1 + int64(len(s.chunks)) }

// find returns the position of the chunk with an id, or the one at which it belongs.
func (s *store) find(id int64) (i int, ok bool) {
	base := id / perChunk
	if len(s.chunks) > 0 { // most stores have all ids from the first on
		if i := base - s.chunks[0].base; i >= 0 && i < int64(len(s.chunks)) && s.chunks[i].base == base {
			return int(i), true
		}
	}
	return slices.BinarySearchFunc(s.chunks, base, func(c *chunk, base int64) int {
		switch {
		case c.base < base:
			return -1
		case c.base > base:
			return 1
		}
		return 0
	})
}

// make is find, and adds the chunk if there is none.
func (s *store) make(id int64) (i int, added int64) {
	i, ok := s.find(id)
	if ok {
		return i, 0
	}
	s.chunks = slices.Insert(s.chunks, i, &chunk{base: id / perChunk})
	s.counts = slices.Insert(s.counts, i, 0)
	return i, 1
}

// offset returns the offset of a group's record, 0 if it is not kept.
func (s *store) offset(id int64) uint32 {
	if i, ok := s.find(id); ok {
		return s.chunks[i].at[id%perChunk]
	}
	return 0
}

// setOffset returns how many chunks it added.
func (s *store) setOffset(id int64, at uint32) (added int64) {
	i, added := s.make(id)
	s.chunks[i].at[id%perChunk] = at
	return added
}

func (s *store) forget(id int64) {
	if i, ok := s.find(id); ok {
		s.chunks[i].at[id%perChunk] = 0
	}
}

// setExists returns how many chunks it added.
func (s *store) setExists(id int64, exists bool) (added int64) {
	i, ok := s.find(id)
	if !ok {
		if !exists {
			return 0
		}
		i, added = s.make(id)
	}
	c, bit := s.chunks[i], uint32(1)<<(id%perChunk)
	if exists {
		c.exists |= bit
	} else {
		c.exists &^= bit
	}
	s.counts[i] = uint8(bits.OnesCount32(c.exists))
	return added
}

// spot is where the record of a group is.
type spot struct {
	id int64
	at uint32
}

// page appends the spots of up to size groups after the first offset groups, by id. It
// returns ok false if not all of them are known and kept.
func (s *store) page(dst []spot, offset int64, size int) (spots []spot, ok bool) {
	i := 0
	for ; i < len(s.chunks) && offset >= int64(s.counts[i]); i++ {
		offset -= int64(s.counts[i])
	}
	for ; i < len(s.chunks) && len(dst) < size; i++ {
		c := s.chunks[i]
		for left := c.exists; left != 0 && len(dst) < size; left &= left - 1 {
			if offset > 0 {
				offset--
				continue
			}
			n := bits.TrailingZeros32(left)
			if c.at[n] == 0 {
				return dst, false
			}
			dst = append(dst, spot{c.base*perChunk + int64(n), c.at[n]})
		}
	}
	if len(dst) < size { // the end of the list
		return dst, len(dst) > 0 && s.known == complete
	}
	return dst, dst[len(dst)-1].id <= s.known
}

// missing returns up to most groups that exist and are not kept.
func (s *store) missing(most int) (ids []int64) {
	for _, c := range s.chunks {
		for left := c.exists; left != 0; left &= left - 1 {
			n := bits.TrailingZeros32(left)
			if c.at[n] != 0 {
				continue
			}
			if ids = append(ids, c.base*perChunk+int64(n)); len(ids) == most {
				return ids
			}
		}
	}
	return ids
}
