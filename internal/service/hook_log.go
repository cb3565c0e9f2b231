package service

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// MaxDeliveries is how many deliveries one page of the log of a hook has at most.
const MaxDeliveries = 250

// HookDeliveries returns up to limit deliveries of a hook, by id, and whether there are more.
// It returns KindNotFound if the hook does not exist, and KindInvalid for a limit that is not
// from 1 to [MaxDeliveries].
func (s *Service) HookDeliveries(ctx context.Context, storeKey, client string, f cohort.DeliveryFilter, limit int) (list []cohort.HookDelivery, more bool, err error) {
	if err := checkLimit(limit, MaxDeliveries); err != nil {
		return nil, false, err
	}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		if _, err := tx.Hook(storeKey, client, f.HookID); err != nil {
			return err
		}
		list, err = tx.ListDeliveries(storeKey, f, limit+1)
		return err
	})
	if len(list) > limit {
		return list[:limit], true, err
	}
	return list, false, err
}

// RedeliverHook makes a new attempt at a delivery of a hook now, whatever has become of it. It
// returns KindNotFound, and KindConflict if the hook is not active.
func (s *Service) RedeliverHook(ctx context.Context, storeKey string, hookID, deliveryID int64) error {
	err := s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockHooks(storeKey); err != nil {
			return err
		}
		h, err := tx.Hook(storeKey, "", hookID)
		if err != nil {
			return err
		}
		if !h.Active {
			return &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf("The webhook %d is not active.", hookID)}
		}
		if err := tx.Redeliver(storeKey, hookID, deliveryID, s.timestamp(storeKey)); err != nil {
			return err
		}
		return s.wakeHook(tx, storeKey, hookID)
	})
	if err == nil {
		s.outbox.Wake()
	}
	return err
}

// HookOfDelivery returns the id of the hook of a delivery, or KindNotFound.
func (s *Service) HookOfDelivery(ctx context.Context, storeKey string, deliveryID int64) (hookID int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		hookID, err = tx.HookOfDelivery(storeKey, deliveryID)
		return err
	})
	return hookID, err
}

// HookAdmin is what a token is told of its webhooks as a whole.
type HookAdmin struct {
	Emails []string // to which mail about them goes
	Hooks  []cohort.Hook
	Total  int64 // how many pass the filter
	Blocks []cohort.HookBlock
}

// HookAdmin returns what the token of a filter is told of its webhooks, with one page of them.
func (s *Service) HookAdmin(ctx context.Context, storeKey string, f cohort.HookFilter, p cohort.Page) (a HookAdmin, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		a = HookAdmin{}
		if a.Emails, err = tx.HookEmails(storeKey, f.ClientID); err != nil {
			return err
		}
		add := func(h cohort.Hook) bool { a.Hooks = append(a.Hooks, h); return true }
		if err := tx.ReadHooks(storeKey, f, p, add); err != nil {
			return err
		}
		if a.Total, err = tx.CountHooks(storeKey, f); err != nil {
			return err
		}
		a.Blocks, err = tx.HookBlocks(storeKey, f.ClientID, s.Now(storeKey))
		return err
	})
	return a, err
}

// SetHookEmails replaces the addresses to which mail about the hooks of a token goes. It
// returns KindInvalid.
func (s *Service) SetHookEmails(ctx context.Context, storeKey, client string, emails []string) error {
	if err := cohort.CheckHookEmails(emails); err != nil {
		return err
	}
	return s.update(ctx, storeKey, func(tx *db.Tx) error { return tx.SetHookEmails(storeKey, client, emails) })
}
