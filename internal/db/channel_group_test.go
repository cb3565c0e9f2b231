package db_test

import (
	"slices"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// ownGroups is the default and the guest group of a channel, as setting and in effect.
type ownGroups struct {
	Default, Guest       int64
	OwnDefault, OwnGuest int64 // -1: the store's
	GuestIsOwn           bool
}

func groupsOf(t *testing.T, d *db.DB, store string, channel int64) (g ownGroups) {
	t.Helper()
	update(t, d, func(tx *db.Tx) (err error) {
		groups, err := tx.DefaultGroupsOfChannels(store, []int64{channel})
		g.Default = groups[channel]
		return err
	})
	view(t, d, func(tx *db.Tx) error {
		group, own, err := tx.GuestGroupOfChannel(store, channel)
		if err != nil {
			return err
		}
		if g.GuestIsOwn = own; group != nil {
			g.Guest = group.ID
		}
		s, err := tx.ChannelSettings(store, channel)
		g.OwnDefault, g.OwnGuest = -1, -1
		if s.DefaultGroupID != nil {
			g.OwnDefault = *s.DefaultGroupID
		}
		if s.GuestGroupID != nil {
			g.OwnGuest = *s.GuestGroupID
		}
		return err
	})
	return g
}

func putGroups(t *testing.T, d *db.DB, store string, channel int64, def, guest *int64) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		return putChannelSettings(tx, store, channel, cohort.CustomerSettings{DefaultGroupID: def, GuestGroupID: guest})
	})
}

// A channel has its own groups, no group, or those of the store. The deletion of a group
// returns its channels to the store's group.
func TestGroupsOfChannel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		flagged := newGroup(1, "store")
		flagged.IsDefault, flagged.IsGroupForGuests = true, true
		addGroups(t, d, "a", flagged, newGroup(2, "two"), newGroup(3, "three"))
		addGroups(t, d, "b", newGroup(1, "other"), newGroup(2, "other two"))
		id := func(n int64) *int64 { return &n }
		want := func(when string, store string, channel int64, want ownGroups) {
			t.Helper()
			if got := groupsOf(t, d, store, channel); got != want {
				t.Errorf("%s: channel %d of %s has %+v, want %+v", when, channel, store, got, want)
			}
		}
		inherited := ownGroups{Default: 1, Guest: 1, OwnDefault: -1, OwnGuest: -1}
		want("at first", "a", 7, inherited)
		want("at first", "b", 7, ownGroups{OwnDefault: -1, OwnGuest: -1})
		putGroups(t, d, "a", 7, id(2), id(3))
		putGroups(t, d, "a", 8, id(0), id(0))
		putGroups(t, d, "a", 9, id(3), nil)
		want("with groups", "a", 7, ownGroups{Default: 2, Guest: 3, OwnDefault: 2, OwnGuest: 3, GuestIsOwn: true})
		want("without groups", "a", 8, ownGroups{GuestIsOwn: true})
		want("with one group", "a", 9, ownGroups{Default: 3, Guest: 1, OwnDefault: 3, OwnGuest: -1})
		want("without settings", "a", 1, inherited)
		want("in another store", "b", 7, ownGroups{OwnDefault: -1, OwnGuest: -1})
		update(t, d, func(tx *db.Tx) error { return tx.DeleteGroup("a", 3) })
		want("after the deletion of group 3", "a", 7, ownGroups{Default: 2, Guest: 1, OwnDefault: 2, OwnGuest: -1})
		want("after the deletion of group 3", "a", 9, inherited)
		update(t, d, func(tx *db.Tx) error { return tx.DeleteGroup("a", 1) })
		want("after the deletion of the store's groups", "a", 9, ownGroups{OwnDefault: -1, OwnGuest: -1})
		putGroups(t, d, "a", 8, nil, id(2))
		want("changed", "a", 8, ownGroups{Guest: 2, OwnDefault: -1, OwnGuest: 2, GuestIsOwn: true})
		update(t, d, func(tx *db.Tx) error { return tx.DeleteChannelSettings("a", 8) })
		want("without settings again", "a", 8, ownGroups{OwnDefault: -1, OwnGuest: -1})
	})
}

