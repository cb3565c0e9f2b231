package txn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// foreignWriteInterval is how often an idle writer checks whether another process has
// written.
const foreignWriteInterval = 200 * time.Millisecond

// writer runs all updates on one connection. Requests that wait together share a
// transaction and its commit, which is group commit; see docs/decisions/0028.
type writer struct {
	session session
	engine  *engine
	changed func([]Change) // called with the changes of each commit
	written func()         // called after each batch
	files   *fileWatch     // of the session's files

	// notifying is a channel from before a commit until all watchers know of it, and
	// closed then.
	notifying atomic.Pointer[chan struct{}]

	mu      sync.Mutex
	queue   []*updateRequest
	enough  int // length of the queue at which arrived is signalled
	closed  bool
	arrived chan struct{} // the queue is long enough, or closed was set
	pauses  chan func()
	stopped chan struct{}

	// Only the writer goroutine uses the following fields.
	size           int           // length of the last batch
	took           time.Duration // duration of the last commit
	version        int64         // PRAGMA data_version, which other processes change
	ids            *ids
	authorizations authorizations
	slow           map[string]bool // the stores whose last request took longer than maxSharedTime
}

func newWriter(s session, e *engine) (*writer, error) {
	w := &writer{
		session: s, engine: e, ids: newIDs(), authorizations: authorizations{}, slow: map[string]bool{},
		arrived: make(chan struct{}, 1), pauses: make(chan func()), stopped: make(chan struct{}),
	}
	var err error
	w.version, err = w.foreignVersion()
	return w, err
}

// do queues an update request and waits for its outcome.
func (w *writer) do(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := newUpdateRequest(ctx, fn)
	w.add(t)
	return t.wait(ctx)
}

func (w *writer) add(t *updateRequest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, t)
	if len(w.queue) >= w.enough {
		w.signal()
	}
}

func (w *writer) signal() {
	select {
	case w.arrived <- struct{}{}:
	default: // signalled already
	}
}

// pause runs fn between two batches and waits for it.
func (w *writer) pause(fn func()) {
	done := make(chan struct{})
	select {
	case w.pauses <- func() { defer close(done); fn() }:
		<-done
	case <-w.stopped:
	}
}

// stop ends the writer after every queued request is finished.
func (w *writer) stop() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
	<-w.stopped
	return w.session.close()
}

// run is the writer goroutine.
func (w *writer) run() {
	defer close(w.stopped)
	ticks := time.NewTicker(foreignWriteInterval)
	defer ticks.Stop()
	for {
		select {
		case <-w.arrived:
			if w.drain() {
				return
			}
		case fn := <-w.pauses:
			fn()
		case <-ticks.C:
			_ = w.checkFiles(w.files.check)
			_ = w.checkForeignWrites() // the next transaction reports an error
		}
	}
}

// drain runs batches until the queue is empty. It reports whether the writer was
// stopped.
func (w *writer) drain() (stopped bool) {
	for {
		w.linger()
		batch, shared, closed := w.take()
		if len(batch) == 0 {
			w.size = 0 // do not linger for the next request
			return closed
		}
		w.process(batch, shared)
		w.written()
		select {
		case fn := <-w.pauses:
			fn()
		default:
		}
	}
}

// take removes the next batch from the queue. shared is whether it is of several stores.
func (w *writer) take() (batch []*updateRequest, shared, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.enough = 0 // signal every request
	batch, w.queue, shared = fairShare(w.queue, maxBatch)
	return batch, shared, w.closed
}

// giveBack puts requests that were not started at the front of the queue.
func (w *writer) giveBack(requests []*updateRequest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(requests, w.queue...)
}

// process runs a batch in one transaction and finishes its requests.
func (w *writer) process(batch []*updateRequest, shared bool) {
	if err := w.begin(); err != nil {
		w.refuse(batch, fmt.Errorf("begin: %w", err))
		return
	}
	tx := &Tx{ctx: context.Background(), lookups: context.Background(), session: w.session, engine: w.engine, ids: w.ids}
	ran, rest := w.runBatch(tx, batch, shared)
	w.giveBack(rest)
	err := w.commitAndNotify(tx)
	w.size = len(ran)
	for _, t := range ran {
		t.finish(err)
	}
}

// begin begins a transaction and checks for writes of other processes. After an
// error the transaction may be gone, and a savepoint would start a new one.
func (w *writer) begin() error {
	if err := w.checkMissing(); err != nil {
		return err
	}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := w.checkForeignWrites()
	if err != nil {
		_ = w.exec("ROLLBACK")
	}
	return err
}

// refuse finishes the requests of a batch whose transaction could not begin.
func (w *writer) refuse(batch []*updateRequest, err error) {
	err = w.engine.classify(err)
	for _, t := range batch {
		if t.start() {
			close(t.ran)
			t.finish(err)
		}
	}
}

