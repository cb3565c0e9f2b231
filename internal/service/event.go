package service

import (
	"context"
	"fmt"
	"math"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

const (
	// MaxEvents is how many events one page has at most.
	MaxEvents = 250
	// eventSlice is how many events one transaction numbers or deletes.
	eventSlice = 500
)

// origin is where the changes of a context come from.
type origin struct {
	actor, actorName, reason, requestID string
	// known says that wanted is the setting of the store, and noHooks whether it has no active
	// webhook, as the directory has it.
	known, wanted, noHooks bool
}

type originKey struct{}

func withOrigin(ctx context.Context, o *origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// ForActor returns a context for changes that no token makes. Without it, the actor is
// [cohort.ActorCommandLine].
func ForActor(ctx context.Context, actor string) context.Context {
	return withOrigin(ctx, &origin{actor: actor})
}

// WithExplanation returns a context of [ForActor] or [ForRequest] whose changes say besides
// for whom they are made, and why; "": not known. See [cohort.Event].
func WithExplanation(ctx context.Context, actorName, reason string) context.Context {
	o, _ := ctx.Value(originKey{}).(*origin)
	if o == nil || actorName == "" && reason == "" {
		return ctx
	}
	explained := *o
	explained.actorName, explained.reason = actorName, reason
	return withOrigin(ctx, &explained)
}

// recording returns a context whose transactions record their changes. For a request in a
// store without events it returns ctx, so that they cost nothing. The database decides for
// all others, with the current settings of the store.
func (s *Service) recording(ctx context.Context, storeKey string) context.Context {
	o, _ := ctx.Value(originKey{}).(*origin)
	if o == nil {
		o = &origin{actor: cohort.ActorCommandLine}
	}
	if o.known && !o.wanted {
		return ctx
	}
	now := func() time.Time { return s.timestamp(storeKey) }
	return db.WithRecorder(ctx, &db.Recorder{
		Actor: o.actor, ActorName: o.actorName, Reason: o.reason, RequestID: o.requestID, Now: now, Wanted: o.wanted, NoHooks: o.noHooks,
	})
}

// Events returns up to limit events of a store that pass a filter, in the order of their
// numbers. Every change that was acknowledged before the call has its event by then. It
// returns KindInvalid for a limit that is not from 1 to [MaxEvents].
func (s *Service) Events(ctx context.Context, storeKey string, f cohort.EventFilter, limit int) (page cohort.EventPage, err error) {
	if err := checkLimit(limit, MaxEvents); err != nil {
		return page, err
	}
	if err := s.numberEvents(ctx, storeKey); err != nil {
		return page, err
	}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		page, err = tx.ListEvents(storeKey, f, limit)
		return err
	})
	return page, err
}

// checkLimit returns KindInvalid for a size of a page that is not from 1 to most.
func checkLimit(limit, most int) error {
	if limit < 1 || limit > most {
		return cohort.Invalid("limit", fmt.Sprintf("The value must be a whole number from 1 to %d.", most))
	}
	return nil
}

// maxNumbering is how many slices one call of numberEvents numbers. Others wait for the next
// call, so that a reader does not number what many writers add at the same time.
const maxNumbering = 20

// numberEvents gives numbers to the committed events of a store that have none.
func (s *Service) numberEvents(ctx context.Context, storeKey string) error {
	var more bool
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		more, err = tx.HasUnnumberedEvents(storeKey)
		return err
	})
	if err != nil || !more {
		return err
	}
	return s.numberInbox(ctx, storeKey)
}

// numberInbox is numberEvents for a caller that knows that there are such events.
func (s *Service) numberInbox(ctx context.Context, storeKey string) (err error) {
	work := db.Unchecked(db.ForStore(ctx, storeKey))
	for i, more := 0, true; i < maxNumbering && more && err == nil; i++ {
		err = s.db.Update(work, func(tx *db.Tx) (err error) {
			more, err = tx.NumberEvents(storeKey, eventSlice)
			return err
		})
	}
	return err
}

// SweepEvents deletes the events of all stores that are too old or too many for the settings
// of the store, in slices.
func (s *Service) SweepEvents(ctx context.Context) error {
	var stores []cohort.Store
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		stores, err = tx.StoresWithEvents()
		return err
	})
	if err != nil {
		return err
	}
	for _, st := range stores {
		if err := ignoreNotFound(s.sweepEvents(ctx, st.Key, cohort.Store.MostEvents)); err != nil {
			return err
		}
	}
	return nil
}

// sweepEvents deletes the events of a store that are not kept; most says how many are kept
// at most. It numbers first, because only numbered events can be counted.
func (s *Service) sweepEvents(ctx context.Context, storeKey string, most func(cohort.Store) int64) error {
	if err := s.numberEvents(ctx, storeKey); err != nil {
		return err
	}
	work := db.Unchecked(db.ForStore(ctx, storeKey))
	var lost []cohort.Hook
	for more := true; more; {
		var losers []cohort.Hook
		err := s.db.Update(work, func(tx *db.Tx) (err error) {
			losers, more, err = s.deleteEvents(tx, storeKey, most)
			return err
		})
		if err != nil {
			return err
		}
		lost = append(lost, losers...)
	}
	for _, h := range lost {
		s.hooks.logger().Error("a webhook has lost events: it was too far behind", "store", storeKey, "hook", h.ID, "destination", hookDomain(h.Destination))
	}
	return nil
}

// hookEvents is how many times more events of a store are kept while a webhook needs them.
const hookEvents = 10

// deleteEvents deletes a slice of the events that are too old or too many. It leaves those that
// a webhook needs, within bounds, and returns the webhooks for which it deleted too much.
func (s *Service) deleteEvents(tx *db.Tx, storeKey string, most func(cohort.Store) int64) (lost []cohort.Hook, more bool, err error) {
	st, err := tx.Store(storeKey)
	if err != nil {
		return nil, false, err
	}
	kept, err := s.retention(tx, st, most(st))
	if err != nil {
		return nil, false, err
	}
	deleted, more, err := tx.DeleteOldEvents(storeKey, kept, eventSlice)
	if err != nil || deleted <= kept.Needed {
		return nil, more, err
	}
	lost, err = tx.SkipLostEvents(storeKey, deleted, "Events were deleted before they were delivered: the webhook was too far behind.", s.timestamp(storeKey))
	return lost, more, err
}

// retention returns which events of a store are kept. A store that records events for its
// webhooks only keeps none that they do not need.
func (s *Service) retention(tx *db.Tx, st cohort.Store, most int64) (kept db.EventRetention, err error) {
	kept = db.EventRetention{Oldest: s.timestamp(st.Key).Add(-st.EventAge()), Most: most, Needed: math.MaxInt64, Needless: most * hookEvents}
	if !st.HasHooks {
		return kept, nil
	}
	if !st.Events {
		kept.Most = 0
	}
	kept.Needed, err = tx.FirstHookPosition(st.Key)
	return kept, err
}
