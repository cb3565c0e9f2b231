package outbox_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/clock"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/outbox"
)

// The kind of the messages of these tests, and the timeout of an attempt at one.
const (
	kind    = "discount"
	timeout = 2 * time.Second
)

var errDown = errors.New("down\x1b[31m\nfor now")

// system is a handler that stands for a system outside the database. It keeps the
// newest version of each subject, and fails the test for concurrent calls about a
// subject, for an older version after a newer one, and for a version with two payloads.
type system struct {
	t *testing.T
	// respond, if it is set, decides the result of a call.
	respond func(ctx context.Context, m outbox.Message) error

	mu        sync.Mutex
	received  []outbox.Message
	running   map[subject]bool
	newest    map[subject]outbox.Message
	payloads  map[string]string // by store and version
	delivered int
	top       int // the most calls at a time
}

type subject struct{ store, kind, subject string }

func subjectOf(m outbox.Message) subject { return subject{m.Store, m.Kind, m.Subject} }

func newSystem(t *testing.T) *system {
	return &system{t: t, running: map[subject]bool{}, newest: map[subject]outbox.Message{}, payloads: map[string]string{}}
}

func (s *system) Deliver(ctx context.Context, m outbox.Message) (err error) {
	s.begin(m)
	returned := false // and did not panic
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, subjectOf(m))
		if err == nil && returned {
			s.newest[subjectOf(m)] = m
			s.delivered++
		}
	}()
	if s.respond != nil {
		err = s.respond(ctx, m)
	}
	returned = true
	return err
}

func (s *system) begin(m outbox.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[subjectOf(m)] {
		s.t.Errorf("two calls about %v at the same time", subjectOf(m))
	}
	s.running[subjectOf(m)] = true
	s.top = max(s.top, len(s.running))
	if last := s.newest[subjectOf(m)]; m.Version < last.Version {
		s.t.Errorf("version %d of %v after %d", m.Version, subjectOf(m), last.Version)
	}
	version := fmt.Sprint(m.Store, " ", m.Version)
	if payload, again := s.payloads[version]; again && string(m.Payload) != payload {
		s.t.Errorf("version %d has the payload %s, and had %s", m.Version, m.Payload, payload)
	}
	s.payloads[version] = string(m.Payload)
	s.received = append(s.received, m)
}

func (s *system) newestOf(of subject) outbox.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest[of]
}

// calls returns the calls since the last call of it.
func (s *system) calls() []outbox.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	received := s.received
	s.received = nil
	return received
}

// count returns how many calls of a sort there are since the last call of calls.
func (s *system) count(of func(outbox.Message) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.received {
		if of(m) {
			n++
		}
	}
	return n
}

func anyMessage(outbox.Message) bool { return true }

func ofStore(key string) func(outbox.Message) bool {
	return func(m outbox.Message) bool { return m.Store == key }
}

func ofDestination(name string) func(outbox.Message) bool {
	return func(m outbox.Message) bool { return m.Destination == name }
}

func (s *system) successes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delivered
}

// mostRunning returns the most calls at a time so far.
func (s *system) mostRunning() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.top
}

// fixture is a database with the store "a", and a node with an outbox for it.
type fixture struct {
	url    string
	db     *db.DB
	outbox *outbox.Outbox
	clocks *clock.Set
	system *system
	ahead  atomic.Int64 // what the clock of the outbox is ahead, in nanoseconds
	log    entries
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned
}

// entries is the writer of a log; each write is an entry.
type entries struct {
	mu   sync.Mutex
	list []string
}

func (e *entries) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, string(p))
	return len(p), nil
}

func (e *entries) get() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// each runs a test in a bubble, where time passes only when nothing else happens, on
// an empty database of each engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) { inBubble(t, url, fn) })
}

// eachLogic is each for tests whose queries other tests run on every engine; see
// [dbtest.EachLogic].
func eachLogic(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	dbtest.EachLogicURL(t, func(t *testing.T, url string) { inBubble(t, url, fn) })
}

func inBubble(t *testing.T, url string, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{url: url, db: dbtest.Open(t, url), system: newSystem(t), done: make(chan struct{})}
		f.clocks = clock.New(f.now)
		f.outbox = f.newOutbox(f.db)
		f.addStores(t, "a")
		fn(t, f)
	})
}

func (f *fixture) newOutbox(d *db.DB) *outbox.Outbox {
	o := outbox.New(d, f.now, f.clocks)
	o.Handle(kind, outbox.Kind{Handler: f.system, Timeout: timeout})
	return o
}

func (f *fixture) now() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }

// pass moves the clock of the outbox forward. It costs nothing, while a long sleep
// makes the database do all its periodic work.
func (f *fixture) pass(d time.Duration) { f.ahead.Add(int64(d)) }

// node returns the outbox of another node.
func (f *fixture) node(t *testing.T) *outbox.Outbox {
	t.Helper()
	return f.newOutbox(dbtest.Open(t, f.url))
}

