// Package journal keeps the last requests of each store in memory, for people who test an
// integration: what was called, what came back, and what the server ignored. Secrets are
// cut out before anything is kept.
package journal

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// maxEntries is how many requests of one store a journal keeps.
	maxEntries = 1000
	// maxBytes is how much memory the requests of all stores use together.
	maxBytes = 16 << 20
	// maxStores is how many stores have requests in a journal.
	maxStores = 256
	// MaxText is how many bytes of a body, a path, a query string or a header a journal
	// keeps.
	MaxText = 64 << 10
)

// The memory of an entry and of a header besides their texts.
const (
	entryBytes  = 1 << 10
	headerBytes = 64
)

// Entry is a request and its response. It is not changed after it was added.
type Entry struct {
	ID        int64 // from 1, in the order in which the requests ended
	Time      time.Time
	Duration  time.Duration
	Method    string
	Path      string // escaped, with the store
	Query     string
	Operation string // "": no operation has this path and method; or one of those below
	Status    int    // 0: the connection was cut before a response
	TokenID   string // "": no token, or an unknown one
	RequestID string
	Check     Check  // the check that refused the request; "": none did
	Fault     string // the id of the rule, "header" if the request asked for it; "": none
	// Unread has what the client sent and the operation ignored, as api.Unread has it.
	Unread            []string
	Request, Response Message
}

// The operations of requests that Cohort does not answer itself.
const (
	ByUpstream = "upstream" // passed on to another store
	ByStub     = "stub"     // answered with an example of an OpenAPI document
)

// Message is the head and the body of a request or of a response.
type Message struct {
	Header []Header
	Body   Body
}

// Header is a line of a head.
type Header struct{ Name, Value string }

// Body is a body without its secrets.
type Body struct {
	Text string
	Size int64 // of the whole body, in bytes
	Cut  bool  // Text is only the beginning, or empty: the server did not read the body
}

// NewRequestBody returns the body of a request, of a number of bytes of which text are the
// first. It copies the text, without secrets. Those are also the values of further fields.
func NewRequestBody(text []byte, size int64, further ...string) Body {
	text = text[:min(len(text), MaxText)]
	return Body{Text: redactJSON(text, further...), Size: size, Cut: size > int64(len(text))}
}

// NewResponseBody is NewRequestBody for a response, without the copy. It looks for secrets only
// if there are further fields, because no operation responds with others; package openapi tests
// that.
func NewResponseBody(text string, size int64, further ...string) Body {
	text = cut(text)
	if len(further) > 0 {
		text = redactJSON([]byte(text), further...)
	}
	return Body{Text: text, Size: size, Cut: size > int64(len(text))}
}

// IsSecret reports whether a field, a parameter or a header with a name is a secret.
func IsSecret(name string) bool { return isSecret(name) }

// NewHeaders returns the lines of the heads of a request and its response, without their
// secrets.
func NewHeaders(request, response http.Header) (ofRequest, ofResponse []Header) {
	lines := appendHeader(make([]Header, 0, len(request)+len(response)), request)
	n := len(lines)
	lines = appendHeader(lines, response)
	return lines[:n:n], lines[n:]
}

func appendHeader(lines []Header, h http.Header) []Header {
	for name, values := range h {
		secret := isSecretHeader(name)
		for _, value := range values {
			if secret {
				value = hidden
			}
			lines = append(lines, Header{cut(name), cut(value)})
		}
	}
	return lines
}

// isSecretHeader is isSecret, faster for the headers of most requests and responses.
func isSecretHeader(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Etag", "User-Agent", "Vary", "X-Request-Id",
		"X-Rate-Limit-Requests-Left", "X-Rate-Limit-Requests-Quota", "X-Rate-Limit-Time-Reset-Ms", "X-Rate-Limit-Time-Window-Ms":
		return false
	}
	return isSecret(name)
}

// NewQuery returns a query string without its secrets.
func NewQuery(raw string) string { return redactQuery(cut(raw)) }

func cut(text string) string { return text[:min(len(text), MaxText)] }

// size returns the memory that an entry uses.
func (e *Entry) size() int {
	n := entryBytes + len(e.Path) + len(e.Query)
	for _, name := range e.Unread {
		n += headerBytes + len(name)
	}
	for _, m := range []*Message{&e.Request, &e.Response} {
		n += len(m.Body.Text)
		for _, h := range m.Header {
			n += headerBytes + len(h.Name) + len(h.Value)
		}
	}
	return n
}

