package service_test

import (
	"errors"
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func cents(n int64) decimal.Decimal { return decimal.New(n, -2) }

// priceModel is a small random catalog with every kind of resource that affects prices,
// and the reference implementation of Prices on it. It uses few ids, so that references
// match.
type priceModel struct {
	parents  cohort.CategoryParents
	products map[int64]cohort.Product
	variants map[int64]cohort.Variant
	lists    map[int64]cohort.PriceList
	records  []cohort.PriceRecord
	assigned []cohort.PriceListAssignment
	groups   map[int64]cohort.Group
	members  map[int64]int64 // the group of each customer
}

func drawAmount(t *rapid.T) decimal.Decimal {
	return decimal.New(rapid.Int64Range(0, 999_999).Draw(t, "amount"), -4)
}

func drawPrice(t *rapid.T) (p decimal.NullDecimal) {
	if rapid.Bool().Draw(t, "has price") {
		return decimal.NewNullDecimal(drawAmount(t))
	}
	return p
}

func drawTiers(t *rapid.T) []cohort.BulkTier {
	if rapid.IntRange(0, 3).Draw(t, "tiers") > 0 {
		return nil
	}
	return []cohort.BulkTier{{QuantityMin: 5, Method: cohort.MethodPercent, Amount: cents(1000)}}
}

func drawPriceModel(t *rapid.T) *priceModel {
	p := &priceModel{
		parents: cohort.CategoryParents{}, products: map[int64]cohort.Product{}, variants: map[int64]cohort.Variant{},
		lists: map[int64]cohort.PriceList{}, groups: map[int64]cohort.Group{}, members: map[int64]int64{},
	}
	for id := int64(1); id <= 6; id++ {
		p.parents[id] = rapid.Int64Range(0, id-1).Draw(t, "parent")
	}
	for id := int64(1); id <= 4; id++ {
		product := cohort.Product{
			ID: id, Name: fmt.Sprint(id), Type: cohort.ProductPhysical, Price: drawAmount(t), BulkTiers: drawTiers(t), BaseVariantID: 10 * id,
			Categories: rapid.SliceOfNDistinct(rapid.Int64Range(1, 6), 0, 2, rapid.ID).Draw(t, "categories"),
		}
		if rapid.Bool().Draw(t, "sale") {
			product.SalePrice, product.RetailPrice = drawAmount(t), drawAmount(t)
		}
		p.products[id] = product
		for i := range rapid.Int64Range(1, 4).Draw(t, "variants") {
			v := cohort.Variant{ID: 10*id + i, ProductID: id}
			if i > 0 {
				v.Price, v.SalePrice, v.RetailPrice = drawPrice(t), drawPrice(t), drawPrice(t)
				v.OptionValues = []cohort.OptionValue{{OptionID: 1, ValueID: i % 2}, {OptionID: 2, ValueID: i}}
				v.OptionValues[0].ValueID++
			}
			p.variants[v.ID] = v
		}
	}
	for id := int64(1); id <= 3; id++ {
		p.lists[id] = cohort.PriceList{ID: id, Name: fmt.Sprint(id), Active: rapid.IntRange(0, 3).Draw(t, "inactive") > 0}
		for v := range p.variants {
			for _, currency := range []string{"USD", "EUR"} {
				if rapid.Bool().Draw(t, "record") {
					p.records = append(p.records, cohort.PriceRecord{
						PriceListID: id, VariantID: v, Currency: currency, Price: drawPrice(t), SalePrice: drawPrice(t), BulkTiers: drawTiers(t),
					})
				}
			}
		}
	}
	p.drawGroups(t)
	return p
}

func (p *priceModel) drawGroups(t *rapid.T) {
	guests := rapid.Int64Range(0, 3).Draw(t, "guest group")
	for id := int64(1); id <= 3; id++ {
		g := cohort.Group{
			ID: id, Name: fmt.Sprint(id), CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}, IsGroupForGuests: id == guests,
		}
		for _, target := range rapid.SliceOfNDistinct(rapid.Int64Range(-4, 7), 0, 6, rapid.ID).Draw(t, "rules") {
			rule := cohort.DiscountRule{Type: cohort.RuleCategory, TargetID: target, Method: cohort.MethodPercent, Amount: cents(1000 * (target + 5))}
			switch {
			case target < 0:
				rule.Type, rule.TargetID, rule.Method = cohort.RuleProduct, -target, cohort.MethodPrice
			case target == 0:
				rule.Type = cohort.RuleAll
			}
			rule.Amount = rule.Amount.Div(decimal.NewFromInt(10))
			g.DiscountRules = append(g.DiscountRules, rule)
		}
		p.groups[id], p.members[id] = g, rapid.Int64Range(0, 3).Draw(t, "member of")
	}
	for group := range int64(4) {
		for channel := range int64(3) {
			if group+channel > 0 && rapid.IntRange(0, 2).Draw(t, "assigned") == 0 {
				p.assigned = append(p.assigned, cohort.PriceListAssignment{
					ID: 10*group + channel + 1, PriceListID: rapid.Int64Range(1, 4).Draw(t, "list"), GroupID: group, ChannelID: channel,
				})
			}
		}
	}
}

