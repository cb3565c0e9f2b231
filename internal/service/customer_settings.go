package service

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// The default group and the guest group in the settings of a store are the flags of its
// groups, and stored only there. A transaction that changes settings locks the flags
// first, then groups, then channels.

// CustomerSettings returns the settings of a store.
func (s *Service) CustomerSettings(ctx context.Context, storeKey string) (settings cohort.CustomerSettings, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		settings, err = tx.CustomerSettings(storeKey)
		return err
	})
	return settings, err
}

// UpdateCustomerSettings changes the settings of a store and returns the new state. A
// group that becomes the default or the guest group takes the flag from the group that
// had it. An unset value leaves the setting unchanged. It returns KindInvalid if a group
// does not exist or a value is invalid.
func (s *Service) UpdateCustomerSettings(ctx context.Context, storeKey string, u cohort.CustomerSettingsUpdate) (after cohort.CustomerSettings, err error) {
	if err := u.Validate(); err != nil {
		return after, err
	}
	u = u.WithoutUnset()
	if u.IsEmpty() {
		return s.CustomerSettings(ctx, storeKey)
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockFlags(storeKey); err != nil {
			return err
		}
		before, err := tx.CustomerSettings(storeKey)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := s.putFlags(tx, storeKey, before, after); err != nil {
			return err
		}
		return tx.PutCustomerSettings(storeKey, before, after)
	})
	if err != nil {
		return cohort.CustomerSettings{}, err
	}
	return after, nil
}

// putFlags moves the flags of the groups from the settings before to those after. The
// flags are locked.
func (s *Service) putFlags(tx *db.Tx, storeKey string, before, after cohort.CustomerSettings) error {
	movesDefault := *after.DefaultGroupID != *before.DefaultGroupID
	movesGuest := *after.GuestGroupID != *before.GuestGroupID
	now := s.timestamp(storeKey)
	if movesDefault {
		if err := tx.ClearDefaultGroup(storeKey, now); err != nil {
			return err
		}
	}
	if movesGuest {
		if err := tx.ClearGuestGroup(storeKey, now); err != nil {
			return err
		}
	}
	if movesGuest {
		if err := s.setFlag(tx, storeKey, guestField, *after.GuestGroupID); err != nil {
			return err
		}
	}
	if movesDefault {
		return s.setFlag(tx, storeKey, defaultField, *after.DefaultGroupID)
	}
	return nil
}

// The fields of the groups in the body of settings.
const (
	guestField   = "customer_group_settings.guest_customer_group_id"
	defaultField = "customer_group_settings.default_customer_group_id"
)

// setFlag sets the flag of a field of the settings on a group. Group 0 is none.
func (s *Service) setFlag(tx *db.Tx, storeKey, field string, id int64) error {
	if id == 0 {
		return nil
	}
	before, err := tx.GroupForUpdate(storeKey, id)
	if err != nil {
		return unknown(err, field, unknownGroup(id))
	}
	after := before
	if field == defaultField {
		after.IsDefault = true
	} else {
		after.IsGroupForGuests = true
	}
	after.DateModified = laterOf(s.timestamp(storeKey), before.DateModified)
	return tx.UpdateGroup(storeKey, before, after)
}

func unknownGroup(id int64) string { return fmt.Sprintf("Customer group id %d does not exist.", id) }

// ChannelSettings returns the settings of a channel. In a store with a managed catalog it
// returns KindNotFound if the channel does not exist.
func (s *Service) ChannelSettings(ctx context.Context, storeKey string, channelID int64) (settings cohort.CustomerSettings, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		store, err := tx.Store(storeKey)
		if err != nil {
			return err
		}
		if err := checkChannel(tx, store, channelID); err != nil {
			return noChannel(err, channelID)
		}
		settings, err = tx.ChannelSettings(storeKey, channelID)
		return err
	})
	return settings, err
}

// noChannel turns the error of a channel that does not exist into KindNotFound.
func noChannel(err error, channelID int64) error {
	if cohort.KindOf(err) == cohort.KindInvalid {
		return cohort.NotFound(fmt.Sprintf("channel %d", channelID))
	}
	return err
}

// UpdateChannelSettings changes the settings of a channel and returns the new state. It
// returns KindNotFound as ChannelSettings does, and KindInvalid if a group does not
// exist, a value is invalid, or too many channels have settings.
func (s *Service) UpdateChannelSettings(ctx context.Context, storeKey string, channelID int64, u cohort.CustomerSettingsUpdate) (after cohort.CustomerSettings, err error) {
	if err := u.Validate(); err != nil {
		return after, err
	}
	if u.IsEmpty() {
		return s.ChannelSettings(ctx, storeKey, channelID)
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockFlags(storeKey); err != nil {
			return err
		}
		// Groups are locked before channels; the error of a channel comes first.
		groupErr := checkSettingsGroups(tx, storeKey, u)
		exists, err := holdChannels(tx, storeKey, []int64{channelID})
		switch {
		case err != nil:
			return err
		case !exists(channelID):
			return cohort.NotFound(fmt.Sprintf("channel %d", channelID))
		case groupErr != nil:
			return groupErr
		}
		if err := checkSettingsCount(tx, storeKey, channelID); err != nil {
			return err
		}
		before, err := tx.ChannelSettings(storeKey, channelID)
		if err != nil {
			return err
		}
		if after = u.Apply(before); after == (cohort.CustomerSettings{}) {
			return tx.DeleteChannelSettings(storeKey, channelID)
		}
		return tx.PutChannelSettings(storeKey, channelID, before, after, u)
	})
	if err != nil {
		return cohort.CustomerSettings{}, err
	}
	return after, nil
}

// checkSettingsGroups returns KindInvalid if a group of the update does not exist. The
// groups that exist cannot be deleted until the transaction ends.
func checkSettingsGroups(tx *db.Tx, storeKey string, u cohort.CustomerSettingsUpdate) error {
	for _, g := range []struct {
		field string
		id    *int64
	}{{guestField, u.GuestGroupID.Value}, {defaultField, u.DefaultGroupID.Value}} {
		if g.id == nil || *g.id == 0 {
			continue
		}
		has, err := tx.HasGroup(storeKey, *g.id)
		if err != nil {
			return err
		}
		if !has {
			return cohort.Invalid(g.field, unknownGroup(*g.id))
		}
	}
	return nil
}

// checkSettingsCount returns KindInvalid if as many other channels have settings as a
// store may have.
func checkSettingsCount(tx *db.Tx, storeKey string, channelID int64) error {
	n, err := tx.CountChannelSettings(storeKey, channelID)
	if err == nil && n >= cohort.MaxChannelSettings {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: fmt.Sprintf(
			"At most %d channels of a store may have customer settings of their own.", cohort.MaxChannelSettings)}
	}
	return err
}
