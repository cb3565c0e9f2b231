package cohort_test

import (
	"errors"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func TestPriceListRules(t *testing.T) {
	rules := []textRule[cohort.PriceList]{{"name", func(l *cohort.PriceList) *string { return &l.Name }, 1, cohort.MaxPriceListName}}
	checkTextRules(t, cohort.PriceList{Name: "x"}, rules)
	name, active := "  x ", true
	got := cohort.PriceListUpdate{Name: &name, Active: &active}.Apply(cohort.PriceList{ID: 3, Name: "y"})
	if diff := cmp.Diff(cohort.PriceList{ID: 3, Name: "x", Active: true}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := (cohort.PriceListUpdate{}).Apply(got); got.Name != "x" || !got.Active {
		t.Errorf("an empty update changed the list to %+v", got)
	}
}

// Each violated rule names its field.
func TestPriceRecordRules(t *testing.T) {
	price := func(text string) *decimal.NullDecimal {
		return new(decimal.NewNullDecimal(decimal.RequireFromString(text)))
	}
	valid := cohort.PriceRecordUpdate{
		VariantID: 1, Currency: "uSd", Price: price("99999999999999.9999"), SalePrice: price("0"), MAPPrice: &decimal.NullDecimal{},
		BulkTiers: &[]cohort.BulkTier{{QuantityMin: 1, Method: cohort.MethodPercent}},
	}
	if err := valid.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, breakIt := range map[string]func(*cohort.PriceRecordUpdate){
		"variant_id":         func(u *cohort.PriceRecordUpdate) { u.VariantID = 0 },
		"currency":           func(u *cohort.PriceRecordUpdate) { u.Currency = "XAU" },
		"price":              func(u *cohort.PriceRecordUpdate) { u.Price = price("100000000000000") },
		"sale_price":         func(u *cohort.PriceRecordUpdate) { u.SalePrice = price("-0.0001") },
		"retail_price":       func(u *cohort.PriceRecordUpdate) { u.RetailPrice = price("0.00001") },
		"map_price":          func(u *cohort.PriceRecordUpdate) { u.MAPPrice = price("-1") },
		"bulk_pricing_tiers": func(u *cohort.PriceRecordUpdate) { u.BulkTiers = &[]cohort.BulkTier{{}} },
	} {
		u := valid
		breakIt(&u)
		e, ok := errors.AsType[*cohort.Error](u.Validate())
		if !ok || e.Kind != cohort.KindInvalid || e.Field != field || !strings.HasSuffix(e.Reason, ".") && field != "bulk_pricing_tiers" {
			t.Errorf("%s: %v", field, e)
		}
	}
}

// An update leaves nil fields unchanged and removes prices that are not Valid. The sale
// price takes precedence.
func TestPriceRecordUpdate(t *testing.T) {
	ten, nine := decimal.NewNullDecimal(decimal.New(10, 0)), decimal.NewNullDecimal(decimal.New(9, 0))
	r := cohort.PriceRecordUpdate{Price: &ten, SalePrice: &nine}.Apply(cohort.PriceRecord{VariantID: 7, RetailPrice: ten})
	if !r.Price.Decimal.Equal(ten.Decimal) || !r.RetailPrice.Valid || r.MAPPrice.Valid || r.VariantID != 7 {
		t.Errorf("%+v", r)
	}
	if c := r.CalculatedPrice(); !c.Decimal.Equal(nine.Decimal) {
		t.Errorf("the calculated price is %v", c)
	}
	r = cohort.PriceRecordUpdate{SalePrice: &decimal.NullDecimal{}}.Apply(r)
	if c := r.CalculatedPrice(); !c.Decimal.Equal(ten.Decimal) {
		t.Errorf("without a sale price the calculated price is %v", c)
	}
}

func TestAssignmentRules(t *testing.T) {
	for field, a := range map[string]cohort.PriceListAssignment{
		"":                  {PriceListID: 1, GroupID: 1},
		"price_list_id":     {GroupID: 1},
		"customer_group_id": {PriceListID: 1},
		"channel_id":        {PriceListID: 1, GroupID: 1, ChannelID: -1},
	} {
		err := a.Validate()
		e, _ := errors.AsType[*cohort.Error](err)
		if field == "" && err != nil || field != "" && (e == nil || e.Field != field) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}
