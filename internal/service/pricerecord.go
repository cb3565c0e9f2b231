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

// PriceRecord returns a record of a price list, or KindNotFound. The currency may
// be in capitals or not.
func (s *Service) PriceRecord(ctx context.Context, storeHash string, listID, variantID int64, currency string) (r cohort.PriceRecord, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		r, err = tx.PriceRecord(storeHash, listID, variantID, strings.ToUpper(currency))
		return err
	})
	return r, err
}

// ReadPriceRecords hands on one page of the records of a price list that pass the
// filter, by variant and currency, and returns how many pass it, unless the page is
// named by its place. It returns KindNotFound if there is no such list.
func (s *Service) ReadPriceRecords(ctx context.Context, storeHash string, listID int64, f cohort.PriceRecordFilter, p cohort.Page, to Sink[cohort.PriceRecord]) (total int64, err error) {
	f.Currencies = capitals(f.Currencies)
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if _, err := tx.PriceList(storeHash, listID); err != nil {
			return err
		}
		if err := tx.ReadPriceRecords(storeHash, listID, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountPriceRecords(storeHash, listID, f)
		return err
	})
	return total, err
}

// capitals keeps nil nil, which means something else than none.
func capitals(codes []string) []string {
	if codes == nil {
		return nil
	}
	upper := make([]string, len(codes))
	for i, c := range codes {
		upper[i] = strings.ToUpper(c)
	}
	return upper
}

// CreatePriceRecords adds records to price lists, all of them or none. It returns
// ItemErrors if one breaks a rule, names what there is not, or is there already.
func (s *Service) CreatePriceRecords(ctx context.Context, storeHash string, us []cohort.PriceRecordUpdate) error {
	return s.writePriceRecords(ctx, storeHash, us, true)
}

// PutPriceRecords adds records to price lists, or changes those that are there
// already, all of them or none. What the update of one leaves out stays as it is.
// It returns ItemErrors if one breaks a rule or names what there is not.
func (s *Service) PutPriceRecords(ctx context.Context, storeHash string, us []cohort.PriceRecordUpdate) error {
	return s.writePriceRecords(ctx, storeHash, us, false)
}

func (s *Service) writePriceRecords(ctx context.Context, storeHash string, us []cohort.PriceRecordUpdate, create bool) error {
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
	return s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		b := recordBatch{store: storeHash, updates: slices.Clone(us), wrong: cohort.ItemErrors{}}
		if err := b.resolve(tx); err != nil {
			return err
		}
		existing, err := b.existing(tx)
		if err != nil {
			return err
		}
		if create {
			b.refuse(existing)
		}
		if len(b.wrong) > 0 {
			return b.wrong
		}
		return s.write(tx, storeHash, b.updates, existing)
	})
}

// SetPriceRecord is PutPriceRecords for one record, which it returns as it is kept.
// It returns KindInvalid if a rule is broken, and KindNotFound if the list or the
// variant does not exist.
func (s *Service) SetPriceRecord(ctx context.Context, storeHash string, u cohort.PriceRecordUpdate) (r cohort.PriceRecord, err error) {
	if err := u.Validate(); err != nil {
		return r, err
	}
	u.Currency = strings.ToUpper(u.Currency)
	err = s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		b := recordBatch{store: storeHash, updates: []cohort.PriceRecordUpdate{u}, wrong: cohort.ItemErrors{}}
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
		if err := s.write(tx, storeHash, b.updates, existing); err != nil {
			return err
		}
		r, err = tx.PriceRecord(storeHash, u.PriceListID, b.updates[0].VariantID, u.Currency)
		return err
	})
	return r, err
}

// DeletePriceRecord deletes a record, or returns KindNotFound.
func (s *Service) DeletePriceRecord(ctx context.Context, storeHash string, listID, variantID int64, currency string) error {
	f := cohort.PriceRecordFilter{VariantIDs: []int64{variantID}, Currencies: []string{strings.ToUpper(currency)}}
	return s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		n, err := tx.DeletePriceRecords(storeHash, listID, f)
		if err == nil && n == 0 {
			return cohort.NotFound("price record")
		}
		return err
	})
}

// DeletePriceRecords deletes the records of a price list that pass the filter, of
// which only variants, SKUs and currencies count. It returns KindNotFound if there
// is no such list, and KindInvalid if the filter selects everything.
func (s *Service) DeletePriceRecords(ctx context.Context, storeHash string, listID int64, f cohort.PriceRecordFilter) error {
	if f.VariantIDs == nil && f.SKUs == nil && f.Currencies == nil {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: "A filter is required: without one, every record of the list would be deleted."}
	}
	f.Currencies = capitals(f.Currencies)
	return s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		if _, err := tx.PriceList(storeHash, listID); err != nil {
			return err
		}
		_, err := tx.DeletePriceRecords(storeHash, listID, f)
		return err
	})
}

