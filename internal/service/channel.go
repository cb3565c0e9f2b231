package service

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreateChannel adds a channel to a store and returns it as stored, with its id and
// dates. An empty status takes its default.
//
// It returns KindInvalid if a rule of channels is broken or the store has too many
// channels, and KindConflict if another channel has the name, platform and type.
func (s *Service) CreateChannel(ctx context.Context, storeKey string, c cohort.Channel) (created cohort.Channel, err error) {
	if c.Status == "" {
		c.Status = cohort.DefaultChannelStatus(c.Type)
	}
	if err := c.ValidateNew(); err != nil {
		return cohort.Channel{}, err
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockChannels(storeKey); err != nil {
			return err
		}
		if err := checkChannelName(tx, storeKey, c); err != nil {
			return err
		}
		n, err := tx.CountOpenChannels(storeKey)
		if err != nil {
			return err
		}
		if n >= cohort.MaxChannels {
			return &cohort.Error{Kind: cohort.KindInvalid, Message: fmt.Sprintf("A store may have at most %d channels.", cohort.MaxChannels)}
		}
		c.DateCreated = s.timestamp(storeKey)
		c.DateModified = c.DateCreated
		created, err = tx.CreateChannel(storeKey, c)
		return err
	})
	if err != nil {
		return cohort.Channel{}, err
	}
	return created, nil
}

// checkChannelName returns KindConflict if another channel has the name, platform and
// type of c.
func checkChannelName(tx *db.Tx, storeKey string, c cohort.Channel) error {
	id, err := tx.ChannelIDByName(storeKey, c)
	if err != nil || id == 0 || id == c.ID {
		return err
	}
	return &cohort.Error{ // the text is the vendor's
		Kind:    cohort.KindConflict,
		Message: fmt.Sprintf("Channel already exists with name: %q, platform: %q, and type: %q", c.Name, c.Platform, c.Type),
	}
}

// Channel returns a channel, deleted or not, or KindNotFound.
func (s *Service) Channel(ctx context.Context, storeKey string, id int64) (c cohort.Channel, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		c, err = tx.Channel(storeKey, id)
		return err
	})
	return c, err
}

// ReadChannels sends one page of the channels that pass the filter, by id, to a sink.
// Deleted channels are among them. It returns the number of all that pass, or 0 for a
// page with a cursor.
func (s *Service) ReadChannels(ctx context.Context, storeKey string, f cohort.ChannelFilter, p cohort.Page, to Sink[cohort.Channel]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadChannels(storeKey, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountChannels(storeKey, f)
		return err
	})
	return total, err
}

// UpdateChannel changes a channel and returns the new state. An empty update changes
// nothing. The status deleted deletes the channel with its customer settings and the
// assignments of price lists and products to it. Its category tree stays, without a
// channel.
//
// Errors are those of CreateChannel, KindNotFound, and KindInvalid for a channel that is
// deleted.
func (s *Service) UpdateChannel(ctx context.Context, storeKey string, id int64, u cohort.ChannelUpdate) (after cohort.Channel, err error) {
	if u.IsEmpty() {
		return s.openChannel(ctx, storeKey, id)
	}
	deletes := u.Status != nil && *u.Status == cohort.ChannelDeleted
	err = s.updateAssigned(ctx, storeKey, func(tx *db.Tx) error {
		assigned := cohort.AssignmentFilter{ChannelIDs: []int64{id}}
		var groups map[int64]cohort.Group
		if deletes { // groups are locked before channels
			if groups, err = lockAssigned(tx, storeKey, assigned); err != nil {
				return err
			}
		}
		if after, err = s.writeChannel(tx, storeKey, id, u); err != nil || !deletes {
			return err
		}
		if err := s.deleteAssignments(tx, storeKey, assigned, groups); err != nil {
			return err
		}
		if err := tx.DeleteChannelSettings(storeKey, id); err != nil {
			return err
		}
		if err := tx.LeaveCategoryTree(storeKey, id); err != nil {
			return err
		}
		if err := leaveChannel(tx, storeKey, id); err != nil {
			return err
		}
		return tx.PruneChannels(storeKey, cohort.MaxDeletedChannels)
	})
	if err != nil {
		return cohort.Channel{}, err
	}
	return after, nil
}

