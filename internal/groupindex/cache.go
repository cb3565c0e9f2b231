package groupindex

import "sync"

// maxEntries bounds the entries of all indexes of a cache together. An entry takes
// about 150 bytes.
const maxEntries = 500_000

// Cache holds the indexes of the stores that were asked for. When they exceed
// maxEntries, it evicts the least recently used index.
type Cache struct {
	load    Loader
	limit   int           // entries; maxEntries except in tests
	loading chan struct{} // a semaphore: one load at a time

	mu     sync.Mutex
	stores map[string]*slot
	clock  int // counts calls of Get
}

// Loader reads up to limit groups of a store, by id, from one snapshot of the
// database.
type Loader func(storeKey string, limit int) ([]Entry, error)

// slot is the cache's entry for one store.
type slot struct {
	index   *Index // nil: not loaded yet, or too large
	pending []Edit // the changes since the load began
	loading bool
	used    int // Cache.clock at the last Get
}

// NewCache returns an empty cache.
func NewCache(load Loader) *Cache {
	return &Cache{load: load, limit: maxEntries, loading: make(chan struct{}, 1), stores: map[string]*slot{}}
}

// Get returns the index of a store, or nil if the cache does not hold it. In that
// case it starts to load the index in the background, unless the store is known to
// be too large.
func (c *Cache) Get(storeKey string) *Index {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock++
	s, ok := c.stores[storeKey]
	if !ok {
		s = &slot{loading: true}
		c.stores[storeKey] = s
		go c.fill(storeKey, s)
	}
	s.used = c.clock
	return s.index
}

// Has reports whether the cache holds the index of the store, or is loading it.
// While it returns false, edits need not be passed to Apply: the next Get loads
// what was committed before it.
func (c *Cache) Has(storeKey string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stores[storeKey] != nil
}

// Apply applies the edits of a commit to the index of a store, if the cache has
// one. Calls must come in the order of the commits.
func (c *Cache) Apply(storeKey string, edits []Edit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.stores[storeKey]
	switch {
	case !ok:
	case s.loading:
		s.pending = append(s.pending, edits...)
	case s.index != nil:
		s.index.Apply(edits)
		if s.index.Size() > c.limit {
			s.index = nil
		}
	}
}

// Forget drops all indexes, for changes whose extent is unknown.
func (c *Cache) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.stores)
}

// ForgetStore drops the index of a store.
func (c *Cache) ForgetStore(storeKey string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.stores, storeKey)
}

// fill loads the index of a store into its slot.
func (c *Cache) fill(storeKey string, s *slot) {
	c.loading <- struct{}{}
	defer func() { <-c.loading }()
	entries, err := c.load(storeKey, c.limit+1)

	c.mu.Lock()
	defer c.mu.Unlock()
	s.loading = false
	if err != nil && c.stores[storeKey] == s {
		delete(c.stores, storeKey) // the next Get tries again
	}
	if err == nil && len(entries) <= c.limit {
		// The entries may already contain some of the pending edits. Applying an
		// edit again changes nothing, because the last edit of each group wins.
		s.index = New(entries)
		s.index.Apply(s.pending)
		c.evict(s)
	}
	s.pending = nil
}

// evict drops the least recently used indexes, except the one of keep, until the
// rest fits the limit.
func (c *Cache) evict(keep *slot) {
	for c.entries() > c.limit {
		oldest := ""
		for store, s := range c.stores {
			if s != keep && s.index != nil && (oldest == "" || s.used < c.stores[oldest].used) {
				oldest = store
			}
		}
		if oldest == "" {
			return
		}
		delete(c.stores, oldest)
	}
}

func (c *Cache) entries() (n int) {
	for _, s := range c.stores {
		if s.index != nil {
			n += s.index.Size()
		}
	}
	return n
}
