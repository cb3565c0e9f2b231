package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// The methods below take the id of the token that hooks belong to. A hook of another token
// does not exist for it. "" is the command line, which sees all hooks.

// Hook returns a hook, or KindNotFound.
func (s *Service) Hook(ctx context.Context, storeKey, client string, id int64) (h cohort.Hook, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		h, err = tx.Hook(storeKey, client, id)
		return err
	})
	return h, err
}

// ReadHooks sends one page of the hooks that pass the filter, by id, to a sink. It returns the
// number of all that pass.
func (s *Service) ReadHooks(ctx context.Context, storeKey string, f cohort.HookFilter, p cohort.Page, to Sink[cohort.Hook]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadHooks(storeKey, f, p, to.Add); err != nil {
			return err
		}
		total, err = tx.CountHooks(storeKey, f)
		return err
	})
	return total, err
}

// CreateHook adds a hook, which is told of what happens from now on. It returns KindInvalid,
// and KindConflict if the token has a hook with this scope and destination or as many of the
// scope as it may have.
func (s *Service) CreateHook(ctx context.Context, storeKey string, h cohort.Hook) (cohort.Hook, error) {
	if err := s.checkHook(cohort.Hook{}, h); err != nil {
		return cohort.Hook{}, err
	}
	if err := s.numberBefore(ctx, storeKey); err != nil {
		return cohort.Hook{}, err
	}
	h.DateCreated = s.timestamp(storeKey)
	h.DateModified = h.DateCreated
	var created cohort.Hook
	err := s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockHooks(storeKey); err != nil {
			return err
		}
		n, err := tx.CountHooks(storeKey, cohort.HookFilter{})
		if err != nil {
			return err
		}
		if n >= cohort.MaxHooks {
			return &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf("The store has %d webhooks, as many as a store can have.", n)}
		}
		if err := checkOtherHooks(tx, storeKey, h); err != nil {
			return err
		}
		if created, err = tx.InsertHook(storeKey, h); err != nil {
			return err
		}
		if err := tx.BeginHook(storeKey, created.ID, created.DateCreated); err != nil {
			return err
		}
		return tx.RefreshHooks(storeKey)
	})
	return created, err
}

// UpdateHook changes a hook and returns its new state. A hook that becomes active is told of
// what happens from now on. It returns KindNotFound, and the errors of CreateHook.
func (s *Service) UpdateHook(ctx context.Context, storeKey, client string, id int64, u cohort.HookUpdate) (after cohort.Hook, err error) {
	if u.Active != nil && *u.Active {
		if err := s.numberBefore(ctx, storeKey); err != nil {
			return cohort.Hook{}, err
		}
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockHooks(storeKey); err != nil {
			return err
		}
		before, err := tx.Hook(storeKey, client, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := s.checkHook(before, after); err != nil {
			return err
		}
		if after.Scope != before.Scope || after.Destination != before.Destination {
			if err := checkOtherHooks(tx, storeKey, after); err != nil {
				return err
			}
		}
		after.DateModified = laterOf(s.timestamp(storeKey), before.DateModified)
		if err := tx.UpdateHook(storeKey, after); err != nil {
			return err
		}
		if after.Active && !before.Active {
			if err := s.resumeHook(tx, storeKey, after); err != nil {
				return err
			}
		}
		return tx.RefreshHooks(storeKey)
	})
	if err != nil {
		return cohort.Hook{}, err
	}
	if after.Active {
		s.outbox.Wake()
	}
	return after, nil
}

// resumeHook makes a hook begin again with the events that are still to come, and with the
// deliveries that wait.
func (s *Service) resumeHook(tx *db.Tx, storeKey string, h cohort.Hook) error {
	if err := tx.BeginHook(storeKey, h.ID, h.DateModified); err != nil {
		return err
	}
	return s.wakeHook(tx, storeKey, h.ID)
}

// numberBefore numbers the events that a hook is not told of, because they come before it.
func (s *Service) numberBefore(ctx context.Context, storeKey string) error {
	if db.Joined(ctx) { // RebuildStore does it at its end
		return nil
	}
	return s.numberEvents(ctx, storeKey)
}

