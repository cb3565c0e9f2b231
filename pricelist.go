package cohort

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// MaxPriceListName is the maximum length of a price list's name, in Unicode code points.
const MaxPriceListName = 255

// PriceList is a list of prices that replace those of the catalog for the groups and
// channels that it is assigned to. The prices are its records.
type PriceList struct {
	ID           int64
	Name         string // unique in the store
	Active       bool   // false: its assignments have no effect
	DateCreated  time.Time
	DateModified time.Time
}

// PriceRecord holds the prices of one variant in one list and currency. For prices that
// are not Valid, those of the catalog apply.
type PriceRecord struct {
	PriceListID                             int64
	VariantID                               int64
	Currency                                string // the ISO 4217 code
	ProductID                               int64  // the variant's
	SKU                                     string // the variant's
	Price, SalePrice, RetailPrice, MAPPrice decimal.NullDecimal
	BulkTiers                               []BulkTier
	DateCreated                             time.Time
	DateModified                            time.Time
}

// CalculatedPrice returns the record's sale price, or its price if there is none. It is
// not Valid if the record has neither.
func (r PriceRecord) CalculatedPrice() decimal.NullDecimal {
	if r.SalePrice.Valid {
		return r.SalePrice
	}
	return r.Price
}

// PriceListAssignment assigns a list to a group in a channel, to a group in all channels
// in which it has no other list, or to a channel, for shoppers whose group has no list
// and no rule that applies.
//
// The assignments of a group and its price_list rule store the same fact, and change
// together.
type PriceListAssignment struct {
	ID          int64
	PriceListID int64
	GroupID     int64 // 0: all shoppers
	ChannelID   int64 // 0: all channels
}

// PriceListFilter selects price lists; the zero value selects all of them.
type PriceListFilter struct {
	IDs          []int64 // nil: all
	Name         *string
	NameLike     string
	DateCreated  TimeRange
	DateModified TimeRange
}

// PriceRecordFilter selects the records of a list; the zero value selects all.
type PriceRecordFilter struct {
	VariantIDs, ProductIDs                              []int64  // nil: all
	SKUs, Currencies                                    []string // nil: all
	Price, SalePrice, RetailPrice, MAPPrice, Calculated AmountRange
	DateCreated, DateModified                           TimeRange
}

// AssignmentFilter selects assignments; the zero value selects all of them.
type AssignmentFilter struct {
	IDs, PriceListIDs, GroupIDs, ChannelIDs []int64 // nil: all
}

// PriceListUpdate is a partial update of a price list; nil fields are unchanged.
type PriceListUpdate struct {
	Name   *string
	Active *bool
}

// IsEmpty reports whether the update changes nothing.
func (u PriceListUpdate) IsEmpty() bool { return u == PriceListUpdate{} }

// Apply returns l with the update applied, normalized.
func (u PriceListUpdate) Apply(l PriceList) PriceList {
	set(&l.Name, u.Name)
	set(&l.Active, u.Active)
	return l.Normalized()
}

// Normalized returns the price list in its stored form, with the name trimmed.
func (l PriceList) Normalized() PriceList {
	l.Name = strings.TrimSpace(l.Name)
	return l
}

// Validate checks a normalized price list. It returns a KindInvalid error that names the
// invalid field.
func (l PriceList) Validate() error { return checkText("name", l.Name, 1, MaxPriceListName) }

// Maximum numbers of items in one call. Source: the vendor's reference.
const (
	MaxRecordsPut     = 1000 // records of one list, created or updated
	MaxRecordsOfLists = 100  // records of several lists
	MaxRecordsCreated = 100  // records that are new
	MaxAssignments    = 25
)

// PriceRecordUpdate updates one record or creates it. Nil fields are unchanged, or not set
// in a new record.
type PriceRecordUpdate struct {
	PriceListID                             int64
	VariantID                               int64  // 0: SKU identifies the variant
	SKU                                     string // "": VariantID identifies the variant
	Currency                                string // in any case
	Price, SalePrice, RetailPrice, MAPPrice *decimal.NullDecimal
	BulkTiers                               *[]BulkTier // replaces them all
}

// Apply returns r with the update applied.
func (u PriceRecordUpdate) Apply(r PriceRecord) PriceRecord {
	set(&r.Price, u.Price)
	set(&r.SalePrice, u.SalePrice)
	set(&r.RetailPrice, u.RetailPrice)
	set(&r.MAPPrice, u.MAPPrice)
	set(&r.BulkTiers, u.BulkTiers)
	return r
}

// Validate checks the update by itself, without the list and variant. It returns a
// KindInvalid error that names the first invalid field.
func (u PriceRecordUpdate) Validate() error {
	switch {
	case u.VariantID == 0 && u.SKU == "":
		return Invalid("variant_id", "Either variant_id or sku is required.")
	case u.Currency == "":
		return Invalid("currency", "The field is required.")
	}
	if _, err := ParseCurrency(u.Currency); err != nil {
		return Invalid("currency", "The value must be a currency code of ISO 4217, such as USD.")
	}
	for _, p := range []struct {
		field string
		value *decimal.NullDecimal
	}{{"price", u.Price}, {"sale_price", u.SalePrice}, {"retail_price", u.RetailPrice}, {"map_price", u.MAPPrice}} {
		if p.value == nil {
			continue
		}
		if err := checkOptionalPrice(p.field, *p.value); err != nil {
			return err
		}
	}
	if u.BulkTiers == nil {
		return nil
	}
	if err := ValidateBulkTiers(*u.BulkTiers); err != nil {
		return Invalid("bulk_pricing_tiers", "The tiers are not valid: "+err.Error())
	}
	return nil
}

// Validate returns a KindInvalid error that names the first invalid field.
func (a PriceListAssignment) Validate() error {
	switch {
	case a.PriceListID < 1:
		return Invalid("price_list_id", "The value must be an id, which is a whole number from 1.")
	case a.GroupID == 0 && a.ChannelID == 0:
		return Invalid("customer_group_id", "Either customer_group_id or channel_id is required.")
	case a.GroupID < 0:
		return Invalid("customer_group_id", "The value must be an id, or 0 for none.")
	case a.ChannelID < 0:
		return Invalid("channel_id", "The value must be an id, or 0 for none.")
	}
	return nil
}

// PriceListRule returns the price list of a group's price_list rule, or 0.
func PriceListRule(rules []DiscountRule) int64 {
	if len(rules) == 1 && rules[0].Type == RulePriceList {
		return rules[0].TargetID
	}
	return 0
}
