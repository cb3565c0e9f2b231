package txn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of a batch. Everybody in it waits for its commit, so it must not
// go on for long; what does not fit into it is in the next one.
const (
	maxBatch     = 256
	maxBatchTime = 20 * time.Millisecond
)

// maxCompany is how long a batch waits at most for more turns.
const maxCompany = 5 * time.Millisecond

// lookAroundEvery is how often the writer looks whether another process has
// written, when it has nothing to write itself.
const lookAroundEvery = 200 * time.Millisecond

// writer carries out updates on one connection. Those that wait together share
// a transaction and its commit; docs/decisions has a drawing.
type writer struct {
	session session
	engine  *engine
	changed func([]Change) // told of what is committed
	written func()         // told that something is
	files   *fileWatch     // which the session has open

	// telling is open from before a commit until everybody is told what it changed.
	telling atomic.Pointer[chan struct{}]

	mu      sync.Mutex
	queue   []*turn
	enough  int // turns in the queue of which arrived tells
	closed  bool
	arrived chan struct{} // the queue has enough turns, or closed was set
	pauses  chan func()
	stopped chan struct{}

	// What follows belongs to the writer's goroutine.
	size    int           // of the last batch
	took    time.Duration // its commit
	version int64         // of the database, as other processes change it
	ids     *ids
	tickets tickets
}

func newWriter(s session, e *engine) (*writer, error) {
	w := &writer{
		session: s, engine: e, ids: newIDs(), tickets: tickets{},
		arrived: make(chan struct{}, 1), pauses: make(chan func()), stopped: make(chan struct{}),
	}
	var err error
	w.version, err = w.foreignVersion()
	return w, err
}

// do takes a turn and returns what became of it.
func (w *writer) do(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := newTurn(ctx, fn)
	w.add(t)
	return t.wait(ctx)
}

func (w *writer) add(t *turn) {
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

// pause runs fn between two batches.
func (w *writer) pause(fn func()) {
	done := make(chan struct{})
	select {
	case w.pauses <- func() { defer close(done); fn() }:
		<-done
	case <-w.stopped:
	}
}

// stop ends the writer when every turn has had its answer.
func (w *writer) stop() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
	<-w.stopped
	return w.session.close()
}

// run is the writer's goroutine.
func (w *writer) run() {
	defer close(w.stopped)
	ticks := time.NewTicker(lookAroundEvery)
	defer ticks.Stop()
	for {
		select {
		case <-w.arrived:
			if w.workOff() {
				return
			}
		case fn := <-w.pauses:
			fn()
		case <-ticks.C:
			_ = w.lookForFiles(w.files.check)
			_ = w.lookAround() // if the database is in trouble, whoever uses it will say so
		}
	}
}

// workOff carries out batch after batch until nobody waits. It reports whether
// the writer was stopped.
func (w *writer) workOff() (stopped bool) {
	for {
		w.awaitCompany()
		batch, closed := w.take()
		if len(batch) == 0 {
			w.size = 0 // whoever comes now is alone
			return closed
		}
		w.carryOut(batch)
		w.written()
		select {
		case fn := <-w.pauses:
			fn()
		default:
		}
	}
}

// awaitCompany waits for the callers of the last batch to come back. Without
// it one half of them queues while the other half is committed, for ever. It
// never waits for longer than half a commit, and a lone caller not at all.
func (w *writer) awaitCompany() {
	if w.size < 2 || !w.expect(w.size) {
		return
	}
	timeout := time.NewTimer(min(w.took/2, maxCompany))
	defer timeout.Stop()
	select {
	case <-w.arrived:
	case <-timeout.C:
	}
}

// expect has arrived tell when there are so many more turns in the queue. It
// returns false if nobody has to be waited for.
func (w *writer) expect(more int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.queue) >= maxBatch {
		return false
	}
	w.enough = len(w.queue) + more
	select {
	case <-w.arrived: // of those who are in the queue
	default:
	}
	return true
}

// take takes the next batch out of the queue.
func (w *writer) take() (batch []*turn, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.enough = 0 // from now on tell of everybody
	batch, w.queue = fairShare(w.queue, maxBatch)
	return batch, w.closed
}

// giveBack puts turns that were not started in front of the queue.
func (w *writer) giveBack(turns []*turn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(turns, w.queue...)
}

// carryOut runs a batch in one transaction and answers those who were in it.
func (w *writer) carryOut(batch []*turn) {
	if err := w.begin(); err != nil {
		w.refuse(batch, fmt.Errorf("begin: %w", err))
		return
	}
	tx := &Tx{ctx: context.Background(), lookups: context.Background(), session: w.session, engine: w.engine, ids: w.ids}
	ran, rest := w.runBatch(tx, batch)
	w.giveBack(rest)
	err := w.commitAndTell(tx)
	w.size = len(ran)
	for _, t := range ran {
		t.answer(err)
	}
}

