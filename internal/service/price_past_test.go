package service_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// pastStore is a store with events, the group 1 and its price list 1, whose clock moves with
// each step.
type pastStore struct {
	*testing.T
	svc   *service.Service
	clock *clock
}

func newPastStore(t *testing.T, d *db.DB) *pastStore {
	c := newClock()
	s := &pastStore{t, newService(t, d, nil, service.WithClock(c.Now)), c}
	_, err := s.svc.CreateStore(t.Context(), cohort.Store{Hash: "a", Events: true})
	must(t, err)
	_, err = s.svc.CreatePriceList(t.Context(), "a", cohort.PriceList{Name: "Net", Active: true})
	must(t, err)
	s.group(cohort.DiscountRule{Type: cohort.RulePriceList, TargetID: 1})
	for i := range 2 {
		_, err = s.svc.CreateProduct(t.Context(), "a", cohort.Product{Name: fmt.Sprint("p", i), Type: cohort.ProductPhysical, Price: decimal.New(10, 0)})
		must(t, err)
		_, err = s.svc.SetPriceRecord(t.Context(), "a", cohort.PriceRecordUpdate{PriceListID: 1, VariantID: int64(i + 1), Currency: "usd", Price: setPrice(7)})
		must(t, err)
	}
	return s
}

func (s *pastStore) group(rules ...cohort.DiscountRule) {
	s.Helper()
	_, err := s.svc.CreateGroup(s.Context(), "a", cohort.Group{Name: fmt.Sprint("g", len(rules)), DiscountRules: rules})
	must(s.T, err)
}

// tick moves the clock on, and returns the time before.
func (s *pastStore) tick() time.Time {
	at := s.clock.Now()
	s.clock.Set(at.Add(time.Hour))
	return at
}

// want checks the price of a product for a group at a time, or the reason why there is none.
func (s *pastStore) want(what string, at time.Time, group, product int64, want string) {
	s.Helper()
	e, err := s.svc.ExplainPrices(s.Context(), "a", service.PriceRequest{
		ShopperQuery: service.ShopperQuery{GroupID: &group}, ChannelID: 1, Items: []service.PriceItem{{ProductID: product}}, AsOf: at,
	})
	switch {
	case err == nil && e.Items[0].Calculated.Decimal.String() == want:
	case err != nil && cohort.KindOf(err) == cohort.KindInvalid && strings.Contains(err.Error(), want):
	default:
		s.Errorf("%s: %+v, %v; want %s", what, e.Items, err, want)
	}
}

// TestExplainThePast checks prices of deleted resources, and the errors for what events do
// not tell.
func TestExplainThePast(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ctx := newPastStore(t, d), t.Context()
		full := s.tick()
		s.want("a list", full, 1, 1, "7")
		s.want("the future", s.clock.Now().Add(time.Hour), 1, 1, "The time has not come yet.")
		must(t, s.svc.DeleteProduct(ctx, "a", 1))
		s.want("a deleted product", full, 1, 1, "7")
		s.want("after the deletion", s.tick(), 1, 1, "There is no product 1.")
		must(t, s.svc.DeleteGroup(ctx, "a", 1))
		s.want("a deleted group", full, 1, 2, "7")

		emptied := s.tick()
		s.svc.LowerPastBounds(3, 1<<20)
		s.want("too many events", full, 1, 1, "Too much has changed since that time.")
		s.svc.LowerPastBounds(1000, 10)
		s.want("too much to keep", full, 1, 1, "Too much has changed since that time.")
		s.svc.LowerPastBounds(1000, 1<<20)

		must(t, s.svc.DeletePriceList(ctx, "a", 1))
		s.want("a deleted list", full, 1, 2, "price list 1 was deleted after that time, and no event has its price records.")
		s.want("another group", full, 0, 2, "10")

		_, err := s.svc.UpdateStore(ctx, "a", cohort.StoreUpdate{Events: new(false)})
		must(t, err)
		s.want("events are off", emptied, 0, 2, "records no events")
		_, err = s.svc.UpdateStore(ctx, "a", cohort.StoreUpdate{Events: new(true)})
		must(t, err)
		s.want("events were off", emptied, 0, 2, "reach back to")
		s.tick()
		on := s.tick()
		_, err = s.svc.UpdateProduct(ctx, "a", 2, cohort.ProductUpdate{Price: new(decimal.New(5, 0))})
		must(t, err)
		s.want("they are on again", on, 0, 2, "10")
		s.clock.Set(s.clock.Now().Add(40 * 24 * time.Hour))
		must(t, s.svc.SweepEvents(ctx))
		s.want("they were deleted with age", on, 0, 2, "reach back to")
		old := s.tick()
		_, err = s.svc.ResetStore(ctx, "a", true)
		must(t, err)
		s.want("before a reset", old, 0, 2, "reach back to")
	})
}

