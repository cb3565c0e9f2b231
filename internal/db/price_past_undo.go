package db

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"cohort.example/cohort"
)

// guestFlag is the field of groups that says which one is for guests.
const guestFlag = "is_group_for_guests"

// decodeBefore decodes the value of a field before a change. kept is false if the value is
// not kept; see [pastChanges.before].
func (c pastChanges) decodeBefore(field string, into any) (kept, changed bool, err error) {
	value, changed := c.before(field)
	if value == nil {
		return false, changed, nil
	}
	return true, true, json.Unmarshal(value, into)
}

// undo takes back what an event tells. The last event comes first, so what the first one
// after the time tells stays.
func (p *PastPrices) undo(e cohort.Event) error {
	key := pastKeyOf(e)
	switch {
	case key.pastType == pastCatalog:
		return cohort.Invalid("as_of", "The catalog was replaced after that time, and events do not say what it was before.")
	case key.pastType == pastFlag && !bytes.Contains(e.Changes, []byte(guestFlag)):
		return nil
	}
	changes, err := changesOf(e)
	if err != nil {
		return err
	}
	if err := p.undoChanges(key, e, changes); err != nil {
		return fmt.Errorf("the changes of event %d: %w", e.Number, err)
	}
	return nil
}

func (p *PastPrices) undoChanges(key pastKey, e cohort.Event, changes pastChanges) error {
	switch key.pastType {
	case pastFlag:
		p.undoFlag(e.GroupID, changes)
	case pastProduct:
		p.undoResource(key, e, changes)
		if err := p.undoCategories(e, changes); err != nil {
			return err
		}
		return p.undoAdjusters(e, changes)
	case pastVariant:
		p.undoResource(key, e, changes)
		return p.undoRecords(e, changes)
	case pastCategory:
		p.undoResource(key, e, changes)
		return p.undoPlaces(e, changes)
	case pastStore, pastChannel, pastSettings, pastList, pastAssignment, pastRecord, pastCatalog:
		p.undoResource(key, e, changes)
	}
	return nil
}

func (p *PastPrices) undoResource(key pastKey, e cohort.Event, changes pastChanges) {
	r := p.resource(key, e.EventIDs)
	r.exists = !isCreation(e.Kind)
	for _, field := range pastFields[key.pastType] {
		if value, changed := changes.before(field); changed {
			r.fields[field] = value
			p.kept += len(value)
		}
	}
}

func (p *PastPrices) resource(key pastKey, ids cohort.EventIDs) *pastResource {
	r := p.resources[key]
	if r == nil {
		r = &pastResource{pastKey: key, ids: ids, fields: map[string]json.RawMessage{}}
		p.resources[key] = r
	}
	return r
}

// undoFlag gives the group for guests its flag back.
func (p *PastPrices) undoFlag(groupID int64, changes pastChanges) {
	values := changes[guestFlag]
	if len(values) != 2 {
		return
	}
	switch had, got := string(values[0]) == "true", string(values[1]) == "true"; {
	case had:
		p.guests, p.guestsMoved = groupID, true
	case got && (!p.guestsMoved || p.guests == groupID):
		p.guests, p.guestsMoved = 0, true
	}
}

// undoCategories gives a product the categories back that it had.
func (p *PastPrices) undoCategories(e cohort.Event, changes pastChanges) error {
	var ids []int64
	kept, changed, err := changes.decodeBefore(categoriesField, &ids)
	if err != nil || !changed {
		return err
	}
	*p.categoriesOf(e.ProductID) = pastCategories{known: true, ids: ids, unknown: !kept}
	return nil
}

func (p *PastPrices) categoriesOf(productID int64) *pastCategories {
	c := p.categories[productID]
	if c == nil {
		c = &pastCategories{}
		p.categories[productID] = c
	}
	return c
}

// undoPlaces gives the products of a deleted category their place in it back.
func (p *PastPrices) undoPlaces(e cohort.Event, changes pastChanges) error {
	var ids []int64
	kept, changed, err := changes.decodeBefore("products", &ids)
	if err != nil || !changed || e.Kind != cohort.CategoryDeleted {
		return err
	}
	for _, product := range p.products {
		switch c := p.categoriesOf(product); {
		case !kept:
			c.unknown = true
		case slices.Contains(ids, product):
			c.added = append(c.added, e.CategoryID)
		}
	}
	return nil
}

// undoAdjusters takes back what values of modifiers do to prices. Values that the event does
// not have were as they are.
func (p *PastPrices) undoAdjusters(e cohort.Event, changes pastChanges) error {
	values, changed := changes[adjustersField]
	if isCreation(e.Kind) {
		delete(p.lost, e.ProductID)
	}
	if !changed {
		return nil
	}
	if len(values) != 2 {
		p.lost[e.ProductID] = true
		return nil
	}
	var before, after adjusters
	if err := json.Unmarshal(values[1], &after); err != nil {
		return err
	}
	if err := json.Unmarshal(values[0], &before); err != nil {
		return err
	}
	if err := after.each(e.ProductID, func(v ModifierValue, _ cohort.Adjuster) { p.adjusters[v] = nil }); err != nil {
		return err
	}
	return before.each(e.ProductID, func(v ModifierValue, a cohort.Adjuster) { p.adjusters[v] = &a })
}

// undoRecords gives a deleted variant its price records back.
func (p *PastPrices) undoRecords(e cohort.Event, changes pastChanges) error {
	var list []map[string]json.RawMessage
	if kept, _, err := changes.decodeBefore(variantRecordsField, &list); err != nil || !kept {
		return err
	}
	for _, record := range list {
		key := pastKey{pastType: pastRecord, id: e.VariantID}
		if err := json.Unmarshal(record["price_list_id"], &key.list); err != nil {
			return err
		}
		if err := json.Unmarshal(record["currency"], &key.currency); err != nil {
			return err
		}
		r := p.resource(key, cohort.EventIDs{VariantID: key.id, PriceListID: key.list, Currency: key.currency})
		r.exists = true
		for _, field := range priceRecordFields {
			r.fields[field] = record[field]
		}
	}
	return nil
}
