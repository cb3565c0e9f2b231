package groupfile

// Scan adds all groups of a store, in pieces.
//
//	for !done {
//		s.Begin() // before the transaction that reads the piece
//		…
//		s.End(…)
//	}
type Scan struct {
	file    *File
	key     string
	store   *store
	touched map[int64]bool // the edits since Begin: whether each group exists
}

// Scan returns a scan of a store from its first group on, or nil if all groups of the
// store are known.
func (f *File) Scan(storeKey string) (*Scan, error) {
	s, _, err := f.storeFor(storeKey)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.known == complete {
		return nil, nil
	}
	s.known = 0
	return &Scan{file: f, key: storeKey, store: s}, nil
}

// Begin is called before a piece is read from the database.
func (c *Scan) Begin() {
	c.file.mu.Lock()
	defer c.file.mu.Unlock()
	c.touched = map[int64]bool{}
	c.store.scan = c
}

// End adds the piece that was read: all groups of the store after the last piece and up to
// the last record, or all if done. It returns false if the scan has to end: the store was
// dropped.
func (c *Scan) End(records []Record, done bool) (more bool, err error) {
	f := c.file
	s, offsets, err := f.write(c.key, records)
	f.mu.Lock()
	defer f.mu.Unlock()
	c.store.scan = nil
	if err != nil || s != c.store {
		return false, err
	}
	last := int64(complete)
	if !done {
		last = records[len(records)-1].ID
	}
	for i, r := range records {
		if _, touched := c.touched[r.ID]; touched {
			continue
		}
		f.chunks += s.setExists(r.ID, true)
		if offsets[i] != 0 {
			f.chunks += s.setOffset(r.ID, offsets[i])
		}
	}
	for id, exists := range c.touched {
		if id <= last {
			f.chunks += s.setExists(id, exists)
		}
	}
	s.known = last
	return !done, nil
}
