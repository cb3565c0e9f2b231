package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// PriceRecord returns a record of a price list, or KindNotFound. The currency is a
// code in any case.
func (s *Service) PriceRecord(ctx context.Context, storeKey string, listID, variantID int64, currency string) (r cohort.PriceRecord, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		r, err = tx.PriceRecord(storeKey, listID, variantID, strings.ToUpper(currency))
		return err
	})
	return r, err
}

// ReadPriceRecords sends one page of the records of a price list that pass the filter,
// by variant and currency, to a sink. It returns the number of all that pass, or 0 for
// a page with a cursor, and KindNotFound if the list does not exist.
func (s *Service) ReadPriceRecords(ctx context.Context, storeKey string, listID int64, f cohort.PriceRecordFilter, p cohort.Page, to Sink[cohort.PriceRecord]) (total int64, err error) {
	f.Currencies = upperAll(f.Currencies)
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if _, err := tx.PriceList(storeKey, listID); err != nil {
			return err
		}
		if err := tx.ReadPriceRecords(storeKey, listID, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountPriceRecords(storeKey, listID, f)
		return err
	})
	return total, err
}

// upperAll returns the codes in upper case. It returns nil for nil, which a filter
// takes for all currencies.
func upperAll(codes []string) []string {
	if codes == nil {
		return nil
	}
	upper := make([]string, len(codes))
	for i, c := range codes {
		upper[i] = strings.ToUpper(c)
	}
	return upper
}

// CreatePriceRecords adds all records or none. It returns ItemErrors if one breaks a
// rule, names a list or variant that does not exist, or exists already.
func (s *Service) CreatePriceRecords(ctx context.Context, storeKey string, us []cohort.PriceRecordUpdate) error {
	return s.writePriceRecords(ctx, storeKey, us, true)
}

// PutPriceRecords adds or changes all records or none. Nil fields of an update leave an
// existing record's fields unchanged. It returns ItemErrors if one breaks a rule or
// names a list or variant that does not exist.
func (s *Service) PutPriceRecords(ctx context.Context, storeKey string, us []cohort.PriceRecordUpdate) error {
	return s.writePriceRecords(ctx, storeKey, us, false)
}

func (s *Service) writePriceRecords(ctx context.Context, storeKey string, us []cohort.PriceRecordUpdate, create bool) error {
	us = slices.Clone(us)
	wrong := cohort.ItemErrors{}
	for i := range us {
		if err := us[i].Validate(); err != nil {
			wrong[i] = err
		}
		us[i].Currency = strings.ToUpper(us[i].Currency)
	}
	if len(wrong) > 0 {
		return wrong
	}
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		tx.InBatch()
		b := recordBatch{store: storeKey, updates: slices.Clone(us), wrong: cohort.ItemErrors{}}
		if err := b.resolve(tx); err != nil {
			return err
		}
		existing, err := b.existing(tx)
		if err != nil {
			return err
		}
		if create {
			b.rejectExisting(existing)
		}
		if len(b.wrong) > 0 {
			return b.wrong
		}
		return s.writeRecords(tx, b, existing)
	})
}

// SetPriceRecord is PutPriceRecords for one record, which it returns as stored. It
// returns KindInvalid if a rule is broken, and KindNotFound if the list or the variant
// does not exist.
func (s *Service) SetPriceRecord(ctx context.Context, storeKey string, u cohort.PriceRecordUpdate) (r cohort.PriceRecord, err error) {
	if err := u.Validate(); err != nil {
		return r, err
	}
	u.Currency = strings.ToUpper(u.Currency)
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		b := recordBatch{store: storeKey, updates: []cohort.PriceRecordUpdate{u}, wrong: cohort.ItemErrors{}}
		if err := b.resolve(tx); err != nil {
			return err
		}
		if e, ok := errors.AsType[*cohort.Error](b.wrong[0]); ok && e.Field == "sku" {
			return e
		}
		if len(b.wrong) > 0 {
			return cohort.NotFound(fmt.Sprintf("price list %d or variant %d", u.PriceListID, u.VariantID))
		}
		existing, err := b.existing(tx)
		if err != nil {
			return err
		}
		if err := s.writeRecords(tx, b, existing); err != nil {
			return err
		}
		r, err = tx.PriceRecord(storeKey, u.PriceListID, b.updates[0].VariantID, u.Currency)
		return err
	})
	return r, err
}

// DeletePriceRecord deletes a record, or returns KindNotFound.
func (s *Service) DeletePriceRecord(ctx context.Context, storeKey string, listID, variantID int64, currency string) error {
	f := cohort.PriceRecordFilter{VariantIDs: []int64{variantID}, Currencies: []string{strings.ToUpper(currency)}}
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		n, err := tx.DeletePriceRecords(storeKey, listID, f)
		if err == nil && n == 0 {
			return cohort.NotFound("price record")
		}
		return err
	})
}

// DeletePriceRecords deletes the records of a price list that pass the filter. Only
// the variants, SKUs and currencies of the filter are used. It returns KindNotFound if
// the list does not exist, and KindInvalid for an empty filter.
func (s *Service) DeletePriceRecords(ctx context.Context, storeKey string, listID int64, f cohort.PriceRecordFilter) error {
	if f.VariantIDs == nil && f.SKUs == nil && f.Currencies == nil {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: "A filter is required: without one, every record of the list would be deleted."}
	}
	f.Currencies = upperAll(f.Currencies)
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		tx.InBatch()
		if _, err := tx.PriceList(storeKey, listID); err != nil {
			return err
		}
		_, err := tx.DeletePriceRecords(storeKey, listID, f)
		return err
	})
}

