package apiv2

import (
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/maypok86/otter/v2"
)

// answersSize bounds the memory that kept answers take, in bytes.
const answersSize = 32 << 20

// maxKeptQuery is the longest query whose answer is kept; longer ones are
// nobody's habit.
const maxKeptQuery = 200

// answers keeps finished answers. Each stands under the version of what it shows,
// taken before that was read, and is good for as long as the version is the same.
type answers struct {
	svc   *service.Service
	cache *otter.Cache[answerKey, keptAnswer]
}

// answerKey names an answer: of one group, or of what was asked about a store's
// groups.
type answerKey struct {
	store string
	group int64  // 0: all of them
	what  string // and then: the operation
	query string // and its parameters
}

type keptAnswer struct {
	answer
	version service.Version
}

// answer is what was read to answer a request.
type answer struct {
	document *api.Document // nil: there is nothing to show
	// long is a page that is too large to be kept. It has no document.
	long *api.Page[cohort.Group]
	// page is the ids of a full page of all groups. It outlives what is done to
	// others.
	page []int64
}

func newAnswers(svc *service.Service) *answers {
	return &answers{svc, otter.Must(&otter.Options[answerKey, keptAnswer]{
		MaximumWeight: answersSize,
		Weigher:       func(k answerKey, a keptAnswer) uint32 { return uint32(k.size() + a.document.Size() + 8*len(a.page)) },
	})}
}

// size is about what a key, its place and what is around an answer take.
func (k answerKey) size() int { return 300 + len(k.store) + len(k.query) }

// write answers with the document that is kept for the key, or with the one that
// read returns, which is kept then. No document is a 204.
func (a *answers) write(w http.ResponseWriter, r *api.Request, key answerKey, read func() (answer, error)) error {
	version, keep := a.svc.GroupVersion(key.store, key.group)
	if !keep || len(key.query) > maxKeptQuery {
		fresh, err := read()
		if err != nil {
			return err
		}
		return fresh.write(w, r)
	}
	if kept, ok := a.cache.GetIfPresent(key); ok && a.holds(key, kept, version) {
		return writeDocument(w, r, kept.document)
	}
	fresh, err := read()
	if err != nil {
		return err
	}
	if fresh.long == nil {
		a.keep(key, fresh, version)
	}
	return fresh.write(w, r)
}

func (a answer) write(w http.ResponseWriter, r *api.Request) error {
	if a.long != nil {
		return a.long.Write(w)
	}
	return writeDocument(w, r, a.document)
}

// holds reports whether nothing has changed what an answer shows.
func (a *answers) holds(key answerKey, kept keptAnswer, now service.Version) bool {
	if kept.page != nil {
		now = a.svc.PageVersion(key.store, kept.page)
	}
	return kept.version == now
}

// keep keeps an answer that was read after the version was taken.
func (a *answers) keep(key answerKey, fresh answer, version service.Version) {
	if fresh.page != nil {
		// Which groups are on the page is known only now. Their version is as good
		// as one from before the reading if nothing was written since.
		page := a.svc.PageVersion(key.store, fresh.page)
		if now, _ := a.svc.GroupsVersion(key.store); now != version {
			return
		}
		version = page
	}
	a.cache.Set(key, keptAnswer{fresh, version})
}

func writeDocument(w http.ResponseWriter, r *api.Request, d *api.Document) error {
	if d == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	d.Write(w, r)
	return nil
}