// TestDeletedVariantTellsItsRecords checks that the price records of a variant are part of
// the event of its deletion, alone or with its product.
func TestDeletedVariantTellsItsRecords(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ctx := newPastStore(t, d), t.Context()
		v, err := s.svc.CreateVariant(ctx, "a", cohort.Variant{ProductID: 1, OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 2}}})
		must(t, err)
		_, err = s.svc.SetPriceRecord(ctx, "a", cohort.PriceRecordUpdate{PriceListID: 1, VariantID: v.ID, Currency: "usd", SalePrice: setPrice(6)})
		must(t, err)
		last := func() (text string) {
			for _, e := range allEvents(t, s.svc, "a", 0) {
				if e.Kind == cohort.VariantDeleted {
					text = string(e.Changes)
				}
			}
			return text
		}
		must(t, s.svc.DeleteVariant(ctx, "a", 1, v.ID))
		want := `{"price_records":[[{"price_list_id":1,"currency":"USD","price":null,"sale_price":"6","retail_price":null,"map_price":null,"bulk_pricing_tiers":[]}],null],`
		if got := last(); !strings.HasPrefix(got, want) {
			t.Errorf("a deleted variant: %s", got)
		}
		must(t, s.svc.DeleteProduct(ctx, "a", 1))
		if got := last(); !strings.HasPrefix(got, strings.Replace(want, `"price":null,"sale_price":"6"`, `"price":"7","sale_price":null`, 1)) {
			t.Errorf("a deleted product: %s", got)
		}
	})
}

// TestUnknownPast checks the errors for values that were too long to be kept, and that
// an import ends what is known.
func TestUnknownPast(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s, ctx := newPastStore(t, d), t.Context()
		rules := make([]cohort.DiscountRule, 400)
		for i := range rules {
			rules[i] = cohort.DiscountRule{Type: cohort.RuleCategory, TargetID: int64(i + 1), Method: cohort.MethodPercent, Amount: decimal.New(5, 0)}
		}
		s.group(rules...)
		_, err := s.svc.CreateCategory(ctx, "a", cohort.Category{Name: "c"})
		must(t, err)
		for list := range 200 { // their records are longer than what an event keeps
			created, err := s.svc.CreatePriceList(ctx, "a", cohort.PriceList{Name: fmt.Sprint("l", list)})
			must(t, err)
			_, err = s.svc.SetPriceRecord(ctx, "a", cohort.PriceRecordUpdate{PriceListID: created.ID, VariantID: 1, Currency: "usd", Price: setPrice(7)})
			must(t, err)
		}
		at := s.tick()
		_, err = s.svc.UpdateGroup(ctx, "a", 2, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{}})
		must(t, err)
		s.want("long rules", at, 2, 2, "do not say what the field discount_rules of customer group 2 was")
		must(t, s.svc.DeleteProduct(ctx, "a", 1))
		s.want("many records", at, 1, 1, "do not say what the field price_records of variant 1 was")
		s.want("no list", at, 0, 1, "10")

		items := []cohort.CatalogItem{{Line: 1, Kind: cohort.CatalogBrand, ID: 3, Brand: cohort.Brand{Name: "Home"}}}
		_, err = s.svc.ImportCatalog(ctx, "a", func() (item cohort.CatalogItem, err error) {
			if len(items) == 0 {
				return item, io.EOF
			}
			item, items = items[0], nil
			return item, nil
		}, false)
		must(t, err)
		s.want("before an import", at, 0, 2, "The catalog was replaced after that time")
	})
}
