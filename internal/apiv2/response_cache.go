package apiv2

import (
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/groupfile"
	"cohort.example/cohort/internal/service"

	"github.com/maypok86/otter/v2"
)

// responseCacheSize is the size of the response cache in bytes.
const responseCacheSize = 32 << 20

// maxCachedQuery is the longest query string whose response is cached, in bytes.
// Longer ones are rarely repeated.
const maxCachedQuery = 200

// responseCache caches encoded responses about groups. An entry has the version of
// the groups that it shows, taken before they were read. It is valid as long as
// this version is current.
type responseCache struct {
	svc     *service.Service
	entries *otter.Cache[cacheKey, cacheEntry]
	kept    *keptGroups
	asked   *recent
}

// cacheKey identifies the response about one group, or the response to a query on
// all groups of a store.
type cacheKey struct {
	store     string
	group     int64  // 0: all groups
	operation string // only if group is 0
	query     string // only if group is 0
}

type cacheEntry struct {
	response
	version service.Version
}

// response is a response that has been read and encoded.
type response struct {
	document *api.Document // nil: 204
	// long is a page that is too long for the cache. The document is nil then.
	long *api.Page[cohort.Group]
	// page has the ids of a full page of all groups. Writes to other groups leave the
	// entry valid.
	page []int64
}

func newResponseCache(svc *service.Service) *responseCache {
	return &responseCache{svc: svc, kept: newKeptGroups(svc), asked: newRecent(), entries: otter.Must(&otter.Options[cacheKey, cacheEntry]{
		MaximumWeight: responseCacheSize,
		Weigher:       func(k cacheKey, e cacheEntry) uint32 { return uint32(k.size() + e.document.Size() + 8*len(e.page)) },
	})}
}

// size estimates the memory of a key and its cache entry without the document, in
// bytes.
func (k cacheKey) size() int { return 300 + len(k.store) + len(k.query) }

// write sends the cached response for the key. Without one it calls read, sends the
// result and caches it.
func (c *responseCache) write(w http.ResponseWriter, r *api.Request, key cacheKey, read func() (response, error)) error {
	if len(key.query) > maxCachedQuery || service.Joined(r.Context()) || !c.svc.CatchUp(r.Context()) {
		fresh, err := read()
		if err != nil {
			return err
		}
		return fresh.write(w, r)
	}
	version := c.svc.GroupVersion(key.store, key.group)
	if entry, ok := c.entries.GetIfPresent(key); ok && c.valid(key, entry, version) {
		return writeDocument(w, r, entry.document)
	}
	if kept := c.kept.find(key); kept != nil {
		return c.writeKept(w, r, key, kept, version)
	}
	fresh, err := read()
	if err != nil {
		return err
	}
	if fresh.long == nil {
		c.add(key, fresh, version)
		c.kept.missed(key, fresh, version)
	}
	return fresh.write(w, r)
}

// writeKept sends what the file has for the key. It caches it only if the key was asked for
// a moment ago: a copy in memory costs more than reading it once from the file.
func (c *responseCache) writeKept(w http.ResponseWriter, r *api.Request, key cacheKey, kept *groupfile.Reader, version service.Version) error {
	defer c.kept.readers.Put(kept)
	if !c.asked.again(key) {
		return writeDocument(w, r, sentDocument(key, kept))
	}
	res := keptResponse(key, kept)
	c.add(key, res, version)
	return res.write(w, r)
}

func (res response) write(w http.ResponseWriter, r *api.Request) error {
	if res.long != nil {
		return res.long.Write(w)
	}
	return writeDocument(w, r, res.document)
}

// valid reports whether the groups that an entry shows are unchanged.
func (c *responseCache) valid(key cacheKey, entry cacheEntry, current service.Version) bool {
	if entry.page != nil {
		current = c.svc.PageVersion(key.store, entry.page)
	}
	return entry.version == current
}

// add caches a response that was read after the version was taken.
func (c *responseCache) add(key cacheKey, fresh response, version service.Version) {
	if fresh.page != nil {
		// The groups on the page are only known now. Their current version is the one
		// from before the read if no group of the store has been written since.
		page := c.svc.PageVersion(key.store, fresh.page)
		if c.svc.GroupsVersion(key.store) != version {
			return
		}
		version = page
	}
	c.entries.Set(key, cacheEntry{fresh, version})
}

func writeDocument(w http.ResponseWriter, r *api.Request, d *api.Document) error {
	if d == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	d.Write(w, r)
	return nil
}