// recordKey identifies a price record of a store.
type recordKey struct {
	list, variant int64
	currency      string
}

func keyOf(u cohort.PriceRecordUpdate) recordKey {
	return recordKey{u.PriceListID, u.VariantID, u.Currency}
}

// recordBatch is the updates of one call, which are written together.
type recordBatch struct {
	store   string
	updates []cohort.PriceRecordUpdate // valid, with currencies in upper case
	wrong   cohort.ItemErrors
	// products has the product of each variant that exists, once resolve has run.
	products map[int64]int64
}

// resolve finds the variants of SKUs, keeps lists and variants from being deleted until
// the transaction ends, and records errors for unknown lists, unknown variants and
// duplicate records.
func (b *recordBatch) resolve(tx *db.Tx) error {
	lists, err := holdLists(tx, b.store, b.distinct(func(u cohort.PriceRecordUpdate) int64 { return u.PriceListID }))
	if err != nil {
		return err
	}
	if err := b.resolveSKUs(tx); err != nil {
		return err
	}
	b.products, err = tx.HoldVariants(b.store, b.distinct(func(u cohort.PriceRecordUpdate) int64 { return u.VariantID }))
	if err != nil {
		return err
	}
	seen := make(map[recordKey]bool, len(b.updates))
	for i, u := range b.updates {
		_, found := b.products[u.VariantID]
		switch {
		case b.wrong[i] != nil:
		case !lists[u.PriceListID]:
			b.wrong[i] = unknownList(u.PriceListID)
		case !found && u.VariantID == 0:
			b.wrong[i] = cohort.Invalid("sku", "No variant has this SKU.")
		case !found:
			b.wrong[i] = cohort.Invalid("variant_id", fmt.Sprintf("Variant id %d does not exist.", u.VariantID))
		case seen[keyOf(u)]:
			b.wrong[i] = cohort.Invalid("currency", "There is another record of this variant in this currency in the request.")
		}
		seen[keyOf(u)] = true
	}
	return nil
}

// resolveSKUs sets the variant ids of updates that have only a SKU, 0 for an unknown
// SKU. An update with both must name one variant.
func (b *recordBatch) resolveSKUs(tx *db.Tx) error {
	named := map[string]bool{}
	for _, u := range b.updates {
		if u.SKU != "" {
			named[u.SKU] = true
		}
	}
	if len(named) == 0 {
		return nil
	}
	ids, err := tx.VariantIDsBySKU(b.store, slices.Sorted(maps.Keys(named)))
	if err != nil {
		return err
	}
	for i, u := range b.updates {
		switch {
		case u.SKU == "":
		case u.VariantID == 0:
			b.updates[i].VariantID = ids[u.SKU]
		case u.VariantID != ids[u.SKU]:
			b.wrong[i] = cohort.Invalid("sku", "The variant does not have this SKU.")
		}
	}
	return nil
}

// distinct returns the distinct ids that of returns for the updates, ascending.
func (b *recordBatch) distinct(of func(cohort.PriceRecordUpdate) int64) []int64 {
	ids := map[int64]bool{}
	for _, u := range b.updates {
		ids[of(u)] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// existing locks and returns the records that exist.
func (b *recordBatch) existing(tx *db.Tx) (map[recordKey]cohort.PriceRecord, error) {
	variants := map[int64][]int64{}
	for i, u := range b.updates {
		if b.wrong[i] == nil {
			variants[u.PriceListID] = append(variants[u.PriceListID], u.VariantID)
		}
	}
	existing := map[recordKey]cohort.PriceRecord{}
	for _, list := range slices.Sorted(maps.Keys(variants)) {
		ids := slices.Compact(slices.Sorted(slices.Values(variants[list])))
		records, err := tx.PriceRecordsForUpdate(b.store, list, ids)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			existing[recordKey{r.PriceListID, r.VariantID, r.Currency}] = r
		}
	}
	return existing, nil
}

// rejectExisting records an error for each update whose record exists.
func (b *recordBatch) rejectExisting(existing map[recordKey]cohort.PriceRecord) {
	for i, u := range b.updates {
		if _, found := existing[keyOf(u)]; found && b.wrong[i] == nil {
			b.wrong[i] = cohort.Invalid("currency", "The variant has a record in this currency already.")
		}
	}
}

// writeRecords writes the updates of a batch. It inserts new records instead of upserting them, so
// that records created by a concurrent transaction cause a conflict and are not
// overwritten.
func (s *Service) writeRecords(tx *db.Tx, b recordBatch, existing map[recordKey]cohort.PriceRecord) error {
	var fresh, before, changed []cohort.PriceRecord
	now := s.timestamp(b.store)
	for _, u := range b.updates {
		product := b.products[u.VariantID]
		was, found := existing[keyOf(u)]
		if found {
			r := u.Apply(was)
			r.ProductID = product
			r.DateModified = laterOf(now, was.DateModified)
			before, changed = append(before, was), append(changed, r)
			continue
		}
		fresh = append(fresh, u.Apply(cohort.PriceRecord{
			PriceListID: u.PriceListID, VariantID: u.VariantID, ProductID: product, Currency: u.Currency, DateCreated: now, DateModified: now,
		}))
	}
	if err := tx.InsertPriceRecords(b.store, fresh); err != nil {
		return err
	}
	return tx.PutPriceRecords(b.store, before, changed)
}