// Journal has the last requests of each store. Its methods can be called concurrently. A
// store is its hash; it need not exist.
type Journal struct {
	mu      sync.Mutex
	last    int64 // the last id of an entry
	ticket  int64 // the last ticket
	bytes   int
	stores  map[string]*ring
	rings   []*ring // those of stores
	changed chan struct{}
	closed  chan struct{}
	once    sync.Once
}

// ring has the requests of one store.
type ring struct {
	store     string
	entries   []*Entry // oldest first
	sizes     []int
	bytes     int
	last      int64   // the last id of an entry
	answering []int64 // the tickets of requests that are being answered, in order
	readers   []*Subscription
}

// New returns an empty journal.
func New() *Journal { return &Journal{stores: map[string]*ring{}, closed: make(chan struct{})} }

// Close ends all waiting and all subscriptions. The journal can still be read and added to.
func (j *Journal) Close() { j.once.Do(func() { close(j.closed) }) }

// Begin is called before the first byte of a response is sent. A reader of the journal who
// has seen that response waits until the entry is there. The ticket is for Add.
func (j *Journal) Begin(store string) (ticket int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ticket++
	r := j.ring(store)
	r.answering = append(r.answering, j.ticket)
	return j.ticket
}

// Add adds an entry and sets its id. The ticket is that of Begin, 0 if nothing was sent.
func (j *Journal) Add(store string, ticket int64, e *Entry) {
	size := e.size()
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.ring(store)
	if i := slices.Index(r.answering, ticket); i >= 0 {
		r.answering = slices.Delete(r.answering, i, i+1)
	}
	j.last++
	e.ID, r.last = j.last, j.last
	r.entries, r.sizes = append(r.entries, e), append(r.sizes, size)
	r.bytes += size
	j.bytes += size
	if len(r.entries) > maxEntries {
		j.drop(r)
	}
	for j.bytes > maxBytes {
		j.drop(j.largest())
	}
	for _, s := range r.readers {
		s.send(e)
	}
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}

// ring returns the ring of a store. A new one may take the place of the ring that was
// unused for longest.
func (j *Journal) ring(store string) *ring {
	if r := j.stores[store]; r != nil {
		return r
	}
	if len(j.rings) == maxStores {
		j.remove(slices.MinFunc(j.rings, func(a, b *ring) int { return int(a.last - b.last) }))
	}
	r := &ring{store: store, last: j.last}
	j.stores[store] = r
	j.rings = append(j.rings, r)
	return r
}

func (j *Journal) remove(r *ring) {
	j.bytes -= r.bytes
	delete(j.stores, r.store)
	j.rings = slices.DeleteFunc(j.rings, func(other *ring) bool { return other == r })
	for _, s := range r.readers {
		s.end()
	}
}

// drop removes the oldest entry of a store.
func (j *Journal) drop(r *ring) {
	r.bytes -= r.sizes[0]
	j.bytes -= r.sizes[0]
	r.entries[0] = nil
	r.entries, r.sizes = r.entries[1:], r.sizes[1:]
}

// largest returns the ring that uses most memory, so that a busy store does not push out
// the requests of quiet ones.
func (j *Journal) largest() *ring {
	return slices.MaxFunc(j.rings, func(a, b *ring) int { return a.bytes - b.bytes })
}

// Clear removes the entries of a store.
func (j *Journal) Clear(ctx context.Context, store string) {
	j.settle(ctx, store)
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.stores[store]; r != nil {
		j.bytes -= r.bytes
		r.entries, r.sizes, r.bytes = nil, nil, 0
	}
}

// Forget removes the entries of a store and ends its subscriptions, because the store is
// deleted.
func (j *Journal) Forget(store string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.stores[store]; r != nil {
		j.remove(r)
	}
}

// entries returns the entries of a store after an id, oldest first, and a channel that is
// closed when the journal changes.
func (j *Journal) entries(store string, after int64) (list []*Entry, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.stores[store]; r != nil {
		list = slices.Clone(r.after(after))
	}
	return list, j.change()
}

// after returns the entries after an id.
func (r *ring) after(id int64) []*Entry {
	i, _ := slices.BinarySearchFunc(r.entries, id+1, func(e *Entry, id int64) int { return int(e.ID - id) })
	return r.entries[i:]
}

// change returns a channel that is closed when the journal changes.
func (j *Journal) change() <-chan struct{} {
	if j.changed == nil {
		j.changed = make(chan struct{})
	}
	return j.changed
}
