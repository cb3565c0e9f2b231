package db

import (
	"errors"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// removalScope is the scope of webhooks that want to know of each member of a deleted group.
// Others, also those with a wildcard, learn of the group only: it may have a million members.
const removalScope = "store/customerGroup/member/removed"

// hasHookOfRemovals reports whether the store has an active webhook with removalScope.
func (t *Tx) hasHookOfRemovals(storeKey string) (bool, error) {
	return t.exists("SELECT 1 FROM hooks WHERE store_hash = $1 AND scope = $2 AND is_active LIMIT 1", storeKey, removalScope)
}

// recordRemovals records that customers left a group because it was deleted.
func (t *Tx) recordRemovals(storeKey string, groupID int64, customerIDs []int64) error {
	slices.Sort(customerIDs)
	events := make([]cohort.Event, len(customerIDs))
	for i, id := range customerIDs {
		events[i] = cohort.Event{Kind: cohort.MemberRemoved, EventIDs: cohort.EventIDs{GroupID: groupID, CustomerID: id, Batch: true}}
	}
	return t.record(storeKey, events...)
}

// recordSweep is recordRemovals for a transaction without a recorder, later than that of the
// deletion.
func (t *Tx) recordSweep(storeKey string, groupID int64, customerIDs []int64, now func(storeKey string) time.Time) error {
	if len(customerIDs) == 0 {
		return nil
	}
	r, err := t.deleterOf(storeKey, groupID)
	if err != nil {
		return err
	}
	r.Now = func() time.Time { return now(storeKey) }
	t.recorder = r
	defer func() { t.recorder = nil }()
	return t.recordRemovals(storeKey, groupID, customerIDs)
}

// deleterOf returns the recorder of the deletion of a group, as the event of the deletion says. The recorder is
// empty if that event has been deleted.
func (t *Tx) deleterOf(storeKey string, groupID int64) (*Recorder, error) {
	const of = "SELECT actor, actor_name, reason, request_id FROM "
	const which = " WHERE store_hash = $1 AND group_id = $2 AND group_id <> 0 AND kind = $3 "
	var r Recorder
	for _, query := range []string{of + "event_inbox" + which + "LIMIT 1", of + "events" + which + "ORDER BY number DESC LIMIT 1"} {
		err := t.Lookup(query, storeKey, groupID, string(cohort.GroupDeleted)).Scan(&r.Actor, &r.ActorName, &r.Reason, &r.RequestID)
		if !errors.Is(err, txn.ErrNoRows) {
			return &r, err
		}
	}
	return &r, nil
}
