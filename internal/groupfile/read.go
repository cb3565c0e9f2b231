package groupfile

// Reader has the buffers and the result of a read. The result is valid until the next one.
type Reader struct {
	Body []byte
	Tag  [8]byte // after Get
	IDs  []int64 // after Page

	spots []spot
	raw   []byte
}

// usualRecord is how much a read asks for at first, in bytes. Few records are longer.
const usualRecord = 1 << 10

// maxPage is the longest page that is read from the file, in bytes.
const maxPage = 1 << 20

// maxGap is how far apart two records may lie that one read fetches, in bytes.
const maxGap = 2 << 10

// Get reads a group. It returns false if the group is not kept.
func (f *File) Get(r *Reader, storeKey string, id int64) bool {
	var at uint32
	f.mu.RLock()
	s := f.index[storeKey]
	if s != nil {
		at = s.offset(id)
	}
	f.mu.RUnlock()
	if at == 0 {
		return false
	}
	r.spots = append(r.spots[:0], spot{id, at})
	ok := r.read(f.disk, s.number, func(record []byte) {
		copy(r.Tag[:], record[24:])
		r.Body = append(r.Body[:0], record[headerSize:]...)
	})
	if !ok {
		f.drop(storeKey, r.spots)
	}
	return ok
}

// Page reads up to size groups of a store after the first offset ones, by id, as a JSON
// array. It returns false if one of them is not kept, if the file does not know which
// groups they are, or if there are none.
func (f *File) Page(r *Reader, storeKey string, offset int64, size int) bool {
	known := false
	f.mu.RLock()
	s := f.index[storeKey]
	if s != nil {
		r.spots, known = s.page(r.spots[:0], offset, size)
	}
	f.mu.RUnlock()
	if !known {
		return false
	}
	r.IDs, r.Body = r.IDs[:0], r.Body[:0]
	for _, s := range r.spots {
		r.IDs = append(r.IDs, s.id)
	}
	separator := byte('[')
	ok := r.read(f.disk, s.number, func(record []byte) {
		r.Body = append(r.Body, separator)
		r.Body = append(r.Body, record[headerSize:]...)
		separator = ','
	})
	if !ok {
		f.drop(storeKey, r.spots)
		return false
	}
	r.Body = append(r.Body, ']')
	return len(r.Body) <= maxPage
}

// drop forgets records that could not be read.
func (f *File) drop(storeKey string, spots []spot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.index[storeKey]
	if s == nil {
		return
	}
	for _, spot := range spots {
		if s.offset(spot.id) == spot.at {
			s.forget(spot.id)
		}
	}
}

// read calls fn with each record of the spots. It returns false if one is not intact.
func (r *Reader) read(disk Disk, store uint64, fn func(record []byte)) bool {
	for left := r.spots; len(left) > 0; {
		n := run(left)
		start := int64(left[0].at) * unit
		length := int(int64(left[n-1].at)*unit-start) + usualRecord
		raw := r.fetch(disk, start, length)
		for _, s := range left[:n] {
			from := min(int(int64(s.at)*unit-start), len(raw))
			length, ok := recordLength(raw[from:], store, s.id)
			if !ok {
				return false
			}
			record := raw[from:]
			if length > len(record) { // only the last of a run
				record = r.fetch(disk, int64(s.at)*unit, length)
			}
			if length > len(record) || !intact(record[:length]) {
				return false
			}
			fn(record[:length])
		}
		left = left[n:]
	}
	return true
}

// run returns how many of the first spots one read fetches.
func run(spots []spot) int {
	n := 1
	for n < len(spots) && spots[n].at > spots[n-1].at &&
		int64(spots[n].at-spots[n-1].at)*unit <= maxGap && int64(spots[n].at-spots[0].at)*unit < maxPage {
		n++
	}
	return n
}

// fetch reads up to length bytes. It returns fewer at the end of the file, and none after
// an error.
func (r *Reader) fetch(disk Disk, from int64, length int) []byte {
	if cap(r.raw) < length {
		r.raw = make([]byte, length+length/4)
	}
	n, _ := disk.ReadAt(r.raw[:length], from)
	return r.raw[:n]
}