// runBatch runs requests until their time is over or the transaction is broken. It
// returns the requests that it ran, and the rest.
func (w *writer) runBatch(tx *Tx, batch []*updateRequest, shared bool) (ran, rest []*updateRequest) {
	begun := time.Now()
	for i, t := range batch {
		took := time.Since(begun)
		if tx.broken != nil || len(ran) > 0 && took > w.batchTime(t, shared) {
			return ran, batch[i:]
		}
		if t.start() {
			w.runRequest(tx, t)
			ran = append(ran, t)
			w.noteTime(t.store, time.Since(begun)-took)
		}
	}
	return ran, nil
}

// runRequest runs a request in a savepoint, so that a failure undoes only its own
// work.
func (w *writer) runRequest(tx *Tx, t *updateRequest) {
	changes := len(tx.changes)
	tx.closingFrom = len(tx.closing)
	defer func() { w.endRequest(tx, t.err == nil, changes) }()
	if err := w.authorizations.check(tx, t.authorization); err != nil {
		close(t.ran)
		t.err = err
		return
	}
	if _, err := tx.Exec("SAVEPOINT request"); err != nil {
		close(t.ran)
		t.err = tx.abandon(err)
		return
	}
	if t.err = t.run(tx); t.err == nil {
		if _, err := tx.Exec("RELEASE request"); err != nil {
			t.err = tx.abandon(err)
		}
		return
	}
	t.err = tx.engine.classify(t.err)
	if tx.broken != nil {
		return
	}
	_, err := tx.Exec("ROLLBACK TO request")
	if err == nil {
		_, err = tx.Exec("RELEASE request")
	}
	if err != nil {
		_ = tx.abandon(err) // the request has an error already
	}
}

// endRequest drops the changes of a failed request, from index from on. After a
// success it updates the writer's caches.
func (w *writer) endRequest(t *Tx, ok bool, from int) {
	w.ids.endRequest(ok)
	if !ok {
		t.changes, t.closing = t.changes[:from], t.closing[:t.closingFrom]
		return
	}
	for _, c := range t.changes[from:] {
		switch c.Kind {
		case StoreDeleted:
			w.ids.forgetStore(c.StoreKey)
			clear(w.authorizations)
		case TokenDeleted:
			clear(w.authorizations)
		}
	}
}

// commitAndNotify commits and notifies the watchers of the changes, if there are any.
func (w *writer) commitAndNotify(tx *Tx) error {
	if len(tx.changes) > 0 {
		notified := make(chan struct{})
		w.notifying.Store(&notified)
		defer func() {
			w.notifying.Store(nil)
			close(notified)
		}()
	}
	err := w.commit(tx)
	if err == nil {
		w.changed(tx.changes)
	}
	return err
}

// awaitNotified waits until the watchers know of every commit that a reader may have
// seen. A commit is readable a moment before the watchers are notified. A client
// that has read it and then asks a cache must not get an older value.
func (w *writer) awaitNotified() {
	if notified := w.notifying.Load(); notified != nil {
		<-*notified
	}
}

// commit commits the transaction. After an error it is rolled back.
func (w *writer) commit(tx *Tx) error {
	err := tx.broken
	if err == nil {
		err = tx.insertClosing(tx.closing)
	}
	if err == nil {
		err = w.ids.write(tx)
	}
	if err == nil {
		err = w.checkFiles(w.files.checkWritten)
	}
	begun := time.Now()
	if err == nil {
		err = w.exec("COMMIT")
	}
	w.took = time.Since(begun)
	w.ids.endTransaction(err == nil)
	if err == nil {
		return w.confirm()
	}
	clear(w.authorizations) // some may depend on this transaction
	// SQLite may have rolled back by itself; ROLLBACK fails then.
	_ = w.exec("ROLLBACK")
	return w.engine.classify(fmt.Errorf("commit: %w", err))
}

// checkForeignWrites checks whether another process has written since the last call,
// and invalidates every cache if so.
func (w *writer) checkForeignWrites() error {
	version, err := w.foreignVersion()
	if err != nil || version == w.version {
		return err
	}
	w.version = version
	w.ids.endTransaction(false)
	clear(w.authorizations)
	w.changed([]Change{{Kind: AnythingChanged}})
	return nil
}

func (w *writer) foreignVersion() (version int64, err error) {
	tx := &Tx{ctx: context.Background(), lookups: context.Background(), session: w.session, engine: w.engine}
	err = tx.QueryRow("PRAGMA data_version").Scan(&version)
	return version, err
}

func (w *writer) exec(query string) error {
	_, err := w.session.exec(context.Background(), query, nil)
	return err
}

// abandon marks the transaction as broken: it will be rolled back.
func (t *Tx) abandon(err error) error {
	if t.broken == nil {
		t.broken = t.engine.classify(errors.Join(errors.New("the transaction is lost"), err))
	}
	return t.broken
}