func (f *fixture) addStores(t *testing.T, keys ...string) {
	t.Helper()
	f.update(t, func(tx *db.Tx) error {
		for _, key := range keys {
			if err := tx.InsertStore(cohort.Store{Hash: key, Plan: cohort.PlanUnlimited, DateCreated: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *fixture) update(t *testing.T, fn func(tx *db.Tx) error) {
	t.Helper()
	if err := f.db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// message returns a message about the subject "7" of store a.
func message(payload string) outbox.Message {
	return outbox.Message{Store: "a", Kind: kind, Subject: "7", Payload: []byte(payload)}
}

// put puts messages into the outbox for workers, in one transaction.
func (f *fixture) put(t *testing.T, messages ...outbox.Message) {
	t.Helper()
	f.update(t, func(tx *db.Tx) error {
		for _, m := range messages {
			if err := f.outbox.Put(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// many returns n messages of a store with a destination, about one subject each.
func many(n int, store, destination string) (list []outbox.Message) {
	for i := range n {
		list = append(list, outbox.Message{
			Store: store, Kind: kind, Subject: fmt.Sprint(destination, "/", i), Destination: destination, Payload: []byte("{}"),
		})
	}
	return list
}

// pending puts a message into an outbox for DeliverNow. The lock stands for the lock
// on the row that a change of the subject holds.
func pending(ctx context.Context, t *testing.T, f *fixture, o *outbox.Outbox, m outbox.Message) (p *outbox.Pending) {
	t.Helper()
	err := f.db.Update(context.WithoutCancel(ctx), func(tx *db.Tx) (err error) {
		if err := tx.LockFlags(m.Store); err != nil {
			return err
		}
		p, err = o.PutPending(tx, m)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return p
}

// deliver puts a message into an outbox and delivers it, as a request does.
func (f *fixture) deliver(ctx context.Context, t *testing.T, o *outbox.Outbox, m outbox.Message) error {
	t.Helper()
	return o.DeliverNow(ctx, pending(ctx, t, f, o, m))
}

// entries returns the messages of store a that are stored.
func (f *fixture) entries(t *testing.T) []outbox.Entry {
	t.Helper()
	list, err := f.outbox.List(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (f *fixture) wantEntries(t *testing.T, want int) {
	t.Helper()
	synctest.Wait()
	if list := f.entries(t); len(list) != want {
		t.Errorf("%d messages are stored, want %d: %+v", len(list), want, list)
	}
}

func (f *fixture) lease(t *testing.T) []outbox.Leased {
	t.Helper()
	leased, err := f.outbox.Lease(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	return leased
}

// attempt makes an attempt at the only message that is due.
func (f *fixture) attempt(t *testing.T) outbox.Outcome {
	t.Helper()
	leased := f.lease(t)
	if len(leased) != 1 {
		t.Fatalf("%d messages are due", len(leased))
	}
	out := f.outbox.Attempt(t.Context(), leased[0])
	if out.Unrecorded != nil {
		t.Error(out.Unrecorded)
	}
	return out
}

func (f *fixture) wantNewest(t *testing.T, payload string) {
	t.Helper()
	if m := f.system.newestOf(subject{"a", kind, "7"}); string(m.Payload) != payload {
		t.Errorf("the system has %s, want %s", m.Payload, payload)
	}
}

// run starts the workers of the fixture's outbox and returns when they wait.
func (f *fixture) run(t *testing.T) {
	t.Helper()
	f.cancel = runOutbox(t, f.outbox, &f.log, f.done)
	synctest.Wait()
}

// runOutbox starts the workers of an outbox, which stop at the end of the test or when
// cancel is called. done is closed then, unless it is nil.
func runOutbox(t *testing.T, o *outbox.Outbox, log *entries, done chan struct{}) (cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	done = cmp.Or(done, make(chan struct{}))
	go func() {
		defer close(done)
		o.Run(ctx, slog.New(slog.NewTextHandler(log, nil)))
	}()
	t.Cleanup(func() { cancel(); <-done })
	return cancel
}

func (f *fixture) hasStopped() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

func (f *fixture) wantNoLog(t *testing.T) {
	t.Helper()
	if lines := f.log.get(); len(lines) != 0 {
		t.Errorf("log %q", lines)
	}
}

func TestPutOfAnUnknownKind(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		err := f.db.Update(t.Context(), func(tx *db.Tx) error {
			return f.outbox.Put(tx, outbox.Message{Store: "a", Kind: "unknown", Subject: "7"})
		})
		if err == nil {
			t.Error("a message without a handler is accepted")
		}
		f.wantEntries(t, 0)
	})
}

func TestHandleChecksTheKind(t *testing.T) {
	for name, k := range map[string]outbox.Kind{
		"": {Timeout: timeout}, "two words": {Timeout: timeout}, "untimed": {},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it is accepted")
				}
			}()
			outbox.New(nil, time.Now, nil).Handle(name, k)
		})
	}
}

// Has reports a message that is still to be delivered.
func TestHas(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		want := func(want bool) {
			t.Helper()
			f.update(t, func(tx *db.Tx) error {
				has, err := f.outbox.Has(tx, "a", kind, "7")
				if has != want {
					t.Errorf("has %v", has)
				}
				return err
			})
		}
		want(false)
		f.put(t, message("5"))
		want(true)
		if out := f.attempt(t); out.Failure != nil {
			t.Error(out.Failure)
		}
		want(false)
	})
}
