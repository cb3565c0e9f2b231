package apiv2

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/groupfile"
	"cohort.example/cohort/internal/service"
)

// keptGroups is the second level of the response cache: the encoded groups in a temporary
// file. While the file is complete, no read of a group or of a page of all groups needs the
// database. Its run fills the file.
type keptGroups struct {
	svc     *service.Service
	file    atomic.Pointer[groupfile.File] // nil: nothing is kept
	readers sync.Pool
	jobs    chan []keepJob
	wanted  chan string   // stores whose pages were asked for in vain
	again   chan struct{} // the file was emptied
}

// keepJob is a group to keep.
type keepJob struct {
	storeKey string
	group    cohort.Group
	body     []byte          // the encoded group; nil: not encoded yet
	version  service.Version // of the group, from before it was read
}

func newKeptGroups(svc *service.Service) *keptGroups {
	return &keptGroups{
		svc: svc, readers: sync.Pool{New: func() any { return new(groupfile.Reader) }},
		jobs: make(chan []keepJob, maxKeepJobs), wanted: make(chan string, maxKeepJobs), again: make(chan struct{}, 1),
	}
}

// maxKeepJobs bounds the queues. What finds them full is not kept before it is read again.
const maxKeepJobs = 256

// find reads what the key stands for from the file. The caller returns the reader to
// readers. It returns nil if the file does not have it.
func (k *keptGroups) find(key cacheKey) *groupfile.Reader {
	file := k.file.Load()
	if file == nil {
		return nil
	}
	r := k.readers.Get().(*groupfile.Reader)
	ok := false
	if key.group != 0 {
		ok = file.Get(r, key.store, key.group)
	} else if page, plain := plainPage(key); plain {
		ok = file.Page(r, key.store, page.Offset(), page.Size)
	}
	if !ok {
		k.readers.Put(r)
		return nil
	}
	return r
}

// missed is called with a response that find did not have.
func (k *keptGroups) missed(key cacheKey, res response, version service.Version) {
	if k.file.Load() == nil || res.document == nil {
		return
	}
	if key.group != 0 {
		k.add([]keepJob{{storeKey: key.store, group: cohort.Group{ID: key.group}, body: res.document.Body(), version: version}})
	} else if _, plain := plainPage(key); plain {
		select {
		case k.wanted <- key.store:
		default:
		}
	}
}

func (k *keptGroups) add(jobs []keepJob) {
	select {
	case k.jobs <- jobs:
	default:
	}
}

// drop removes from the file what a commit has changed; see [service.Service.WatchGroups].
func (k *keptGroups) drop(file *groupfile.File, changes []service.GroupChange) {
	edits := make([]groupfile.Edit, 0, len(changes))
	for _, c := range changes {
		edit := groupfile.Edit{Store: c.StoreKey, ID: c.Group.ID}
		switch c.Kind {
		case service.AllGroupsChanged:
			file.Forget()
			edits = edits[:0]
			select {
			case k.again <- struct{}{}:
			default:
			}
			continue
		case service.StoreGroupsChanged:
			edit.Kind = groupfile.StoreDropped
		case service.GroupDeleted:
			edit.Kind = groupfile.Deleted
		case service.GroupInserted:
			edit.Kind = groupfile.Inserted
		case service.GroupUpdated:
			edit.Kind = groupfile.Updated
		}
		edits = append(edits, edit)
	}
	file.Apply(edits)
}

// keepWritten lets the filler add the groups that a commit has written.
func (k *keptGroups) keepWritten(changes []service.GroupChange) {
	jobs := make([]keepJob, 0, len(changes))
	for _, c := range changes {
		if c.Kind == service.GroupInserted || c.Kind == service.GroupUpdated {
			version := k.svc.GroupVersion(c.StoreKey, c.Group.ID)
			jobs = append(jobs, keepJob{storeKey: c.StoreKey, group: c.Group, version: version})
		}
	}
	if len(jobs) > 0 {
		k.add(jobs)
	}
}

// plainPage returns the page of a list of all groups, if its query has nothing but page
// and limit in their usual form.
func plainPage(key cacheKey) (cohort.Page, bool) {
	page := cohort.Page{Number: 1, Size: defaultLimit}
	if key.operation != "list" {
		return page, false
	}
	for part := range strings.SplitSeq(key.query, "&") {
		name, value, _ := strings.Cut(part, "=")
		n, ok := plainNumber(value)
		switch {
		case key.query == "":
		case name == "page" && ok:
			page.Number = n
		case name == "limit" && ok && n <= maxLimit:
			page.Size = n
		default:
			return page, false
		}
	}
	return page, true
}

// plainNumber reads a number from 1 to 99 999 999.
func plainNumber(text string) (n int, ok bool) {
	if text == "" || len(text) > 8 || text[0] < '1' || text[0] > '9' {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// sentDocument is the document of a reader. It is valid until the reader is used again.
func sentDocument(key cacheKey, r *groupfile.Reader) *api.Document {
	if key.group != 0 {
		return api.NewTagged(r.Body, r.Tag)
	}
	return api.NewUntagged(r.Body)
}

// keptResponse is the response of a reader, in memory of its own.
func keptResponse(key cacheKey, r *groupfile.Reader) response {
	body := append(make([]byte, 0, len(r.Body)), r.Body...)
	if key.group != 0 {
		return response{document: api.NewTagged(body, r.Tag)}
	}
	res := response{document: api.NewUntagged(body)}
	if page, _ := plainPage(key); len(r.IDs) == page.Size {
		res.page = append([]int64(nil), r.IDs...)
	}
	return res
}
