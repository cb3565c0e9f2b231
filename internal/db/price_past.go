package db

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// PastBounds bound what one view of the past takes back.
type PastBounds struct {
	Events int // that matter
	Bytes  int // of the values that it keeps of them, in JSON
}

// PastPrices reads what prices are computed from as it was at a time. Its methods are those
// of [Tx] with the same names, and know only the products that it was made for. They return
// KindInvalid if no event has kept a value.
type PastPrices struct {
	tx        *Tx
	storeKey  string
	at        time.Time
	products  []int64
	resources map[pastKey]*pastResource
	// categories are those of the products, and adjusters what values of modifiers did to
	// prices; nil: nothing.
	categories map[int64]*pastCategories
	adjusters  map[ModifierValue]*cohort.Adjuster
	// lost are the products of which no event has the adjusters.
	lost map[int64]bool
	// guests is the group for guests; not known, unless its flag has moved.
	guests      int64
	guestsMoved bool
	kept        int
}

// pastType is a type of resources that prices depend on.
type pastType string

const (
	pastStore      pastType = "store"
	pastFlag       pastType = "group for guests"
	pastChannel    pastType = "channel"
	pastSettings   pastType = "settings of channel"
	pastList       pastType = "price list"
	pastAssignment pastType = "assignment"
	pastRecord     pastType = "price record of variant"
	pastProduct    pastType = "product"
	pastVariant    pastType = "variant"
	pastCategory   pastType = "category"
	pastCatalog    pastType = "catalog"
)

// pastTypes are the events that matter for prices. The group of the shopper is read with
// [Tx.GroupAsOf].
var pastTypes = map[cohort.EventKind]pastType{
	cohort.StoreUpdated: pastStore, cohort.StoreReplaced: pastCatalog, cohort.CatalogImported: pastCatalog,
	cohort.GroupCreated: pastFlag, cohort.GroupUpdated: pastFlag, cohort.GroupDeleted: pastFlag,
	cohort.ChannelCreated: pastChannel, cohort.ChannelUpdated: pastChannel, cohort.SettingsUpdated: pastSettings,
	cohort.PriceListCreated: pastList, cohort.PriceListUpdated: pastList, cohort.PriceListDeleted: pastList,
	cohort.AssignmentCreated: pastAssignment, cohort.AssignmentUpdated: pastAssignment, cohort.AssignmentDeleted: pastAssignment,
	cohort.PriceRecordCreated: pastRecord, cohort.PriceRecordUpdated: pastRecord, cohort.PriceRecordDeleted: pastRecord,
	cohort.ProductCreated: pastProduct, cohort.ProductUpdated: pastProduct, cohort.ProductDeleted: pastProduct,
	cohort.VariantCreated: pastVariant, cohort.VariantUpdated: pastVariant, cohort.VariantDeleted: pastVariant,
	cohort.CategoryCreated: pastCategory, cohort.CategoryUpdated: pastCategory, cohort.CategoryDeleted: pastCategory,
}

// pastFields are the fields that matter for prices.
var pastFields = map[pastType][]string{
	pastStore:      {"currency", "catalog"},
	pastChannel:    {"status"},
	pastSettings:   {guestGroupField},
	pastList:       {"name", "active", recordsField},
	pastAssignment: assignmentFields,
	pastRecord:     priceRecordFields,
	pastProduct:    {"price", "sale_price", "retail_price", "map_price", "bulk_pricing_rules", "base_variant_id"},
	pastVariant:    {"price", "sale_price", "retail_price", "map_price", "option_values", variantRecordsField},
	pastCategory:   {"parent_id", "name"},
}

// pastKey identifies a resource. A price record has the id of its variant.
type pastKey struct {
	pastType
	id, list int64
	currency string
}

func pastKeyOf(e cohort.Event) pastKey {
	k := pastKey{pastType: pastTypes[e.Kind]}
	switch k.pastType {
	case pastChannel, pastSettings:
		k.id = e.ChannelID
	case pastList:
		k.id = e.PriceListID
	case pastAssignment:
		k.id = e.AssignmentID
	case pastRecord:
		k.id, k.list, k.currency = e.VariantID, e.PriceListID, e.Currency
	case pastProduct:
		k.id = e.ProductID
	case pastVariant:
		k.id = e.VariantID
	case pastCategory:
		k.id = e.CategoryID
	case pastStore, pastFlag, pastCatalog:
	}
	return k
}

