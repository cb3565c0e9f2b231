package groupindex

import "sync"

// maxEntries bounds what all rosters hold together. An entry takes about 150
// bytes.
const maxEntries = 500_000

// Cache is the rosters of the stores that somebody asked for. Those that were
// used last are kept.
type Cache struct {
	load    Loader
	limit   int           // entries; maxEntries but for tests
	loading chan struct{} // holds one: loads wait for each other

	mu     sync.Mutex
	stores map[string]*kept
	clock  int // counts uses
}

// Loader reads the groups of a store by id, all of one moment, up to a limit.
type Loader func(storeHash string, limit int) ([]Entry, error)

// kept is a roster, or the place of one.
type kept struct {
	index   *Index // nil: not loaded yet, or too large to be
	pending []Edit // what has changed since loading began
	loading bool
	used    int
}

// NewCache returns no rosters yet.
func NewCache(load Loader) *Cache {
	return &Cache{load: load, limit: maxEntries, loading: make(chan struct{}, 1), stores: map[string]*kept{}}
}

// Get returns the roster of a store, or nil if there is none. Then it is loaded
// in the background, if it can be, for those who come later.
func (rs *Cache) Get(storeHash string) *Index {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.clock++
	k, ok := rs.stores[storeHash]
	if !ok {
		k = &kept{loading: true}
		rs.stores[storeHash] = k
		go rs.fill(storeHash, k)
	}
	k.used = rs.clock
	return k.index
}

// Has reports whether there is a roster of the store, or one is being loaded.
// Once it is false it stays so until somebody calls Get, who then loads what
// was committed before.
func (rs *Cache) Has(storeHash string) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.stores[storeHash] != nil
}

// Apply does to the roster of a store, if there is one, what a commit did to its
// groups. Calls have to come in the order of the commits.
func (rs *Cache) Apply(storeHash string, edits []Edit) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	k, ok := rs.stores[storeHash]
	switch {
	case !ok:
	case k.loading:
		k.pending = append(k.pending, edits...)
	case k.index != nil:
		k.index.Apply(edits)
		if k.index.Size() > rs.limit {
			k.index = nil
		}
	}
}

// Forget drops all rosters: nobody knows what has changed.
func (rs *Cache) Forget() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	clear(rs.stores)
}

// fill loads the roster for k.
func (rs *Cache) fill(storeHash string, k *kept) {
	rs.loading <- struct{}{}
	defer func() { <-rs.loading }()
	entries, err := rs.load(storeHash, rs.limit+1)

	rs.mu.Lock()
	defer rs.mu.Unlock()
	k.loading = false
	if err != nil && rs.stores[storeHash] == k {
		delete(rs.stores, storeHash) // so that it is tried again
	}
	if err == nil && len(entries) <= rs.limit {
		// Some of what is pending may be in the entries already; to do it again
		// changes nothing, because the last change of each group is the same.
		k.index = New(entries)
		k.index.Apply(k.pending)
		rs.evict(k)
	}
	k.pending = nil
}

// evict drops the rosters that were not used for longest until the others fit.
func (rs *Cache) evict(keep *kept) {
	for rs.entries() > rs.limit {
		oldest := ""
		for store, k := range rs.stores {
			if k != keep && k.index != nil && (oldest == "" || k.used < rs.stores[oldest].used) {
				oldest = store
			}
		}
		if oldest == "" {
			return
		}
		delete(rs.stores, oldest)
	}
}

func (rs *Cache) entries() (n int) {
	for _, k := range rs.stores {
		if k.index != nil {
			n += k.index.Size()
		}
	}
	return n
}
