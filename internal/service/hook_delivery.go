package service

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

const (
	// MaxWaitingDeliveries is how many deliveries of one hook wait for an attempt. At that
	// number a hook takes no more events, and only repeats.
	MaxWaitingDeliveries = 1000
	// hookConcurrency is how many messages of one hook are sent at the same time.
	hookConcurrency = 16
	// hookPage is how many events, and how many waiting deliveries, a hook takes at a time.
	hookPage = 250
	// maxHookPages is how many pages of events, of which a hook wants none, one transaction
	// reads.
	maxHookPages = 20
	// hookSlice is for how long a hook sends before others that wait have their turns.
	hookSlice = time.Second
	// hookTimeout bounds a turn of a hook: a slice, the last attempt in it, and the end.
	hookTimeout = 20 * time.Second
	// hookReserve is the time at the end of a turn to write down what became of the attempts.
	hookReserve = 3 * time.Second
)

// hookLadder are the waits after a failed attempt, by the clock of the store. After the last
// one the hook is deactivated.
var hookLadder = []time.Duration{
	60 * time.Second, 180 * time.Second, 300 * time.Second, 600 * time.Second, 900 * time.Second, 1800 * time.Second,
	3600 * time.Second, 7200 * time.Second, 21600 * time.Second, 50400 * time.Second, 86400 * time.Second,
}

// hookHandler sends what there is to send for a hook.
type hookHandler struct{ s *Service }

// Deliver implements outbox.Handler. It returns nil when nothing is left to do.
func (h hookHandler) Deliver(ctx context.Context, m outbox.Message) error {
	id, err := strconv.ParseInt(m.Subject, 10, 64)
	if err != nil {
		return outbox.Permanent(err)
	}
	return h.s.deliverHook(ctx, m.Store, id)
}

// errHookMoved means that someone else has moved the position of a hook.
var errHookMoved = errors.New("the position of the webhook has changed")

// deliverHook sends what there is to send for a hook, while it attends to it.
func (s *Service) deliverHook(ctx context.Context, storeKey string, id int64) error {
	key := heldKey{storeKey, id}
	a := s.hooks.attend(ctx, key)
	err := s.sendHook(db.ForStore(ctx, storeKey), storeKey, id, a)
	if unseen := s.hooks.leave(key, a); unseen && (err == nil || outbox.IsAgain(err)) {
		return outbox.Again(time.Time{})
	}
	return err
}

// sendHook sends waiting deliveries that are due, and events after the position of a hook,
// until nothing is left and no more events come, or its turn is over.
func (s *Service) sendHook(ctx context.Context, storeKey string, id int64, a *attendance) error {
	begun := time.Now()
	end, linger := begun.Add(hookSlice), begun.Add(hookLinger)
	s.hooks.hold(storeKey, id, time.Time{})
	for {
		s.hooks.looks(a)
		run, err := s.readHook(ctx, storeKey, id)
		switch {
		case cohort.KindOf(err) == cohort.KindNotFound:
			return nil // the hook or the store is deleted
		case err != nil:
			return err
		case !run.work.Hook.Active:
			return s.failWaiting(ctx, run)
		case run.now.Before(run.work.BlockedUntil):
			return s.holdHook(run, run.work.BlockedUntil)
		}
		a.seen = run.to
		if !run.hasWork() {
			if s.outbox.IsCrowded() || !s.hooks.awaitMore(a, linger) {
				return run.next()
			}
			continue
		}
		run.send(ctx, end)
		err = s.recordHook(context.WithoutCancel(ctx), run)
		if errors.Is(err, errHookMoved) {
			return outbox.Again(time.Time{})
		}
		if err != nil {
			return ignoreNotFound(err)
		}
		now := time.Now()
		linger = now.Add(hookLinger)
		if !now.Before(end) {
			if s.outbox.IsCrowded() || now.Sub(begun) >= hookTurn {
				return outbox.Again(time.Time{})
			}
			end = now.Add(hookSlice)
		}
	}
}

// holdHook returns the result of a handler for a hook that sends nothing before a time, also
// of new events.
func (s *Service) holdHook(run *hookRun, until time.Time) error {
	s.hooks.hold(run.store, run.work.Hook.ID, until)
	return outbox.Again(until)
}

// hookRun is a part of a hook's turn: what is sent at the same time, and one transaction.
type hookRun struct {
	s       *Service
	store   string
	work    db.HookWork
	now     time.Time // of the store, when the work was read
	retries []*hookItem
	events  []*hookItem // by number
	to      int64       // the number of the last event that was read
	blocked *hookBlock  // what the attempts have led to
}

