package cohort

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// MaxPriceListName is the longest name of a price list, in code points.
const MaxPriceListName = 255

// PriceList is prices of variants that stand for those of the catalog, for the
// groups and channels to which the list is assigned.
type PriceList struct {
	ID           int64
	Name         string // unique in the store
	Active       bool   // one that is not is as if it were assigned to nobody
	DateCreated  time.Time
	DateModified time.Time
}

// PriceRecord is the prices of one variant in one list and currency. Prices that
// are not Valid are the catalog's.
type PriceRecord struct {
	PriceListID                             int64
	VariantID                               int64
	Currency                                string // three capitals
	ProductID                               int64  // the variant's
	SKU                                     string // the variant's
	Price, SalePrice, RetailPrice, MAPPrice decimal.NullDecimal
	BulkTiers                               []BulkTier
	DateCreated                             time.Time
	DateModified                            time.Time
}

// CalculatedPrice is what the record makes the variant cost: the sale price if
// there is one, else the price. It is not Valid if the record has neither.
func (r PriceRecord) CalculatedPrice() decimal.NullDecimal {
	if r.SalePrice.Valid {
		return r.SalePrice
	}
	return r.Price
}

// PriceListAssignment says to whom a list applies: to a group in a channel, to a
// group in every channel that has no assignment of its own, or to everybody in
// a channel for whom no list and no rule of their group decides.
//
// A group's assignment and its price_list rule are one fact: a store keeps both
// and changes them together.
type PriceListAssignment struct {
	ID          int64
	PriceListID int64
	GroupID     int64 // 0: everybody
	ChannelID   int64 // 0: every channel
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

// PriceListUpdate is a partial change of a price list; nil fields stay as they
// are.
type PriceListUpdate struct {
	Name   *string
	Active *bool
}

// IsEmpty reports whether the update changes nothing.
func (u PriceListUpdate) IsEmpty() bool { return u == PriceListUpdate{} }

// Apply returns l with the update's fields in place, normalized.
func (u PriceListUpdate) Apply(l PriceList) PriceList {
	set(&l.Name, u.Name)
	set(&l.Active, u.Active)
	return l.Normalized()
}

// Normalized returns the price list as it is kept: the name trimmed.
func (l PriceList) Normalized() PriceList {
	l.Name = strings.TrimSpace(l.Name)
	return l
}

// Validate checks a normalized price list. It returns a KindInvalid error that
// names the field at fault.
func (l PriceList) Validate() error { return checkText("name", l.Name, 1, MaxPriceListName) }

// How much one call may hold. Source: the vendor's reference.
const (
	MaxRecordsPut     = 1000 // records of one list, to be created or changed
	MaxRecordsOfLists = 100  // records of several lists
	MaxRecordsCreated = 100  // records that are new
	MaxAssignments    = 25
)

// PriceRecordUpdate is a change of one record, or a new one. Nil fields stay as
// they are, which in a new record is not set.
type PriceRecordUpdate struct {
	PriceListID                             int64
	VariantID                               int64  // 0: the variant is named by its SKU alone
	SKU                                     string // "": by its id alone
	Currency                                string // in capitals or not
	Price, SalePrice, RetailPrice, MAPPrice *decimal.NullDecimal
	BulkTiers                               *[]BulkTier // replaces them all
}

// Apply returns r with the update's prices in place.
func (u PriceRecordUpdate) Apply(r PriceRecord) PriceRecord {
	set(&r.Price, u.Price)
	set(&r.SalePrice, u.SalePrice)
	set(&r.RetailPrice, u.RetailPrice)
	set(&r.MAPPrice, u.MAPPrice)
	set(&r.BulkTiers, u.BulkTiers)
	return r
}

// Validate checks what can be said of a record without looking anything up. It
// returns a KindInvalid error that names the first field at fault.
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

// Validate returns a KindInvalid error that names the first field at fault.
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

// PriceListRule returns the price list that a group's rules name, 0 for none.
func PriceListRule(rules []DiscountRule) int64 {
	if len(rules) == 1 && rules[0].Type == RulePriceList {
		return rules[0].TargetID
	}
	return 0
}
