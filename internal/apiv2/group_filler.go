package apiv2

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/groupfile"
	"cohort.example/cohort/internal/service"
)

// run keeps encoded groups in a temporary file beside the database until ctx ends. If the
// file cannot be used, it logs why, and every read uses the database.
func (k *keptGroups) run(ctx context.Context, log *slog.Logger) {
	folder := k.svc.DataFolder()
	if folder == "" {
		return
	}
	file, err := groupfile.Open(folder)
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	if err == nil {
		err = k.runWith(ctx, file, log)
	}
	if err != nil {
		log.Warn("the cache of groups on disk is off", "error", err)
	}
}

// runWith is run with a file, which it closes.
func (k *keptGroups) runWith(ctx context.Context, file *groupfile.File, log *slog.Logger) error {
	watching := k.watch(file)
	if !watching {
		return file.Close()
	}
	k.file.Store(file)
	f := &groupFiller{keptGroups: k, ctx: ctx, file: file, log: log}
	err := f.run()
	k.file.Store(nil)
	if ctx.Err() != nil {
		err = nil // what the end of ctx has interrupted
	}
	return errors.Join(err, file.Close())
}

// watch keeps a file up to date while it is in use. It reports whether all changes are seen.
func (k *keptGroups) watch(file *groupfile.File) bool {
	return k.svc.WatchGroups(func(changes []service.GroupChange) {
		if k.file.Load() == file {
			k.drop(file, changes)
		}
	}, func(changes []service.GroupChange) {
		if k.file.Load() == file {
			k.keepWritten(changes)
		}
	})
}

// fillAgain is the shortest time between two fills of the file. The time is also at least
// ten times what the last fill took.
const fillAgain = 10 * time.Second

// logFill is the duration from which a fill is logged.
const logFill = time.Second

// fillPiece is how many groups one transaction of a fill reads.
const fillPiece = 256

// groupFiller fills the file: at the start with the groups of all stores, and then with
// what is written and what readers miss. Its methods run on one goroutine.
type groupFiller struct {
	*keptGroups
	ctx  context.Context
	file *groupfile.File
	log  *slog.Logger

	refill <-chan time.Time // when the file is to be filled again; nil: not planned
	began  time.Time        // the last fill; zero: it has ended
	took   time.Duration
	stores []string // still to be scanned
	scan   *groupfile.Scan
	key    string // the store of the scan
	after  int64  // the last group that the scan has added
}

func (f *groupFiller) run() error {
	err := f.fill()
	ready := make(chan struct{})
	close(ready)
	for {
		if err = f.recover(err); err != nil {
			return err
		}
		scans := ready
		if f.scan == nil && len(f.stores) == 0 {
			f.endFill()
			scans = nil
		}
		select {
		case <-f.ctx.Done():
			return nil
		case jobs := <-f.jobs:
			err = f.keep(jobs)
		case key := <-f.wanted:
			err = f.want(key)
		case <-f.again:
			f.planFill()
		case <-f.refill:
			err = f.fill()
		case <-scans:
			err = f.scanPiece()
		}
	}
}

// recover empties the file and plans a fill if the file is full, or if the database was not
// available, which passes. It returns every other error.
func (f *groupFiller) recover(err error) error {
	if !errors.Is(err, groupfile.ErrFull) && cohort.KindOf(err) != cohort.KindUnavailable {
		return err
	}
	f.planFill()
	return f.file.Clear()
}

// planFill plans the next fill, after the file was emptied.
func (f *groupFiller) planFill() {
	f.stores, f.scan, f.began = nil, nil, time.Time{}
	if f.refill == nil {
		f.refill = time.After(max(fillAgain, 10*f.took))
	}
}

// fill begins to scan all stores.
func (f *groupFiller) fill() error {
	f.refill, f.began = nil, time.Now()
	stores, err := f.svc.ListStores(f.ctx)
	for _, s := range stores {
		f.stores = append(f.stores, s.Key)
	}
	return err
}

func (f *groupFiller) endFill() {
	if f.began.IsZero() {
		return
	}
	f.took, f.began = time.Since(f.began), time.Time{}
	if f.took >= logFill {
		f.log.Info("filled the cache of groups on disk", "bytes", f.file.Size(), "took", f.took)
	}
}

// want adds a store of which a page is missing.
func (f *groupFiller) want(key string) error {
	const most = 64 // groups at once
	missing := f.file.Missing(key, most)
	jobs := make([]keepJob, 0, len(missing))
	for _, id := range missing {
		version := f.svc.GroupVersion(key, id)
		g, err := f.svc.Group(f.ctx, key, id)
		if cohort.KindOf(err) == cohort.KindNotFound {
			continue
		}
		if err != nil {
			return err
		}
		jobs = append(jobs, keepJob{storeKey: key, group: g, version: version})
	}
	if len(jobs) > 0 {
		return f.keep(jobs)
	}
	if len(f.stores) < maxKeepJobs {
		f.stores = append(f.stores, key)
	}
	return nil
}

// scanPiece adds the next groups of a store to the file.
func (f *groupFiller) scanPiece() error {
	if !f.file.Roomy() {
		f.stores, f.scan = nil, nil
		return nil
	}
	if f.scan == nil {
		return f.nextScan()
	}
	f.scan.Begin()
	page := cohort.Page{Number: 1, Size: fillPiece, After: strconv.FormatInt(f.after, 10)}
	groups, err := f.svc.ListGroups(f.ctx, f.key, cohort.GroupFilter{}, page)
	if err != nil {
		f.scan = nil
		return err
	}
	records := make([]groupfile.Record, len(groups))
	for i, g := range groups {
		records[i] = recordOf(g)
		f.after = g.ID
	}
	more, err := f.scan.End(records, len(groups) < fillPiece)
	if !more {
		f.scan = nil
	}
	return err
}

func (f *groupFiller) nextScan() (err error) {
	f.key, f.stores, f.after = f.stores[0], f.stores[1:], 0
	f.scan, err = f.file.Scan(f.key)
	return err
}

// keep adds groups to the file that are still as they were read.
func (f *groupFiller) keep(jobs []keepJob) error {
	for len(jobs) > 0 {
		n := 1
		for n < len(jobs) && jobs[n].storeKey == jobs[0].storeKey {
			n++
		}
		if err := f.keepOfStore(jobs[:n]); err != nil {
			return err
		}
		jobs = jobs[n:]
	}
	return nil
}

func (f *groupFiller) keepOfStore(jobs []keepJob) error {
	key := jobs[0].storeKey
	records := make([]groupfile.Record, len(jobs))
	for i, j := range jobs {
		if j.body == nil {
			records[i] = recordOf(j.group)
			continue
		}
		records[i] = groupfile.Record{ID: j.group.ID, Tag: api.TagOf(j.body), Body: j.body}
	}
	return f.file.Put(key, records, func(i int) bool {
		return f.svc.GroupVersion(key, records[i].ID) == jobs[i].version
	})
}

func recordOf(g cohort.Group) groupfile.Record {
	body := appendGroup(make([]byte, 0, usualGroup), g)
	return groupfile.Record{ID: g.ID, Tag: api.TagOf(body), Body: body}
}
