package service

import (
	"context"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

const (
	// hooksDueEvery is how often RunHooks looks for events that another process has recorded,
	// or this one before a crash.
	hooksDueEvery = time.Second
	// maxDispatches is how many stores are dispatched at the same time.
	maxDispatches = 4
	// manyEvents is after how many events a query finds out which of them no hook needs.
	manyEvents = 10 * eventSlice
)

// RunHooks puts a message for each webhook that new events concern into the outbox, until ctx
// ends. Without [WithHookSender] it does nothing.
func (s *Service) RunHooks(ctx context.Context, log *slog.Logger) {
	if s.hookSender == nil {
		return
	}
	s.hooks.mu.Lock()
	s.hooks.log = log
	s.hooks.mu.Unlock()
	var running sync.WaitGroup
	defer running.Wait()
	ticker := time.NewTicker(hooksDueEvery)
	defer ticker.Stop()
	failing := &failures{log: log}
	failing.note(ctx, s.pollHooks(ctx))
	for ctx.Err() == nil {
		for _, key := range s.hooks.take() {
			running.Go(func() {
				defer s.hooks.done(key)
				failing.note(ctx, s.dispatch(ctx, key))
			})
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
			failing.note(ctx, s.pollHooks(ctx))
		case <-s.hooks.wake:
		}
	}
}

// failures logs the first of several failures.
type failures struct {
	log *slog.Logger
	mu  sync.Mutex
	on  bool
}

func (f *failures) note(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && !f.on {
		f.log.Error("cannot look for events for webhooks; retrying", "error", err)
	}
	f.on = err != nil
}

// pollHooks marks the stores with events for which no hook was woken. It also writes down
// how far this process has looked, where no hook wanted anything.
func (s *Service) pollHooks(ctx context.Context) error {
	var keys []string
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		keys, err = tx.StoresToDispatch()
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		if looked := s.hooks.lookedAt(key); looked > 0 {
			err := s.db.Update(db.Unchecked(db.ForStore(ctx, key)), func(tx *db.Tx) error { return tx.MoveHookDispatch(key, looked) })
			if err := ignoreNotFound(err); err != nil {
				return err
			}
			s.hooks.setLooked(key, 0)
		}
		s.hooks.mark(key)
	}
	return nil
}

// dispatch wakes the hooks of a store for its new events.
func (s *Service) dispatch(ctx context.Context, storeKey string) error {
	for more, numbered := true, false; more && ctx.Err() == nil; {
		var found woken
		err := s.db.View(ctx, func(tx *db.Tx) (err error) {
			if found, err = s.lookForHooks(tx, storeKey, numbered); err != nil {
				return err
			}
			found.hooks, err = s.notHeld(tx, storeKey, found.hooks)
			return err
		})
		switch {
		case err != nil:
			return ignoreNotFound(err)
		case found.unnumbered:
			if err := s.numberInbox(ctx, storeKey); err != nil {
				return ignoreNotFound(err)
			}
			numbered = true
			s.hooks.hurry(storeKey)
			continue
		case found.last == 0:
			return nil
		}
		if err := s.wakeFound(ctx, storeKey, found); err != nil {
			return ignoreNotFound(err)
		}
		more = found.more
	}
	return nil
}

// wakeFound wakes the hooks that were found, except those that a handler attends to.
func (s *Service) wakeFound(ctx context.Context, storeKey string, found woken) error {
	found.hooks = s.hooks.notAttended(storeKey, found.hooks, found.last)
	if len(found.hooks) == 0 {
		s.hooks.setLooked(storeKey, found.last)
		return nil
	}
	err := s.db.Update(db.Unchecked(db.ForStore(ctx, storeKey)), func(tx *db.Tx) error { return s.wakeHooks(tx, storeKey, found) })
	if err != nil {
		return err
	}
	s.hooks.setLooked(storeKey, 0)
	s.outbox.Wake()
	return nil
}

// ignoreNotFound returns the error of work in the background on a store, which may have been
// deleted meanwhile.
func ignoreNotFound(err error) error {
	if cohort.KindOf(err) == cohort.KindNotFound {
		return nil
	}
	return err
}

// woken are the hooks that want some of the next events.
type woken struct {
	hooks []cohort.Hook
	first map[int64]int64 // the number of the first event that a hook wants, by its id
	last  int64           // the number of the last event; 0: there are no new events
	more  bool
	// unnumbered says that events have to get numbers first.
	unnumbered bool
}

