package service

import (
	"context"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

const (
	// KeptDeliveries is how many deliveries that succeeded the log of a hook keeps.
	KeptDeliveries = 200
	// DeliveryAge is for how long the log of a hook keeps a delivery.
	DeliveryAge = 7 * 24 * time.Hour
	// HookIdle is after how long a hook is deactivated that has delivered nothing. Source: the
	// vendor's page about webhooks.
	HookIdle = 90 * 24 * time.Hour
	// sweptDeliveries is how many deliveries one transaction of the sweep deletes.
	sweptDeliveries = 1000
	// sweptHooks is how many hooks one query of the sweep finds.
	sweptHooks = 500
)

// SweepHooks deletes old deliveries of all stores, deactivates unused hooks, and
// moves the positions of hooks past events that they do not want. After a failure in one store
// it goes on with the others.
func (s *Service) SweepHooks(ctx context.Context) error {
	var stores []string
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		stores, err = tx.StoresWithHooks()
		return err
	})
	for _, key := range stores {
		if failed := ignoreNotFound(s.sweepHooks(ctx, key)); failed != nil {
			err = failed
		}
	}
	return err
}

func (s *Service) sweepHooks(ctx context.Context, storeKey string) error {
	now := s.timestamp(storeKey)
	work := db.Unchecked(db.ForStore(ctx, storeKey))
	err := s.db.Update(work, func(tx *db.Tx) error {
		if err := tx.AdvanceHooks(storeKey, HookKind); err != nil {
			return err
		}
		if err := tx.EndOrphanDeliveries(storeKey, now); err != nil {
			return err
		}
		return tx.DeleteOldBlocks(storeKey, now)
	})
	if err != nil {
		return err
	}
	if err := s.endUnusedHooks(work, storeKey, now); err != nil {
		return err
	}
	return s.sweepDeliveries(work, storeKey, now)
}

// endUnusedHooks deactivates the hooks that have delivered nothing for HookIdle.
func (s *Service) endUnusedHooks(ctx context.Context, storeKey string, now time.Time) error {
	since := now.Add(-HookIdle)
	unused := 0
	err := s.db.View(ctx, func(tx *db.Tx) error {
		hooks, err := tx.UnusedHooks(storeKey, since)
		unused = len(hooks)
		return err
	})
	if err != nil || unused == 0 {
		return err
	}
	var hooks []cohort.Hook
	err = s.db.Update(ctx, func(tx *db.Tx) (err error) {
		if err := tx.LockHooks(storeKey); err != nil {
			return err
		}
		if hooks, err = tx.UnusedHooks(storeKey, since); err != nil {
			return err
		}
		for _, h := range hooks {
			if err := tx.DeactivateHook(storeKey, h.ID, reasonUnused, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, h := range hooks {
		s.hooks.logger().Warn("webhook deactivated: it delivered nothing for 90 days",
			"store", storeKey, "hook", h.ID, "scope", h.Scope, "destination", hookDomain(h.Destination))
	}
	return nil
}

// sweepDeliveries deletes old deliveries of a store.
func (s *Service) sweepDeliveries(ctx context.Context, storeKey string, now time.Time) error {
	for after := int64(0); ; {
		var hooks []int64
		err := s.db.View(ctx, func(tx *db.Tx) (err error) {
			hooks, err = tx.HooksWithDeliveries(storeKey, after, sweptHooks)
			return err
		})
		if err != nil || len(hooks) == 0 {
			return err
		}
		for _, id := range hooks {
			for more := true; more; {
				err := s.db.Update(ctx, func(tx *db.Tx) (err error) {
					more, err = tx.DeleteOldDeliveries(storeKey, id, KeptDeliveries, now.Add(-DeliveryAge), sweptDeliveries)
					return err
				})
				if err != nil {
					return err
				}
			}
		}
		after = hooks[len(hooks)-1]
	}
}
