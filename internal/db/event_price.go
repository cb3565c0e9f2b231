package db

import (
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// InBatch makes the events of price lists and price records that follow in this
// transaction say that they belong to a request for several; see [cohort.EventIDs].
func (t *Tx) InBatch() { t.batch = true }

// recordsField is the field of a deleted price list with the number of its records.
const recordsField = "records"

// priceListFields are the names of the values that priceListValues returns.
var priceListFields = []string{"name", "active"}

func priceListValues(l cohort.PriceList) fieldValues {
	return fieldValues{mustMarshal(l.Name), strconv.FormatBool(l.Active)}
}

// recordPriceList records the creation or the update of a price list. before and after are
// its values, nil where it does not exist.
func (t *Tx) recordPriceList(storeKey string, kind cohort.EventKind, id int64, before, after fieldValues) error {
	var c eventChanges
	c.diff(priceListFields, before, after)
	return t.record(storeKey, t.priceListEvent(kind, id, c))
}

// recordDeletedPriceList records the deletion of a price list with its number of records.
func (t *Tx) recordDeletedPriceList(storeKey string, l cohort.PriceList, records int64) error {
	var c eventChanges
	c.diff(priceListFields, priceListValues(l), nil)
	c.add(recordsField, strconv.FormatInt(records, 10), noValue)
	return t.record(storeKey, t.priceListEvent(cohort.PriceListDeleted, l.ID, c))
}

func (t *Tx) priceListEvent(kind cohort.EventKind, id int64, c eventChanges) cohort.Event {
	return cohort.Event{Kind: kind, EventIDs: cohort.EventIDs{PriceListID: id, Batch: t.batch}, Changes: c.json()}
}

// deleteRecordsToCount deletes the records of a price list that is about to be deleted, and
// returns their number, if an event needs it. The list must be locked.
func (t *Tx) deleteRecordsToCount(storeKey string, listID int64) (int64, error) {
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		return 0, err
	}
	return t.Exec("DELETE FROM price_records WHERE store_hash = $1 AND price_list_id = $2", storeKey, listID)
}

// priceRecordFields are the names of the values that priceRecordValues returns.
var priceRecordFields = []string{"price", "sale_price", "retail_price", "map_price", "bulk_pricing_tiers"}

func priceRecordValues(r cohort.PriceRecord) fieldValues {
	return fieldValues{
		priceJSON(r.Price), priceJSON(r.SalePrice), priceJSON(r.RetailPrice), priceJSON(r.MAPPrice), encodeTiers(r.BulkTiers),
	}
}

// recordPriceRecords records writes of price records. before has the records as they were,
// in the same order; nil: all are new. A record whose fields are as before has no event.
func (t *Tx) recordPriceRecords(storeKey string, before, records []cohort.PriceRecord) error {
	if !t.records() {
		return nil
	}
	events := make([]cohort.Event, 0, len(records))
	for i, r := range records {
		kind, was := cohort.PriceRecordCreated, fieldValues(nil)
		if before != nil {
			kind, was = cohort.PriceRecordUpdated, priceRecordValues(before[i])
		}
		var c eventChanges
		c.diff(priceRecordFields, was, priceRecordValues(r))
		if !c.isEmpty() {
			events = append(events, t.priceRecordEvent(kind, r, c))
		}
	}
	return t.record(storeKey, events...)
}

// recordDeletedPriceRecords records the deletion of price records, whose products it looks
// up. They may be all of a large list.
func (t *Tx) recordDeletedPriceRecords(storeKey string, records []cohort.PriceRecord) error {
	slices.SortFunc(records, comparePriceRecords)
	for chunk := range slices.Chunk(records, inChunk) {
		variants := make([]int64, len(chunk))
		for i, r := range chunk {
			variants[i] = r.VariantID
		}
		products, err := t.productsOfVariants(storeKey, slices.Compact(variants), "")
		if err != nil {
			return err
		}
		events := make([]cohort.Event, len(chunk))
		for i, r := range chunk {
			r.ProductID = products[r.VariantID]
			var c eventChanges
			c.diff(priceRecordFields, priceRecordValues(r), nil)
			events[i] = t.priceRecordEvent(cohort.PriceRecordDeleted, r, c)
		}
		if err := t.record(storeKey, events...); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) priceRecordEvent(kind cohort.EventKind, r cohort.PriceRecord, c eventChanges) cohort.Event {
	return cohort.Event{Kind: kind, Changes: c.json(), EventIDs: cohort.EventIDs{
		PriceListID: r.PriceListID, ProductID: r.ProductID, VariantID: r.VariantID, Currency: r.Currency, Batch: t.batch,
	}}
}

// assignmentFields are the names of the values that assignmentValues returns.
var assignmentFields = []string{"price_list_id", "customer_group_id", "channel_id"}

func assignmentValues(a cohort.PriceListAssignment) fieldValues {
	return fieldValues{
		strconv.FormatInt(a.PriceListID, 10), strconv.FormatInt(a.GroupID, 10), strconv.FormatInt(a.ChannelID, 10),
	}
}

// assignmentEvent returns the event of an assignment. before and after are its values, nil
// where it does not exist.
func assignmentEvent(kind cohort.EventKind, a cohort.PriceListAssignment, before, after fieldValues) cohort.Event {
	var c eventChanges
	c.diff(assignmentFields, before, after)
	return cohort.Event{Kind: kind, Changes: c.json(), EventIDs: cohort.EventIDs{
		AssignmentID: a.ID, PriceListID: a.PriceListID, GroupID: a.GroupID, ChannelID: a.ChannelID,
	}}
}

// recordDeletedAssignments records the deletion of assignments.
func (t *Tx) recordDeletedAssignments(storeKey string, list []cohort.PriceListAssignment) error {
	if !t.records() {
		return nil
	}
	events := make([]cohort.Event, len(list))
	for i, a := range list {
		events[i] = assignmentEvent(cohort.AssignmentDeleted, a, assignmentValues(a), nil)
	}
	return t.record(storeKey, events...)
}

// takeAssignmentsOfGroup deletes the assignments of a group and records that.
func (t *Tx) takeAssignmentsOfGroup(storeKey string, groupID int64) error {
	rows, err := t.Query("DELETE FROM price_list_assignments WHERE store_hash = $1 AND customer_group_id = $2 RETURNING "+assignmentColumns,
		storeKey, groupID)
	if err != nil {
		return err
	}
	list, err := txn.Collect(rows, scanAssignment)
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b cohort.PriceListAssignment) int { return int(a.ID - b.ID) })
	return t.recordDeletedAssignments(storeKey, list)
}