func TestHoldChannels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		update(t, d, func(tx *db.Tx) error {
			for _, name := range []string{"One", "Two"} {
				if _, err := tx.CreateChannel("a", cohort.Channel{Name: name, Type: "pos", Platform: "custom", Status: "connected"}); err != nil {
					return err
				}
			}
			return tx.UpdateChannel("a", cohort.Channel{}, cohort.Channel{ID: 3, Name: "Two", Status: cohort.ChannelDeleted})
		})
		for _, tt := range []struct {
			store     string
			ids, want []int64
		}{
			{"a", nil, nil},
			{"a", []int64{1}, []int64{1}},
			{"a", []int64{1, 2}, []int64{1, 2}},
			{"a", []int64{2, 3}, []int64{2}},
			{"a", []int64{8, 9}, nil},
			{"b", []int64{1}, []int64{1}},
			{"b", []int64{2}, nil},
		} {
			update(t, d, func(tx *db.Tx) error {
				got, err := tx.HoldChannels(tt.store, tt.ids)
				if !slices.Equal(got, tt.want) {
					t.Errorf("of %v %s has %v, want %v", tt.ids, tt.store, got, tt.want)
				}
				return err
			})
		}
	})
}

// Channel 1 counts, with and without a row. Channels of other types do not.
func TestCountStorefronts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		want := func(store string, want cohort.Storefronts) {
			t.Helper()
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.CountStorefronts(store)
				if got != want {
					t.Errorf("%s has the storefronts %+v, want %+v", store, got, want)
				}
				return err
			})
		}
		want("a", cohort.Storefronts{Active: 1, Total: 1})
		update(t, d, func(tx *db.Tx) error {
			if err := tx.LockChannels("a"); err != nil {
				return err
			}
			for i, status := range cohort.ChannelStatuses() {
				c := cohort.Channel{Name: string(status), Type: cohort.ChannelStorefront, Platform: "custom", Status: status}
				if i%2 == 0 { // beside the other type
					c.Type = cohort.ChannelMarketing
				}
				if _, err := tx.CreateChannel("a", c); err != nil {
					return err
				}
				c.Type = cohort.ChannelStorefront
				c.Name += " 2"
				if _, err := tx.CreateChannel("a", c); err != nil {
					return err
				}
			}
			return nil
		})
		want("a", cohort.Storefronts{Active: 1 + 2, Total: 1 + 1 + 2 + 1}) // 1; prelaunch, active, inactive
		want("b", cohort.Storefronts{Active: 1, Total: 1})
	})
}

// The channels that were deleted last stay readable.
func TestPruneChannels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		update(t, d, func(tx *db.Tx) error {
			for i, name := range []string{"2", "3", "4", "5"} {
				c, err := tx.CreateChannel("a", cohort.Channel{Name: name, Type: "pos", Platform: "custom", Status: "connected"})
				if err != nil {
					return err
				}
				if c.Status = cohort.ChannelDeleted; i == 3 {
					c.Status = cohort.ChannelArchived
				}
				c.DateModified = t0.Add(time.Duration(-i) * time.Hour)
				if err := tx.UpdateChannel("a", c, c); err != nil {
					return err
				}
			}
			return tx.PruneChannels("a", 2)
		})
		view(t, d, func(tx *db.Tx) error {
			var ids []int64
			err := tx.ReadChannels("a", cohort.ChannelFilter{}, onePage, func(c cohort.Channel) bool {
				ids = append(ids, c.ID)
				return true
			})
			if want := []int64{1, 2, 3, 5}; !slices.Equal(ids, want) {
				t.Errorf("the channels are %v, want %v", ids, want)
			}
			return err
		})
	})
}