// insert inserts the catalog into a store.
func (p *priceModel) insert(tx *db.Tx, store string) error {
	var errs []error
	do := func(err error) { errs = append(errs, err) }
	for id, parent := range p.parents {
		do(tx.InsertCategory(store, cohort.Category{ID: id, ParentID: parent, Name: fmt.Sprint(id)}))
	}
	for _, x := range p.products {
		do(tx.InsertProduct(store, x))
	}
	for _, x := range p.variants {
		do(tx.InsertVariant(store, x))
	}
	for _, x := range p.lists {
		do(tx.InsertPriceList(store, x))
	}
	do(tx.PutPriceRecords(store, nil, p.records))
	for _, x := range p.assigned {
		do(tx.InsertAssignment(store, x))
	}
	for _, x := range p.groups {
		do(tx.InsertGroup(store, x))
	}
	for id, group := range p.members {
		do(tx.InsertCustomer(store, cohort.Customer{ID: id, Email: fmt.Sprint(id), GroupID: group}, ""))
	}
	return errors.Join(errs...)
}

// list returns the price list that is assigned to exactly this group and channel.
func (p *priceModel) list(group, channel int64) (l cohort.AssignedList) {
	for _, a := range p.assigned {
		if a.GroupID == group && a.ChannelID == channel {
			known, ok := p.lists[a.PriceListID]
			return cohort.AssignedList{ID: a.PriceListID, Name: known.Name, Known: ok, Active: known.Active}
		}
	}
	return l
}

// terms returns the terms of the shopper of a request.
func (p *priceModel) terms(t *rapid.T, r service.PriceRequest) cohort.PriceTerms {
	var group int64
	switch {
	case r.GroupID != nil:
		group = *r.GroupID
	case r.CustomerID != 0:
		group = p.members[r.CustomerID]
	default:
		for id, g := range p.groups {
			if g.IsGroupForGuests {
				group = id
			}
		}
	}
	currency, err := cohort.ParseCurrency(r.Currency)
	if err != nil {
		t.Fatal(err)
	}
	terms := cohort.PriceTerms{
		Currency: currency, CatalogCurrency: cohort.Currency{Code: "USD", Decimals: 2},
		ChannelList: p.list(0, r.ChannelID), Parents: p.parents,
	}
	if g, ok := p.groups[group]; ok {
		terms.Group, terms.GroupList, terms.GroupChannelList = &g, p.list(group, 0), p.list(group, r.ChannelID)
	}
	return terms
}

// price computes one price, without the optimizations of the service.
func (p *priceModel) price(pricer *cohort.Pricer, product cohort.Product, v *cohort.Variant, currency string) cohort.Price {
	of := product.BaseVariantID
	if v != nil {
		of = v.ID
	}
	records := map[int64]cohort.PriceRecord{}
	for _, r := range p.records {
		if r.VariantID == of && r.Currency == currency {
			records[r.PriceListID] = r
		}
	}
	return pricer.Product(product).Explain(v, records, service.ListedLosers)
}

// want returns the expected price of an item, or the field of the expected error.
func (p *priceModel) want(pricer *cohort.Pricer, item service.PriceItem, currency string) (w service.ItemPrice, field string) {
	product, ok := p.products[item.ProductID]
	if !ok {
		return w, "product_id"
	}
	w.Item = item
	var options []cohort.OptionValue // without modifiers
	for _, o := range item.Options {
		_, hasOptions := p.variants[10*product.ID+1]
		if (o.OptionID == 1 || o.OptionID == 2) && (hasOptions || item.VariantID != 0) {
			options = append(options, o)
		}
	}
	var fitting []cohort.Variant
	for id := 10 * product.ID; id < 10*product.ID+10; id++ {
		v, ok := p.variants[id]
		fits := ok && (v.ID == item.VariantID || item.VariantID == 0 && v.ID != product.BaseVariantID)
		for _, o := range options {
			isBase := len(v.OptionValues) == 0
			fits = fits && (isBase || v.OptionValues[o.OptionID-1] == o)
		}
		if fits {
			fitting = append(fitting, v)
		}
	}
	switch {
	case item.VariantID != 0 && len(fitting) == 0 && p.variants[item.VariantID].ProductID == product.ID:
		return w, "options"
	case item.VariantID != 0 && len(fitting) == 0:
		return w, "variant_id"
	case len(options) > 0 && len(fitting) == 0:
		return w, "options"
	case item.VariantID != 0 || len(options) > 0 && len(fitting) == 1:
		w.VariantID, w.Price = fitting[0].ID, p.price(pricer, product, &fitting[0], currency)
		return w, ""
	}
	w.Price = p.price(pricer, product, nil, currency)
	var paid, retail []decimal.Decimal
	for _, v := range fitting {
		one := p.price(pricer, product, &v, currency)
		if one.Calculated.Valid {
			paid = append(paid, one.Calculated.Decimal)
		}
		if one.RetailPrice.Valid {
			retail = append(retail, one.RetailPrice.Decimal)
		}
	}
	w.PriceRange, w.RetailRange = rangeOf(paid), rangeOf(retail)
	return w, ""
}