// openChannel is Channel with the error of UpdateChannel for a deleted channel.
func (s *Service) openChannel(ctx context.Context, storeKey string, id int64) (cohort.Channel, error) {
	c, err := s.Channel(ctx, storeKey, id)
	if err == nil && c.Status == cohort.ChannelDeleted {
		return cohort.Channel{}, errChannelDeleted()
	}
	return c, err
}

func (s *Service) writeChannel(tx *db.Tx, storeKey string, id int64, u cohort.ChannelUpdate) (after cohort.Channel, err error) {
	if err := tx.LockChannels(storeKey); err != nil {
		return after, err
	}
	before, err := tx.ChannelForUpdate(storeKey, id)
	if err != nil {
		return after, err
	}
	if before.Status == cohort.ChannelDeleted {
		return after, errChannelDeleted()
	}
	after = u.Apply(before)
	if err := checkFixed(before, after); err != nil {
		return after, err
	}
	if err := u.ValidateUpdate(after); err != nil {
		return after, err
	}
	if err := checkChannelName(tx, storeKey, after); err != nil {
		return after, err
	}
	after.DateModified = laterOf(s.timestamp(storeKey), before.DateModified)
	return after, tx.UpdateChannel(storeKey, before, after)
}

// FixedFieldsError is an error about fields of a channel that cannot change.
type FixedFieldsError struct{ Fields []string }

func (e *FixedFieldsError) Error() string {
	return "a channel's " + strings.Join(e.Fields, " and ") + " cannot change"
}

// Unwrap returns KindInvalid for the first field.
func (e *FixedFieldsError) Unwrap() error {
	return cohort.Invalid(e.Fields[0], "The value cannot change.")
}

// checkFixed returns a FixedFieldsError if an update changes the type or the platform. A
// client may send back those that it has read.
func checkFixed(before, after cohort.Channel) error {
	var fields []string
	if after.Type != before.Type {
		fields = append(fields, "type")
	}
	if after.Platform != before.Platform {
		fields = append(fields, "platform")
	}
	if fields == nil {
		return nil
	}
	return &FixedFieldsError{fields}
}

// The vendor's text goes on with an offer to restore the channel, which Cohort cannot.
func errChannelDeleted() error {
	return &cohort.Error{Kind: cohort.KindInvalid, Message: "A deleted channel cannot be updated."}
}

func errChannelID() error {
	return cohort.Invalid("channel_id", "A channel's id is a whole number from 1.")
}

func unknownChannel(id int64) error {
	return cohort.Invalid("channel_id", fmt.Sprintf("Channel id %d does not exist.", id))
}

// checkChannel returns KindInvalid if the store's catalog is managed and the channel does
// not exist.
func checkChannel(tx shopperReader, store cohort.Store, id int64) error {
	if store.Catalog != cohort.CatalogManaged {
		return nil
	}
	has, err := tx.HasChannel(store.Key, id)
	if err == nil && !has {
		return unknownChannel(id)
	}
	return err
}

// holdChannels keeps channels from being deleted until the transaction ends. exists
// reports whether a channel exists; in a store with an external catalog, all do.
func holdChannels(tx *db.Tx, storeKey string, ids []int64) (exists func(id int64) bool, err error) {
	all := func(int64) bool { return true }
	if len(ids) == 0 {
		return all, nil
	}
	store, err := tx.Store(storeKey)
	if err != nil || store.Catalog != cohort.CatalogManaged {
		return all, err
	}
	existing, err := tx.HoldChannels(storeKey, ids)
	return func(id int64) bool { return slices.Contains(existing, id) }, err
}
