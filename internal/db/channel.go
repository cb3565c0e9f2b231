package db

import (
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const channelColumns = "id, external_id, is_listable_from_ui, is_visible, status, name, type, platform, date_created, date_modified"

// firstChannel selects the columns of channel 1 of a store that has not changed it.
const firstChannel = `SELECT hash, 1, '', TRUE, TRUE, 'active', 'Storefront', 'storefront', 'bigcommerce', date_created, date_created FROM stores`

// channelTable has the channels of all stores. Channel 1 has no row until a channel of
// the store is written, so that stores have it that an older version of Cohort creates.
const channelTable = "(SELECT store_hash, " + channelColumns + " FROM channels UNION ALL " + firstChannel +
	" WHERE NOT EXISTS (SELECT 1 FROM channels WHERE channels.store_hash = stores.hash AND channels.id = 1)) AS channels"

// LockChannels takes the exclusive lock on the names and the number of the store's
// channels until the transaction ends, and inserts the row of channel 1.
func (t *Tx) LockChannels(storeKey string) error {
	if err := t.LockStore(channelNames, storeKey); err != nil {
		return err
	}
	return t.Later("INSERT INTO channels (store_hash, "+channelColumns+") "+firstChannel+
		" WHERE hash = $1 ON CONFLICT (store_hash, id) DO NOTHING", storeKey)
}

// CreateChannel adds a channel with the next id of the store, and returns it with the
// id. The commit returns KindConflict if another channel has its name, platform and
// type. LockChannels must be called before.
func (t *Tx) CreateChannel(storeKey string, c cohort.Channel) (cohort.Channel, error) {
	var err error
	if c.ID, err = t.ReserveIDs(storeKey, "channel", cohort.FirstChannelID, 1); err != nil {
		return c, err
	}
	err = t.Later("INSERT INTO channels (store_hash, "+channelColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		storeKey, c.ID, c.ExternalID, c.IsListableFromUI, c.IsVisible, c.Status, c.Name, c.Type, c.Platform,
		c.DateCreated.UnixMilli(), c.DateModified.UnixMilli())
	if err != nil || !t.records() {
		return c, err
	}
	return c, t.recordChannel(storeKey, cohort.ChannelCreated, nil, c)
}

// Channel returns a channel of the store, deleted or not, or KindNotFound.
func (t *Tx) Channel(storeKey string, id int64) (cohort.Channel, error) {
	return t.channel(channelTable, storeKey, id, "")
}

// ChannelForUpdate is Channel with a row lock: no other transaction writes the row
// until this one ends, or relies on the existence of the channel; see HoldChannels.
// LockChannels must be called before.
func (t *Tx) ChannelForUpdate(storeKey string, id int64) (cohort.Channel, error) {
	return t.channel("channels", storeKey, id, t.SQL().ForDelete)
}

func (t *Tx) channel(table, storeKey string, id int64, lock string) (cohort.Channel, error) {
	c, err := scanChannel(t.Lookup("SELECT "+channelColumns+" FROM "+table+" WHERE store_hash = $1 AND id = $2"+lock, storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return c, cohort.NotFound(fmt.Sprintf("channel %d", id))
	}
	return c, err
}

// ChannelIDByName returns the id of the channel that is not deleted and has the name,
// platform and type, or 0. LockChannels must be called before.
func (t *Tx) ChannelIDByName(storeKey string, c cohort.Channel) (int64, error) {
	return t.findID(`SELECT id FROM channels WHERE store_hash = $1 AND name = $2 AND platform = $3 AND type = $4
		AND status <> 'deleted'`, storeKey, c.Name, c.Platform, c.Type)
}

// ReadChannels calls fn with the channels of a page that pass the filter, ordered by
// id, until fn returns false.
func (t *Tx) ReadChannels(storeKey string, f cohort.ChannelFilter, p cohort.Page, fn func(cohort.Channel) (more bool)) error {
	return listing[cohort.Channel]{
		columns: channelColumns, table: channelTable, where: func() *where { return whereChannels(storeKey, f) },
		keys: byID, scan: scanChannel,
	}.each(t, p, p.Size, fn)
}

// CountChannels returns how many channels pass the filter.
func (t *Tx) CountChannels(storeKey string, f cohort.ChannelFilter) (n int64, err error) {
	w := whereChannels(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM "+channelTable+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// CountStorefronts counts the channels that are storefronts.
func (t *Tx) CountStorefronts(storeKey string) (n cohort.Storefronts, err error) {
	err = t.QueryRow("SELECT count(CASE WHEN status = 'active' THEN 1 END), count(*) FROM "+channelTable+
		" WHERE store_hash = $1 AND type = 'storefront' AND status IN ('prelaunch', 'active', 'inactive')", storeKey).Scan(&n.Active, &n.Total)
	return n, err
}

// CountOpenChannels returns how many channels are not deleted. LockChannels must be
// called before.
func (t *Tx) CountOpenChannels(storeKey string) (n int64, err error) {
	err = t.QueryRow("SELECT count(*) FROM channels WHERE store_hash = $1 AND status <> 'deleted'", storeKey).Scan(&n)
	return n, err
}

func whereChannels(storeKey string, f cohort.ChannelFilter) *where {
	w := whereStore(storeKey)
	if f.Available != nil {
		membership := "status NOT IN "
		if *f.Available {
			membership = "status IN "
		}
		separator := "("
		for _, s := range cohort.AvailableStatuses() {
			membership += separator + "'" + string(s) + "'"
			separator = ", "
		}
		w.text.WriteString(" AND " + membership + ")")
	}
	in(w, "status", f.Statuses)
	in(w, "type", f.Types)
	in(w, "platform", f.Platforms)
	w.timeRange("date_created", f.DateCreated)
	w.timeRange("date_modified", f.DateModified)
	return w
}

// UpdateChannel overwrites the channel with the same id, except its type, platform and
// creation date. before is the channel as read in this transaction. The commit returns
// KindConflict as for CreateChannel.
func (t *Tx) UpdateChannel(storeKey string, before, c cohort.Channel) error {
	err := t.Later(`UPDATE channels SET external_id = $3, is_listable_from_ui = $4, is_visible = $5, status = $6, name = $7,
		date_modified = $8 WHERE store_hash = $1 AND id = $2`,
		storeKey, c.ID, c.ExternalID, c.IsListableFromUI, c.IsVisible, c.Status, c.Name, c.DateModified.UnixMilli())
	if err != nil || !t.records() {
		return err
	}
	return t.recordChannel(storeKey, cohort.ChannelUpdated, channelValues(before), c)
}

// PruneChannels removes the rows of deleted channels except the most that were deleted
// last.
func (t *Tx) PruneChannels(storeKey string, most int) error {
	return t.Later(`DELETE FROM channels WHERE store_hash = $1 AND status = 'deleted' AND id NOT IN (
		SELECT id FROM channels WHERE store_hash = $1 AND status = 'deleted'
		ORDER BY date_modified DESC, id DESC LIMIT CAST($2 AS BIGINT))`, storeKey, most)
}

func scanChannel(row txn.Scanner) (cohort.Channel, error) {
	var c cohort.Channel
	var created, modified int64
	err := row.Scan(&c.ID, &c.ExternalID, &c.IsListableFromUI, &c.IsVisible, &c.Status, &c.Name, &c.Type, &c.Platform, &created, &modified)
	c.DateCreated, c.DateModified = fromMillis(created), fromMillis(modified)
	return c, err
}