// hookItem is a message, and what became of it.
type hookItem struct {
	cohort.HookDelivery
	told time.Time // the date of the event
	// behind says that an earlier message about the subject has to be delivered first.
	behind bool
	sent   bool // an attempt was made
}

// readHook reads what there is to do for a hook.
func (s *Service) readHook(ctx context.Context, storeKey string, id int64) (run *hookRun, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		run = &hookRun{s: s, store: storeKey, now: s.timestamp(storeKey)}
		if run.work, err = tx.HookWork(storeKey, id, hookDomain, run.now); err != nil {
			return err
		}
		run.to = run.work.Position
		if !run.work.Hook.Active || run.now.Before(run.work.BlockedUntil) {
			return nil
		}
		if err := run.addRetries(tx); err != nil {
			return err
		}
		return run.addEvents(tx)
	})
	return run, err
}

// heads returns the first waiting delivery of each subject.
func (r *hookRun) heads() (heads []db.HookedDelivery) {
	seen := make(map[string]bool, len(r.work.Waiting))
	for _, d := range r.work.Waiting {
		if !seen[d.Subject] {
			seen[d.Subject] = true
			heads = append(heads, d)
		}
	}
	return heads
}

// addRetries adds waiting deliveries that are due and first of their subject.
func (r *hookRun) addRetries(tx *db.Tx) error {
	var ids []int64
	for _, d := range r.heads() {
		if !d.RunAt.After(r.now) && len(ids) < hookPage {
			ids = append(ids, d.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	list, err := tx.HookDeliveries(r.store, ids)
	for _, d := range list {
		r.retries = append(r.retries, &hookItem{HookDelivery: d})
	}
	return err
}

// addEvents adds the messages of the first page of events after the position of which the
// hook wants some.
func (r *hookRun) addEvents(tx *db.Tx) error {
	w := r.work
	if w.Position < 0 || w.Hook.Scope == cohort.ScopeDeliveryException || len(w.Waiting) >= MaxWaitingDeliveries {
		return nil
	}
	waiting := map[string]bool{}
	for _, d := range w.Waiting {
		waiting[d.Subject] = true
	}
	for range maxHookPages {
		events, err := tx.EventsAfter(r.store, r.to, hookPage)
		if err != nil || len(events) == 0 {
			return err
		}
		r.to = events[len(events)-1].Number
		for _, m := range cohort.HookMessages(events) {
			if wantsMessage(w.Hook, m) {
				r.events = append(r.events, r.item(m, waiting[m.Subject]))
			}
		}
		if len(r.events) > 0 {
			return nil
		}
	}
	return nil
}

func (r *hookRun) item(m cohort.HookMessage, behind bool) *hookItem {
	return &hookItem{told: m.Date, behind: behind, HookDelivery: cohort.HookDelivery{
		HookID: r.work.Hook.ID, EventNumber: m.Number, Subject: m.Subject, Scope: m.Scope,
		Body:  string(m.Body(r.work.Store.Number(), r.work.Store.Hash)),
		State: cohort.DeliveryWaiting, NextAttempt: r.now, DateCreated: r.now, DateModified: r.now,
	}}
}

// hasWork reports whether there is something to send, or events to leave behind that the hook
// does not want.
func (r *hookRun) hasWork() bool {
	return len(r.retries)+len(r.events) > 0 || r.to-r.work.Position >= hookPage*maxHookPages
}

// next returns the result of a handler that has nothing to do now.
func (r *hookRun) next() error {
	var first time.Time
	for _, d := range r.heads() {
		if first.IsZero() || d.RunAt.Before(first) {
			first = d.RunAt
		}
	}
	switch {
	case first.IsZero():
		return nil
	case len(r.work.Waiting) >= MaxWaitingDeliveries:
		return r.s.holdHook(r, first)
	}
	return outbox.Again(first)
}

// settle decides what becomes of the messages of events to which no attempt was made. Those
// before a message that was sent wait in a row of their own. All after the last one that was
// sent are left in the events, so that a slow destination does not fill the table.
func (r *hookRun) settle() {
	var sent int64
	for _, it := range r.events {
		if it.sent {
			sent = max(sent, it.EventNumber)
		}
	}
	for i, it := range r.events {
		if !it.sent && !it.behind && it.EventNumber > sent {
			r.to = it.EventNumber - 1
			r.events = r.events[:i]
			for len(r.events) > 0 && r.events[len(r.events)-1].EventNumber > r.to { // another one of the same event
				r.events = r.events[:len(r.events)-1]
			}
			return
		}
	}
}

// attempted returns the items to which an attempt was made.
func (r *hookRun) attempted() (list []*hookItem) {
	for _, items := range [][]*hookItem{r.retries, r.events} {
		for _, it := range items {
			if it.sent {
				list = append(list, it)
			}
		}
	}
	return list
}

// recordHook writes down what became of a run.
func (s *Service) recordHook(ctx context.Context, run *hookRun) error {
	run.settle()
	var given bool
	var told []cohort.Hook
	isTime := sync.OnceValue(func() bool {
		h := run.work.Hook
		return s.hooks.told.take(windowKey{run.store, h.ClientID, h.Destination}, s.timestamp(run.store))
	})
	err := s.db.Update(db.Unchecked(ctx), func(tx *db.Tx) error {
		given, told = false, nil
		if run.hasFailed() { // the hook may become inactive
			if err := tx.LockHooks(run.store); err != nil {
				return err
			}
		}
		hook, err := tx.MoveHook(run.store, run.work.Hook.ID, run.work.Position, run.to, len(run.attempted()) > 0, s.timestamp(run.store))
		if err != nil || !hook.Exists {
			return err
		}
		if !hook.Moved {
			return errHookMoved
		}
		if err := run.write(tx); err != nil {
			return err
		}
		if given = hook.Active && run.hasFailed(); given || !hook.Active {
			if err := s.endHook(tx, run, hook.Active); err != nil {
				return err
			}
		}
		told, err = s.tellExceptions(tx, run, given, isTime)
		return err
	})
	if err != nil {
		return err
	}
	s.noteRun(run, given)
	if len(told) > 0 {
		s.outbox.Wake()
	}
	return nil
}

// write writes the deliveries.
func (r *hookRun) write(tx *db.Tx) error {
	for _, it := range r.retries {
		if !it.sent {
			continue
		}
		if err := tx.UpdateDelivery(r.store, it.HookDelivery); err != nil {
			return err
		}
	}
	rows := make([]cohort.HookDelivery, len(r.events))
	for i, it := range r.events {
		rows[i] = it.HookDelivery
	}
	if err := tx.InsertDeliveries(r.store, rows); err != nil {
		return err
	}
	if b := r.blocked; b != nil {
		h := r.work.Hook
		return tx.BlockDomain(r.store, h.ClientID, hookDomain(h.Destination), b.until, b.reason, b.failed, r.s.timestamp(r.store))
	}
	return nil
}

// hasFailed reports whether a delivery has failed for the last time.
func (r *hookRun) hasFailed() bool {
	for _, it := range r.attempted() {
		if it.State == cohort.DeliveryFailed {
			return true
		}
	}
	return false
}

// Why deliveries have failed without an attempt.
const (
	reasonGivenUp  = "The webhook was deactivated, because its destination failed for too long."
	reasonInactive = "The webhook is not active."
	reasonUnused   = "The webhook was deactivated, because it delivered nothing for 90 days."
)

// endHook deactivates a hook that has failed for too long. If another caller has done so, it
// ends its deliveries.
func (s *Service) endHook(tx *db.Tx, run *hookRun, active bool) error {
	if active {
		return tx.DeactivateHook(run.store, run.work.Hook.ID, reasonGivenUp, s.timestamp(run.store))
	}
	return tx.FailWaiting(run.store, run.work.Hook.ID, reasonInactive, s.timestamp(run.store))
}

// failWaiting ends the deliveries of a hook that is not active any more.
func (s *Service) failWaiting(ctx context.Context, run *hookRun) error {
	if len(run.work.Waiting) == 0 {
		return nil
	}
	return ignoreNotFound(s.db.Update(db.Unchecked(ctx), func(tx *db.Tx) error {
		exists, active, err := tx.HookState(run.store, run.work.Hook.ID)
		if err != nil || !exists || active {
			return err
		}
		return tx.FailWaiting(run.store, run.work.Hook.ID, reasonInactive, run.now)
	}))
}

// noteRun counts what became of a run that is committed, and logs what an operator has to
// know.
func (s *Service) noteRun(run *hookRun, given bool) {
	for _, it := range run.attempted() {
		s.hooks.stats.count(it.State)
	}
	h := run.work.Hook
	if given {
		s.hooks.logger().Warn("webhook deactivated: its destination failed for too long",
			"store", run.store, "hook", h.ID, "scope", h.Scope, "destination", hookDomain(h.Destination))
	}
	if run.blocked != nil {
		s.hooks.logger().Warn("destination of webhooks blocked for some minutes: too many calls fail",
			"store", run.store, "client", h.ClientID, "destination", hookDomain(h.Destination), "error", run.blocked.reason)
	}
}