// checkHook returns KindInvalid for a hook that a store cannot have. before is the hook until
// now.
func (s *Service) checkHook(before, h cohort.Hook) error {
	if err := h.Validate(); err != nil {
		return err
	}
	// The owner can make a hook inactive whose destination is not allowed any more.
	if s.hookSender == nil || h.Destination == before.Destination && !h.Active {
		return nil
	}
	err := s.hookSender.CheckDestination(h.Destination)
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Kind == cohort.KindInvalid {
		return cohort.Invalid("destination", cmp.Or(e.Reason, e.Message))
	}
	return err
}

// checkOtherHooks returns KindConflict if a hook cannot be beside the others of its token. The
// caller holds the lock of LockHooks.
func checkOtherHooks(tx *db.Tx, storeKey string, h cohort.Hook) error {
	scope, exception := h.Scope, cohort.ScopeDeliveryException
	same, err := tx.ListHooks(storeKey, cohort.HookFilter{ClientID: h.ClientID, Scope: &scope}, cohort.MaxHooksPerScope+1)
	if err != nil {
		return err
	}
	others := 0
	for _, other := range same {
		if other.ID == h.ID {
			continue
		}
		others++
		if other.Destination == h.Destination {
			return hookConflict("destination", "Another webhook has this scope and this destination.")
		}
	}
	switch {
	case scope == exception && others > 0:
		return hookConflict("scope", "There is a webhook with the scope "+exception+" already.")
	case others >= cohort.MaxHooksPerScope:
		return hookConflict("scope", fmt.Sprintf("There are %d webhooks with this scope already.", others))
	}
	return checkExceptionHook(tx, storeKey, h)
}

// checkExceptionHook returns KindConflict if the hook that is told of failures has the
// destination of another hook.
func checkExceptionHook(tx *db.Tx, storeKey string, h cohort.Hook) error {
	exception := cohort.ScopeDeliveryException
	of := cohort.HookFilter{ClientID: h.ClientID, Destination: &h.Destination}
	if h.Scope != exception {
		of.Scope = &exception
	}
	same, err := tx.ListHooks(storeKey, of, 2)
	if err != nil {
		return err
	}
	for _, other := range same {
		if other.ID != h.ID {
			return hookConflict("destination", "The webhook with the scope "+exception+" must have a destination of its own.")
		}
	}
	return nil
}

func hookConflict(field, reason string) error {
	return &cohort.Error{Kind: cohort.KindConflict, Field: field, Reason: reason}
}

// DeleteHook deletes a hook with its deliveries, and returns it as it was. It returns
// KindNotFound.
func (s *Service) DeleteHook(ctx context.Context, storeKey, client string, id int64) (h cohort.Hook, err error) {
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockHooks(storeKey); err != nil {
			return err
		}
		if h, err = tx.Hook(storeKey, client, id); err != nil {
			return err
		}
		if err := tx.DeleteHook(storeKey, id); err != nil {
			return err
		}
		return tx.RefreshHooks(storeKey)
	})
	if err != nil {
		return cohort.Hook{}, err
	}
	return h, s.deleteDeliveries(ctx, storeKey, id)
}

// deliverySlice is how many deliveries one transaction deletes.
const deliverySlice = 500

// deleteDeliveries deletes the deliveries of a hook that does not exist any more, in slices.
func (s *Service) deleteDeliveries(ctx context.Context, storeKey string, hookID int64) error {
	work := db.Unchecked(db.ForStore(context.WithoutCancel(ctx), storeKey))
	for more := true; more; {
		err := s.db.Update(work, func(tx *db.Tx) (err error) {
			more, err = tx.DeleteDeliveries(storeKey, hookID, deliverySlice)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ListHooks returns all hooks of a store, of all tokens, by id.
func (s *Service) ListHooks(ctx context.Context, storeKey string) (hooks []cohort.Hook, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		hooks, err = tx.ListHooks(storeKey, cohort.HookFilter{}, cohort.MaxHooks)
		return err
	})
	return hooks, err
}