func rangeOf(list []decimal.Decimal) *service.PriceRange {
	if len(list) == 0 {
		return nil
	}
	return &service.PriceRange{Min: decimal.Min(list[0], list...), Max: decimal.Max(list[0], list...)}
}

func drawRequest(t *rapid.T) service.PriceRequest {
	r := service.PriceRequest{
		ChannelID: rapid.Int64Range(1, 3).Draw(t, "channel"), Currency: rapid.SampledFrom([]string{"USD", "USD", "EUR"}).Draw(t, "currency"),
	}
	r.CustomerID = rapid.Int64Range(0, 3).Draw(t, "customer")
	if group := rapid.Int64Range(-3, 3).Draw(t, "group"); group >= 0 {
		r.GroupID = &group
	}
	for range rapid.IntRange(1, 6).Draw(t, "items") {
		item := service.PriceItem{ProductID: rapid.Int64Range(1, 5).Draw(t, "product")}
		if rapid.IntRange(0, 3).Draw(t, "named by a variant") == 0 {
			item.VariantID = 10*item.ProductID + rapid.Int64Range(0, 4).Draw(t, "variant")
		}
		for range rapid.SampledFrom([]int{0, 0, 1, 1, 3}).Draw(t, "options") {
			option := rapid.SampledFrom([]int64{0, 1, 2, 7}).Draw(t, "option") // 0 and 7 are modifiers
			item.Options = append(item.Options, cohort.OptionValue{OptionID: option, ValueID: rapid.Int64Range(1, 4).Draw(t, "value")})
		}
		r.Items = append(r.Items, item)
	}
	return r
}

// Prices, which reads the data of all items together, returns the same prices as the
// model, which computes each one from the whole catalog.
func TestPricesAgainstModel(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			p := drawPriceModel(rt)
			n++
			store := fmt.Sprint("model-", n)
			if _, err := s.CreateStore(t.Context(), cohort.Store{Hash: store}); err != nil {
				rt.Fatal(err)
			}
			if err := s.db.Update(t.Context(), func(tx *db.Tx) error { return p.insert(tx, store) }); err != nil {
				rt.Fatal(err)
			}
			for range 5 {
				r := drawRequest(rt)
				pricer := cohort.NewPricer(p.terms(rt, r))
				wrong := map[int]string{}
				want := make([]service.ItemPrice, len(r.Items))
				for i, item := range r.Items {
					var field string
					if want[i], field = p.want(pricer, item, r.Currency); field != "" {
						wrong[i] = field
					} else if !want[i].Calculated.Valid {
						wrong[i] = ""
					}
				}
				got, err := s.ExplainPrices(t.Context(), store, r)
				if len(wrong) > 0 {
					if diff := cmp.Diff(wrong, fieldsOf(err)); diff != "" {
						rt.Fatalf("%+v: %v (-want +got):\n%s", r, err, diff)
					}
					continue
				}
				if err != nil {
					rt.Fatal(err)
				}
				if diff := cmp.Diff(want, got.Items, cmpopts.EquateEmpty()); diff != "" {
					rt.Fatalf("%+v (-want +got):\n%s", r, diff)
				}
				plain, err := s.Prices(t.Context(), store, r)
				if err != nil {
					rt.Fatal(err)
				}
				for i := range plain {
					if !plain[i].Calculated.Decimal.Equal(want[i].Calculated.Decimal) {
						rt.Fatalf("%+v: the price of item %d is %v, but %v with an explanation", r, i, plain[i].Calculated, want[i].Calculated)
					}
				}
				if r.CustomerID == 0 || r.GroupID != nil {
					continue
				}
				group := p.members[r.CustomerID] // 0: no group
				r.CustomerID, r.GroupID = 0, &group
				groups, err := s.Prices(t.Context(), store, r)
				if diff := cmp.Diff(plain, groups, cmpopts.EquateEmpty()); diff != "" || err != nil {
					rt.Fatalf("%+v: error %v (-the customer's prices +the group's):\n%s", r, err, diff)
				}
			}
		})
	})
}

// fieldsOf returns the fields of ItemErrors by item.
func fieldsOf(err error) map[int]string {
	fields := map[int]string{}
	items, _ := errors.AsType[cohort.ItemErrors](err)
	for i, err := range items {
		e, _ := errors.AsType[*cohort.Error](err)
		fields[i] = e.Field
	}
	return fields
}