// recordKey is what a record is known by.
type recordKey struct {
	list, variant int64
	currency      string
}

func keyOf(u cohort.PriceRecordUpdate) recordKey {
	return recordKey{u.PriceListID, u.VariantID, u.Currency}
}

// recordBatch is records that are about to be written together.
type recordBatch struct {
	store   string
	updates []cohort.PriceRecordUpdate // valid, with currencies in capitals
	wrong   cohort.ItemErrors
}

// resolve finds the variants that are named by their SKUs, keeps lists and
// variants from being deleted, and notes what names one that there is not, or a
// record for the second time.
func (b *recordBatch) resolve(tx *db.Tx) error {
	lists, err := holdLists(tx, b.store, b.distinct(func(u cohort.PriceRecordUpdate) int64 { return u.PriceListID }))
	if err != nil {
		return err
	}
	if err := b.resolveSKUs(tx); err != nil {
		return err
	}
	held, err := tx.HoldVariants(b.store, b.distinct(func(u cohort.PriceRecordUpdate) int64 { return u.VariantID }))
	if err != nil {
		return err
	}
	seen := make(map[recordKey]bool, len(b.updates))
	for i, u := range b.updates {
		_, there := slices.BinarySearch(held, u.VariantID)
		switch {
		case b.wrong[i] != nil:
		case !lists[u.PriceListID]:
			b.wrong[i] = unknownList(u.PriceListID)
		case !there && u.VariantID == 0:
			b.wrong[i] = cohort.Invalid("sku", "No variant has this SKU.")
		case !there:
			b.wrong[i] = cohort.Invalid("variant_id", fmt.Sprintf("Variant id %d does not exist.", u.VariantID))
		case seen[keyOf(u)]:
			b.wrong[i] = cohort.Invalid("currency", "There is another record of this variant in this currency in the request.")
		}
		seen[keyOf(u)] = true
	}
	return nil
}

// resolveSKUs puts ids where variants are named by their SKUs alone, 0 for one that
// nobody has. Where both are given they have to be of the same variant.
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

// distinct returns the ids that the updates have somewhere, ascending.
func (b *recordBatch) distinct(of func(cohort.PriceRecordUpdate) int64) []int64 {
	ids := map[int64]bool{}
	for _, u := range b.updates {
		ids[of(u)] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// existing returns the records that are there already, and locks them.
func (b *recordBatch) existing(tx *db.Tx) (map[recordKey]cohort.PriceRecord, error) {
	variants := map[int64][]int64{}
	for i, u := range b.updates {
		if b.wrong[i] == nil {
			variants[u.PriceListID] = append(variants[u.PriceListID], u.VariantID)
		}
	}
	there := map[recordKey]cohort.PriceRecord{}
	for _, list := range slices.Sorted(maps.Keys(variants)) {
		ids := slices.Compact(slices.Sorted(slices.Values(variants[list])))
		records, err := tx.PriceRecordsForUpdate(b.store, list, ids)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			there[recordKey{r.PriceListID, r.VariantID, r.Currency}] = r
		}
	}
	return there, nil
}

// refuse notes what is there already.
func (b *recordBatch) refuse(existing map[recordKey]cohort.PriceRecord) {
	for i, u := range b.updates {
		if _, there := existing[keyOf(u)]; there && b.wrong[i] == nil {
			b.wrong[i] = cohort.Invalid("currency", "The variant has a record in this currency already.")
		}
	}
}

// write writes the updates. New records are inserted, and not put: another who
// creates the same ones at this moment is noticed then, and not written over.
func (s *Service) write(tx *db.Tx, storeHash string, us []cohort.PriceRecordUpdate, existing map[recordKey]cohort.PriceRecord) error {
	var fresh, changed []cohort.PriceRecord
	now := s.timestamp()
	for _, u := range us {
		before, there := existing[keyOf(u)]
		if there {
			r := u.Apply(before)
			r.DateModified = laterOf(now, before.DateModified)
			changed = append(changed, r)
			continue
		}
		fresh = append(fresh, u.Apply(cohort.PriceRecord{
			PriceListID: u.PriceListID, VariantID: u.VariantID, Currency: u.Currency, DateCreated: now, DateModified: now,
		}))
	}
	if err := tx.InsertPriceRecords(storeHash, fresh); err != nil {
		return err
	}
	return tx.PutPriceRecords(storeHash, changed)
}