// begin begins a transaction, and looks around in it. If that fails there may be
// no transaction any more, and the first savepoint would be one of its own.
func (w *writer) begin() error {
	if err := w.refuseAway(); err != nil {
		return err
	}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := w.lookAround()
	if err != nil {
		_ = w.exec("ROLLBACK")
	}
	return err
}

// refuse answers a batch of which nothing could be begun.
func (w *writer) refuse(batch []*turn, err error) {
	err = w.engine.classify(err)
	for _, t := range batch {
		if t.start() {
			close(t.ran)
			t.answer(err)
		}
	}
}

// runBatch runs turns until the batch has taken its time or is in trouble. It
// returns those that it ran, and the rest.
func (w *writer) runBatch(tx *Tx, batch []*turn) (ran, rest []*turn) {
	begun := time.Now()
	for i, t := range batch {
		if tx.broken != nil || len(ran) > 0 && time.Since(begun) > maxBatchTime {
			return ran, batch[i:]
		}
		if t.start() {
			w.runTurn(tx, t)
			ran = append(ran, t)
		}
	}
	return ran, nil
}

// runTurn runs a turn in a savepoint, so that if it fails nothing but its own
// work is undone.
func (w *writer) runTurn(tx *Tx, t *turn) {
	changes := len(tx.changes)
	defer func() { w.endTurn(tx, t.err == nil, changes) }()
	if err := w.tickets.check(tx, t.ticket); err != nil {
		close(t.ran)
		t.err = err
		return
	}
	if _, err := tx.Exec("SAVEPOINT turn"); err != nil {
		close(t.ran)
		t.err = tx.abandon(err)
		return
	}
	if t.err = t.run(tx); t.err == nil {
		if _, err := tx.Exec("RELEASE turn"); err != nil {
			t.err = tx.abandon(err)
		}
		return
	}
	t.err = tx.engine.classify(t.err)
	if tx.broken != nil {
		return
	}
	_, err := tx.Exec("ROLLBACK TO turn")
	if err == nil {
		_, err = tx.Exec("RELEASE turn")
	}
	if err != nil {
		_ = tx.abandon(err) // the turn has an error of its own
	}
}

// endTurn takes back what a turn that failed has told of, from the given change
// on.
func (w *writer) endTurn(t *Tx, ok bool, from int) {
	w.ids.endTurn(ok)
	if !ok {
		t.changes = t.changes[:from]
		return
	}
	for _, c := range t.changes[from:] {
		switch c.Kind {
		case StoreDeleted:
			w.ids.forgetStore(c.StoreHash)
			clear(w.tickets)
		case TokenDeleted:
			clear(w.tickets)
		}
	}
}

// commitAndTell commits and tells what was changed, if anything was.
func (w *writer) commitAndTell(tx *Tx) error {
	if len(tx.changes) > 0 {
		told := make(chan struct{})
		w.telling.Store(&told)
		defer func() {
			w.telling.Store(nil)
			close(told)
		}()
	}
	err := w.commit(tx)
	if err == nil {
		w.changed(tx.changes)
	}
	return err
}

// awaitNotified returns when everybody is told of what a reader can have seen by
// now. What is committed can be read a moment before it is told: who has read it
// and then asks somebody who keeps answers must not be shown less.
func (w *writer) awaitNotified() {
	if told := w.telling.Load(); told != nil {
		<-*told
	}
}

// commit ends the transaction. After an error nothing of it is there.
func (w *writer) commit(tx *Tx) error {
	err := tx.broken
	if err == nil {
		err = w.ids.write(tx)
	}
	if err == nil {
		err = w.lookForFiles(w.files.checkWritten)
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
	clear(w.tickets) // some may be for what was not committed
	// In trouble SQLite may have ended the transaction by itself, and says so.
	_ = w.exec("ROLLBACK")
	return w.engine.classify(fmt.Errorf("commit: %w", err))
}

// lookAround looks whether another process has written since the last time.
func (w *writer) lookAround() error {
	version, err := w.foreignVersion()
	if err != nil || version == w.version {
		return err
	}
	w.version = version
	w.ids.endTransaction(false)
	clear(w.tickets)
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

// abandon gives the transaction up: what is in it is not committed.
func (t *Tx) abandon(err error) error {
	if t.broken == nil {
		t.broken = t.engine.classify(errors.Join(errors.New("the transaction is lost"), err))
	}
	return t.broken
}