// lookForHooks finds the hooks that want the next events of a store. It reads the events
// first: a hook that was created before an event was recorded is there then. If not numbered,
// it finds nothing while there are events without a number.
func (s *Service) lookForHooks(tx *db.Tx, storeKey string, numbered bool) (found woken, err error) {
	d, err := tx.HookDispatch(storeKey)
	if err != nil || !d.Active {
		return found, err
	}
	if d.Unnumbered && !numbered {
		found.unnumbered = true
		return found, nil
	}
	after := max(d.Number, s.hooks.lookedAt(storeKey))
	if d.Last <= after {
		return found, nil
	}
	if d.Last-after > manyEvents { // the first hook of a store is not told of what was before
		first, err := tx.FirstHookPosition(storeKey)
		if err != nil {
			return found, err
		}
		after = max(after, first)
	}
	events, err := tx.EventsAfter(storeKey, after, eventSlice)
	if err != nil || len(events) == 0 {
		return found, err
	}
	found.last = events[len(events)-1].Number
	found.more = found.last < d.Last
	messages := firstMessages(events)
	if len(messages) == 0 {
		return found, nil
	}
	hooks, err := tx.ActiveHooks(storeKey, patternsOf(messages))
	if err != nil {
		return found, err
	}
	found.first = make(map[int64]int64, len(hooks))
	for _, h := range hooks {
		for _, m := range messages {
			if wantsMessage(h, m) {
				found.hooks = append(found.hooks, h)
				found.first[h.ID] = m.Number
				break
			}
		}
	}
	return found, nil
}

// notHeld returns those of some hooks that have to be woken now. The message of a hook that
// is held has to be there: another node may have replaced the store, and the message with it.
func (s *Service) notHeld(tx *db.Tx, storeKey string, list []cohort.Hook) (wake []cohort.Hook, err error) {
	now := s.Now(storeKey)
	for _, h := range list {
		held := s.hooks.isHeld(storeKey, h.ID, now)
		if held {
			if held, err = s.outbox.Has(tx, storeKey, HookKind, hookMessage(storeKey, h).Subject); err != nil {
				return nil, err
			}
		}
		if !held {
			wake = append(wake, h)
		}
	}
	return wake, nil
}

// firstMessages returns the first message of each scope that events give.
func firstMessages(events []cohort.Event) (first []cohort.HookMessage) {
	type key struct {
		scope string
		exact bool
	}
	seen := map[key]bool{}
	for _, m := range cohort.HookMessages(events) {
		if k := (key{m.Scope, m.ExactOnly}); !seen[k] {
			seen[k] = true
			first = append(first, m)
		}
	}
	return first
}

// patternsOf returns the scopes of hooks that want any of some messages.
func patternsOf(messages []cohort.HookMessage) (patterns []string) {
	seen := map[string]bool{}
	add := func(pattern string) {
		if !seen[pattern] {
			seen[pattern] = true
			patterns = append(patterns, pattern)
		}
	}
	for _, m := range messages {
		add(m.Scope)
		if m.ExactOnly {
			continue
		}
		for i, c := range m.Scope {
			if c == '/' {
				add(m.Scope[:i+1] + "*")
			}
		}
	}
	return patterns
}

// wantsMessage reports whether a hook is told a message.
func wantsMessage(h cohort.Hook, m cohort.HookMessage) bool {
	return h.Scope == m.Scope || !m.ExactOnly && h.Wants(m.Scope)
}

// wakeHooks puts a message for each hook into the outbox. Several nodes may do so for the
// same events, which only makes the hooks look again.
func (s *Service) wakeHooks(tx *db.Tx, storeKey string, found woken) error {
	now := s.timestamp(storeKey)
	messages := make([]outbox.Message, len(found.hooks))
	for i, h := range found.hooks {
		messages[i] = hookMessage(storeKey, h)
		if err := tx.AwaitHookEvent(storeKey, HookKind, messages[i].Subject, h.ID, found.first[h.ID], now); err != nil {
			return err
		}
	}
	if err := s.outbox.PutAll(tx, messages); err != nil {
		return err
	}
	return tx.MoveHookDispatch(storeKey, found.last)
}

// HookKind is the kind of the outbox's messages that wake hooks. Their subjects are ids of
// hooks. They have no payload: what there is to do is in other tables.
const HookKind = "hook"

// hookMessage is the message that wakes a hook. Its destination is a host: that is what is
// slow or down, and what the number of connections is limited for.
func hookMessage(storeKey string, h cohort.Hook) outbox.Message {
	return outbox.Message{Store: storeKey, Kind: HookKind, Subject: strconv.FormatInt(h.ID, 10), Destination: hookDomain(h.Destination)}
}

// hookDomain returns the host of a destination, with its port if it is not the default.
func hookDomain(destination string) string {
	u, err := url.Parse(destination)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if port := u.Port(); port != "" && port != "443" && port != "80" {
		host += ":" + port
	}
	return host
}