// pastResource is what events say of a resource at the time.
type pastResource struct {
	pastKey
	exists bool
	// ids are those of its last event, whose changes fields take back.
	ids    cohort.EventIDs
	fields map[string]json.RawMessage // that have changed since; nil: not kept
}

// into decodes a field into v, unless it is as it is now.
func (r *pastResource) into(field string, v any) error {
	raw, changed := r.fields[field]
	switch {
	case !changed:
		return nil
	case raw == nil:
		return r.unknown(field)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s of %s %d as of a time: %w", field, r.pastType, r.id, err)
	}
	return nil
}

// text decodes a field that has a stored form of its own.
func (r *pastResource) text(field string, decode func(text string) error) error {
	var raw json.RawMessage
	if err := r.into(field, &raw); err != nil || raw == nil {
		return err
	}
	return decode(string(raw))
}

func (r *pastResource) unknown(field string) error {
	return cohort.Invalid("as_of", fmt.Sprintf("The events do not say what the field %s of %s %d was at that time.", field, r.pastType, r.id))
}

// pastCategories are the categories of a product.
type pastCategories struct {
	known   bool // ids are the categories; otherwise they are those of now
	ids     []int64
	added   []int64 // further ones
	unknown bool
}

// PastPrices returns the past of some products. It returns KindInvalid if too much has
// changed since, or if the catalog was replaced. The caller has checked that the events of
// the store are complete since that time.
func (t *Tx) PastPrices(storeKey string, at time.Time, productIDs []int64, most PastBounds) (*PastPrices, error) {
	p := &PastPrices{
		tx: t, storeKey: storeKey, at: at, products: productIDs,
		resources:  map[pastKey]*pastResource{},
		categories: map[int64]*pastCategories{},
		adjusters:  map[ModifierValue]*cohort.Adjuster{},
		lost:       map[int64]bool{},
	}
	n := 0
	var failed error
	err := t.eachEventSince(storeKey, at, p.condition, func(e cohort.Event) bool {
		if n++; n > most.Events || p.kept > most.Bytes {
			failed = cohort.Invalid("as_of", "Too much has changed since that time. Ask for a later time, or for fewer items.")
			return false
		}
		failed = p.undo(e)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return p, err
}

// condition selects the events that matter.
func (p *PastPrices) condition(w *where) {
	kinds := make([]string, 0, len(pastTypes))
	for k := range pastTypes {
		kinds = append(kinds, string(k))
	}
	slices.Sort(kinds)
	in(w, "kind", kinds)
	w.text.WriteString(" AND (product_id = 0 OR " + isIn(w, "product_id", p.products) + ")")
}

// eachEventSince calls fn with the events that follow the last one with a date up to a time,
// the last one first, until it returns false.
func (t *Tx) eachEventSince(storeKey string, at time.Time, condition func(*where), fn func(cohort.Event) (more bool)) error {
	more := true
	read := func(table, number, order string) (from int64, err error) {
		from, err = t.findID("SELECT "+order+" FROM "+table+" WHERE store_hash = $1 AND date_created <= $2 ORDER BY "+order+" DESC LIMIT 1", storeKey, at.UnixMilli())
		if err != nil {
			return from, err
		}
		w := whereStore(storeKey)
		w.and(order+" > ?", from)
		condition(w)
		rows, err := t.Query("SELECT "+number+", "+eventColumns+" FROM "+table+w.text.String()+" ORDER BY "+order+" DESC", w.args...)
		if err != nil {
			return from, err
		}
		return from, txn.Each(rows, scanEvent, func(e cohort.Event) bool { more = fn(e); return more })
	}
	if !t.SQL().CommitsInOrder { // the events of the inbox follow those with a number
		if from, err := read("event_inbox", "CAST(0 AS BIGINT)", "ticket"); err != nil || from != 0 || !more {
			return err
		}
	}
	_, err := read("events", "number", "number")
	return err
}

func isCreation(k cohort.EventKind) bool { return strings.HasSuffix(string(k), ".created") }
