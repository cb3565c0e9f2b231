package db

import (
	"errors"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// The methods below read the data of a price request with one statement per
// resource type, however many rows it needs, and only the columns that prices
// need.

// rowsOf is a query for the rows with the ids in argument 2; see idText. It is
// written so that the database looks up each id in an index: planners without
// statistics would scan all rows of the store instead.
func (t *Tx) rowsOf(l txn.LookupBy) string { return t.SQL().RowsOf(t.SQL().IDTable, "ids.wanted", l) }

// idText joins ids with commas into one argument, because drivers are slow with
// many arguments.
func idText(ids []int64) string {
	text := make([]byte, 0, 8*len(ids))
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, id, 10)
	}
	return string(text)
}

// GuestGroup returns the group for guests, or nil if the store has none.
func (t *Tx) GuestGroup(storeKey string) (*cohort.Group, error) {
	g, err := scanGroup(t.Lookup("SELECT "+groupColumns+
		" FROM customer_groups WHERE store_hash = $1 AND is_group_for_guests", storeKey))
	if errors.Is(err, txn.ErrNoRows) {
		return nil, nil
	}
	return &g, err
}

// CustomerGroupID returns the id of the group that a customer is in, or 0 for
// none. It returns KindNotFound if the customer does not exist.
func (t *Tx) CustomerGroupID(storeKey string, customerID int64) (groupID int64, err error) {
	err = t.Lookup("SELECT "+groupInEffect+" FROM customers WHERE store_hash = $1 AND id = $2", storeKey, customerID).Scan(&groupID)
	if errors.Is(err, txn.ErrNoRows) {
		return 0, cohort.NotFound(customerName(customerID))
	}
	return groupID, err
}

// AssignedLists sets the fields of terms that hold the price lists assigned to a
// group, to a channel, and to both. Group 0 means no group.
func (t *Tx) AssignedLists(storeKey string, groupID, channelID int64, terms *cohort.PriceTerms) error {
	rows, err := t.Query(`SELECT a.customer_group_id, a.channel_id, a.price_list_id,
			COALESCE(l.name, ''), l.id IS NOT NULL, COALESCE(l.active, FALSE)
		FROM price_list_assignments a
		LEFT JOIN price_lists l ON l.store_hash = a.store_hash AND l.id = a.price_list_id
		WHERE a.store_hash = $1 AND a.customer_group_id IN (0, $2) AND a.channel_id IN (0, $3)`,
		storeKey, groupID, channelID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var group, channel int64
		var l cohort.AssignedList
		if err := rows.Scan(&group, &channel, &l.ID, &l.Name, &l.Known, &l.Active); err != nil {
			return err
		}
		assign(terms, group, channel, l)
	}
	return rows.Err()
}

// assign sets the field of terms for the list of an assignment.
func assign(terms *cohort.PriceTerms, groupID, channelID int64, l cohort.AssignedList) {
	switch {
	case groupID != 0 && channelID != 0:
		terms.GroupChannelList = l
	case groupID != 0:
		terms.GroupList = l
	case channelID != 0:
		terms.ChannelList = l
	}
}

// Budget bounds the total number of nested items, such as bulk tiers, that a
// request reads. A nil budget is unlimited.
type Budget struct {
	Left int
	Over error // the error when the budget is exceeded
}

func (b *Budget) take(n int) error {
	if b == nil {
		return nil
	}
	if b.Left -= n; b.Left < 0 {
		return b.Over
	}
	return nil
}

// ProductsToPrice returns those of the products that exist, by id, with only the
// fields that prices need and without their categories. The budget counts bulk
// tiers.
func (t *Tx) ProductsToPrice(storeKey string, ids []int64, tiersLeft *Budget) (map[int64]cohort.Product, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	rows, err := t.Query(t.catalogRowsOf(tables, txn.LookupBy{
		Columns: "id, price, sale_price, retail_price, map_price, bulk_tiers, base_variant_id", Table: "products", Column: "id",
	}), storeKey, idText(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	products := make(map[int64]cohort.Product, len(ids))
	for rows.Next() {
		var p cohort.Product
		var price, sale, retail, advertised int64
		var tiers string
		if err := rows.Scan(&p.ID, &price, &sale, &retail, &advertised, &tiers, &p.BaseVariantID); err != nil {
			return nil, err
		}
		p.Price, p.SalePrice, p.RetailPrice, p.MAPPrice = toAmount(price), toAmount(sale), toAmount(retail), toAmount(advertised)
		if p.BulkTiers, err = decodeTiers(tiers); err != nil {
			return nil, err
		}
		if err := tiersLeft.take(len(p.BulkTiers)); err != nil {
			return nil, err
		}
		products[p.ID] = p
	}
	return products, rows.Err()
}

// RecordKey identifies a price record within a currency.
type RecordKey struct{ VariantID, PriceListID int64 }

// RecordsToPrice returns the price records of variants in the given lists and
// currency, with only the fields that prices need. The budget counts bulk tiers.
func (t *Tx) RecordsToPrice(storeKey string, listIDs []int64, currency string, variantIDs []int64, tiersLeft *Budget) (map[RecordKey]cohort.PriceRecord, error) {
	w := &where{args: []any{storeKey, idText(variantIDs)}}
	w.and("x.currency = ?", currency)
	in(w, "x.price_list_id", listIDs)
	rows, err := t.Query(t.rowsOf(txn.LookupBy{
		Columns: "price_list_id, variant_id, price, sale_price, retail_price, map_price, bulk_tiers",
		Table:   "price_records", Column: "variant_id", Condition: w.text.String(),
	}), w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	records := map[RecordKey]cohort.PriceRecord{}
	for rows.Next() {
		var r cohort.PriceRecord
		var price, sale, retail, advertised int64
		var tiers string
		if err := rows.Scan(&r.PriceListID, &r.VariantID, &price, &sale, &retail, &advertised, &tiers); err != nil {
			return nil, err
		}
		r.Price, r.SalePrice, r.RetailPrice, r.MAPPrice = toPrice(price), toPrice(sale), toPrice(retail), toPrice(advertised)
		if r.BulkTiers, err = decodeTiers(tiers); err != nil {
			return nil, err
		}
		if err := tiersLeft.take(len(r.BulkTiers)); err != nil {
			return nil, err
		}
		records[RecordKey{r.VariantID, r.PriceListID}] = r
	}
	return records, rows.Err()
}
