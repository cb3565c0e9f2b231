package db

import (
	"errors"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// The roles of a group in a channel.
const (
	roleDefault = "default"
	roleGuest   = "guest"
)

// DefaultGroupsOfChannels returns the ids of the default groups of channels, by channel. A
// channel has its own, or that of the store, or 0. Until the transaction ends, no default
// can change. Like LockFlags it must be called before any group is locked. It does not
// lock the groups: a caller checks with HasGroups that they still exist.
func (t *Tx) DefaultGroupsOfChannels(storeKey string, channelIDs []int64) (map[int64]int64, error) {
	if err := t.ShareStore(flags, storeKey); err != nil {
		return nil, err
	}
	table, wanted := t.SQL().IDTable, any(idText(channelIDs))
	if len(channelIDs) == 1 { // for nearly every new customer, and cheaper
		table, wanted = "(SELECT CAST($2 AS BIGINT) AS wanted) AS ids", channelIDs[0]
	}
	rows, err := t.Query(`SELECT ids.wanted, COALESCE(
		(SELECT group_id FROM channel_groups AS g WHERE g.store_hash = $1 AND g.channel_id = ids.wanted AND g.role = '`+roleDefault+`'),
		(SELECT 0 FROM customer_settings AS s WHERE s.store_hash = $1 AND s.channel_id = ids.wanted AND s.no_default_group),
		(SELECT id FROM customer_groups WHERE store_hash = $1 AND is_default), 0) FROM `+table, storeKey, wanted)
	if err != nil {
		return nil, err
	}
	type channelGroup struct{ channel, group int64 }
	list, err := txn.Collect(rows, func(row txn.Scanner) (g channelGroup, err error) { return g, row.Scan(&g.channel, &g.group) })
	groups := make(map[int64]int64, len(list))
	for _, g := range list {
		groups[g.channel] = g.group
	}
	return groups, err
}

// GuestGroupOfChannel returns the group for guests in a channel, or nil if they are in
// none. own reports whether the channel has a setting of its own; otherwise the group is
// the store's.
func (t *Tx) GuestGroupOfChannel(storeKey string, channelID int64) (group *cohort.Group, own bool, err error) {
	// Each part finds its row in an index. The last one finds a row without a group.
	const ownGroup = "(SELECT group_id FROM channel_groups WHERE store_hash = $1 AND channel_id = $2 AND role = '" + roleGuest + "')"
	const noGroup = "customer_settings WHERE store_hash = $1 AND channel_id = $2 AND no_guest_group"
	row := t.Lookup("SELECT TRUE, "+groupColumns+" FROM customer_groups WHERE store_hash = $1 AND id = "+ownGroup+`
		UNION ALL
		SELECT FALSE, `+groupColumns+" FROM customer_groups WHERE store_hash = $1 AND is_group_for_guests AND NOT EXISTS "+ownGroup+
		" AND NOT EXISTS (SELECT 1 FROM "+noGroup+`)
		UNION ALL
		SELECT TRUE, 0, '', '', '', FALSE, FALSE, 0, 0 FROM `+noGroup+" AND NOT EXISTS "+ownGroup, storeKey, channelID)
	g, own, err := scanOwnGroup(row)
	switch {
	case errors.Is(err, txn.ErrNoRows):
		return nil, false, nil
	case err != nil || g.ID == 0:
		return nil, own, err
	}
	return &g, own, nil
}

func scanOwnGroup(row txn.Scanner) (g cohort.Group, own bool, err error) {
	var access, rules string
	var created, modified int64
	err = row.Scan(&own, &g.ID, &g.Name, &access, &rules, &g.IsDefault, &g.IsGroupForGuests, &created, &modified)
	if err != nil || g.ID == 0 {
		return g, own, err
	}
	g.DateCreated, g.DateModified = fromMillis(created), fromMillis(modified)
	return g, own, decodeGroup(&g, access, rules)
}

// HoldChannels returns those of the ids, which are in ascending order, that are ids of
// channels of the store. A deleted channel is not among them. The channels cannot be
// deleted until the transaction ends. Transactions lock channels after groups and price
// lists.
func (t *Tx) HoldChannels(storeKey string, ids []int64) ([]int64, error) {
	return t.channels(storeKey, ids, t.SQL().ForKeyShare)
}

// HasChannel reports whether a channel exists and is not deleted, without a lock.
func (t *Tx) HasChannel(storeKey string, id int64) (bool, error) {
	existing, err := t.channels(storeKey, []int64{id}, "")
	return len(existing) > 0, err
}

// channels finds channels. It reads nothing for channel 1, which every store has.
func (t *Tx) channels(storeKey string, ids []int64, lock string) (existing []int64, err error) {
	if slices.Contains(ids, cohort.FirstChannelID) {
		existing = append(existing, cohort.FirstChannelID)
	}
	others := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id == cohort.FirstChannelID })
	for chunk := range slices.Chunk(others, inChunk) {
		w := whereStore(storeKey)
		in(w, "id", chunk)
		w.and("status <> ?", cohort.ChannelDeleted)
		rows, err := t.Query("SELECT id FROM channels"+w.text.String()+" ORDER BY id"+lock, w.args...)
		if err != nil {
			return nil, err
		}
		found, err := txn.Collect(rows, scanID)
		if err != nil {
			return nil, err
		}
		existing = append(existing, found...)
	}
	return existing, nil
}
