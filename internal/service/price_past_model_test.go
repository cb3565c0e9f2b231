package service_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// TestPricesAsOfWereSeen runs random changes of all that prices depend on, and remembers some
// explanations after each of them. The explanations as of these times must be the same, of
// deleted resources too.
func TestPricesAsOfWereSeen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var minutes atomic.Int64
		svc := newService(t, d, nil, service.WithClock(func() time.Time { return t0.Add(time.Duration(minutes.Load()) * time.Minute) }))
		histories, compared, unknown := 0, 0, 0
		rapid.Check(t, func(t *rapid.T) {
			histories++
			m := &pastPriceModel{svc: svc, store: fmt.Sprint("p", histories), kept: &compared, unknown: &unknown}
			m.fill(t)
			m.tick = func() { minutes.Add(1) }
			t.Repeat(rapid.StateMachineActions(m))
			m.compare(t)
		})
		if compared < 10*unknown || compared == 0 {
			t.Errorf("%d explanations are compared, %d are not known", compared, unknown)
		}
	})
}

// pastPriceModel remembers explanations. Its exported methods are the actions of the state machine.
type pastPriceModel struct {
	svc           *service.Service
	store         string
	option        cohort.Option
	modifier      cohort.Option
	seen          []seenPrice
	lost          time.Time // when the last list with records, or group with members, was deleted
	kept, unknown *int
	tick          func() // moves the clock
}

// seenPrice is the answer to a request at a time.
type seenPrice struct {
	at      time.Time
	request service.PriceRequest
	answer  string
}

var (
	modelProduct = rapid.Int64Range(1, 4)
	modelVariant = rapid.Int64Range(1, 12)
	modelShort   = rapid.Int64Range(1, 3)
)

func (m *pastPriceModel) fill(t *rapid.T) {
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := m.svc.CreateStore(ctxModel, cohort.Store{Hash: m.store, Events: true, Catalog: cohort.CatalogManaged})
	check(err)
	for i := range int64(3) {
		_, err = m.svc.CreateCategory(ctxModel, m.store, cohort.Category{ParentID: i, Name: fmt.Sprint("c", i)})
		check(err)
		_, err = m.svc.CreatePriceList(ctxModel, m.store, cohort.PriceList{Name: fmt.Sprint("l", i), Active: true})
		check(err)
	}
	for i := range int64(3) {
		_, err = m.svc.CreateProduct(ctxModel, m.store, cohort.Product{
			Name: fmt.Sprint("p", i), Type: cohort.ProductPhysical, Price: decimal.New(10+i, 0), Categories: []int64{i + 1},
		})
		check(err)
	}
	m.option, err = m.svc.CreateOption(ctxModel, m.store, service.OptionRef{ProductID: 1, Kind: cohort.VariantOption}, cohort.OptionUpdate{
		DisplayName: new("Size"), Type: new("dropdown"), Choices: []cohort.ChoiceUpdate{{Label: new("S")}, {Label: new("M")}, {Label: new("L")}},
	})
	check(err)
	m.modifier, err = m.svc.CreateOption(ctxModel, m.store, service.OptionRef{ProductID: 1, Kind: cohort.Modifier}, cohort.OptionUpdate{
		DisplayName: new("Wrap"), Type: new("dropdown"), Choices: []cohort.ChoiceUpdate{{Label: new("no")}, {Label: new("yes")}},
	})
	check(err)
	for i := range 3 {
		_, err := m.svc.CreateGroup(ctxModel, m.store, cohort.Group{Name: fmt.Sprint("g", i)})
		check(err)
		_, err = m.svc.CreateCustomer(ctxModel, m.store, cohort.CustomerUpdate{
			FirstName: new("F"), LastName: new("L"), Email: new(fmt.Sprint("e", i, "@example.com")), GroupID: new(int64(i)),
		})
		check(err)
	}
	_, err = m.svc.CreateChannel(ctxModel, m.store, cohort.Channel{Name: "c", Type: cohort.ChannelPOS, Platform: "custom"})
	check(err)
}

func tiersChange(t *rapid.T) *[]cohort.BulkTier {
	if !modelFlag.Draw(t, "tiers") {
		return nil
	}
	tiers := make([]cohort.BulkTier, rapid.IntRange(0, 1).Draw(t, "n"))
	for i := range tiers {
		tiers[i] = cohort.BulkTier{QuantityMin: 10, Method: cohort.MethodPercent, Amount: decimal.New(5, 0)}
	}
	return &tiers
}

func priceChange(t *rapid.T, name string) *decimal.NullDecimal {
	switch rapid.IntRange(0, 2).Draw(t, name+" set") {
	case 0:
		return nil
	case 1:
		return &decimal.NullDecimal{}
	}
	return new(decimal.NewNullDecimal(modelAmount(t, name)))
}

func (m *pastPriceModel) Group(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "new") == 0 {
		_, _ = m.svc.CreateGroup(ctxModel, m.store, cohort.Group{Name: modelName.Draw(t, "name"), IsGroupForGuests: modelFlag.Draw(t, "guests")})
		return
	}
	u := cohort.GroupUpdate{}
	if modelFlag.Draw(t, "flag") {
		u.IsGroupForGuests = new(modelFlag.Draw(t, "guests"))
	} else {
		u.DiscountRules = new([]cohort.DiscountRule{})
		switch rapid.IntRange(0, 4).Draw(t, "rule") {
		case 0:
			*u.DiscountRules = append(*u.DiscountRules, cohort.DiscountRule{Type: cohort.RulePriceList, TargetID: modelShort.Draw(t, "list")})
		case 1:
			*u.DiscountRules = append(*u.DiscountRules, cohort.DiscountRule{
				Type: cohort.RuleProduct, TargetID: modelProduct.Draw(t, "product"), Method: cohort.MethodPrice, Amount: modelAmount(t, "amount"),
			})
		default:
			for _, category := range modelIDs().Draw(t, "categories") {
				*u.DiscountRules = append(*u.DiscountRules, cohort.DiscountRule{
					Type: cohort.RuleCategory, TargetID: category, Method: cohort.MethodPercent, Amount: modelAmount(t, "amount"),
				})
			}
		}
	}
	_, _ = m.svc.UpdateGroup(ctxModel, m.store, modelID.Draw(t, "id"), u)
}

func (m *pastPriceModel) DeleteGroup(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "really") == 0 && m.svc.DeleteGroup(ctxModel, m.store, modelID.Draw(t, "id")) == nil {
		m.lost = m.svc.Now(m.store)
	}
}

func (m *pastPriceModel) Customer(t *rapid.T) {
	id, group := modelID.Draw(t, "id"), rapid.Int64Range(0, 4).Draw(t, "group")
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0:
		_, _ = m.svc.CreateCustomer(ctxModel, m.store, cohort.CustomerUpdate{
			FirstName: new("F"), LastName: new("L"), Email: new(modelText.Draw(t, "email") + "@example.com"), GroupID: &group,
		})
	case 1:
		_ = m.svc.DeleteCustomer(ctxModel, m.store, id)
	default:
		_, _ = m.svc.UpdateCustomer(ctxModel, m.store, id, cohort.CustomerUpdate{GroupID: &group})
	}
}

func (m *pastPriceModel) Settings(t *rapid.T) {
	channel := rapid.Int64Range(1, 2).Draw(t, "channel")
	if rapid.IntRange(0, 5).Draw(t, "what") == 0 {
		_, _ = m.svc.UpdateChannel(ctxModel, m.store, channel, cohort.ChannelUpdate{Status: new(rapid.SampledFrom([]cohort.ChannelStatus{
			cohort.ChannelConnected, cohort.ChannelDeleted,
		}).Draw(t, "status"))})
		return
	}
	set := cohort.Setting[int64]{Sent: true}
	if modelFlag.Draw(t, "own") {
		set.Value = new(rapid.Int64Range(0, 4).Draw(t, "group"))
	}
	_, _ = m.svc.UpdateChannelSettings(ctxModel, m.store, channel, cohort.CustomerSettingsUpdate{GuestGroupID: set})
}

func (m *pastPriceModel) Store(t *rapid.T) {
	_, _ = m.svc.UpdateStore(ctxModel, m.store, cohort.StoreUpdate{Currency: new(rapid.SampledFrom([]string{"USD", "EUR"}).Draw(t, "currency"))})
}

func (m *pastPriceModel) List(t *rapid.T) {
	id := modelShort.Draw(t, "id")
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		_, _ = m.svc.CreatePriceList(ctxModel, m.store, cohort.PriceList{Name: modelName.Draw(t, "name"), Active: true})
	case 1:
		if m.svc.DeletePriceList(ctxModel, m.store, id) == nil {
			m.lost = m.svc.Now(m.store)
		}
	default:
		_, _ = m.svc.UpdatePriceList(ctxModel, m.store, id, cohort.PriceListUpdate{
			Name: new(modelName.Draw(t, "name") + fmt.Sprint(id)), Active: new(modelFlag.Draw(t, "active")),
		})
	}
}

func (m *pastPriceModel) Records(t *rapid.T) {
	list, variant := modelShort.Draw(t, "list"), modelVariant.Draw(t, "variant")
	currency := rapid.SampledFrom([]string{"USD", "USD", "EUR"}).Draw(t, "currency")
	if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
		_ = m.svc.DeletePriceRecords(ctxModel, m.store, list, cohort.PriceRecordFilter{VariantIDs: []int64{variant, variant + 1}})
		return
	}
	_, _ = m.svc.SetPriceRecord(ctxModel, m.store, cohort.PriceRecordUpdate{
		PriceListID: list, VariantID: variant, Currency: currency,
		Price: priceChange(t, "price"), SalePrice: priceChange(t, "sale price"), RetailPrice: priceChange(t, "retail price"), BulkTiers: tiersChange(t),
	})
}

func (m *pastPriceModel) Assignment(t *rapid.T) {
	a := cohort.PriceListAssignment{
		PriceListID: modelShort.Draw(t, "list"), GroupID: rapid.Int64Range(0, 4).Draw(t, "group"), ChannelID: rapid.Int64Range(0, 2).Draw(t, "channel"),
	}
	if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
		_ = m.svc.DeleteAssignments(ctxModel, m.store, cohort.AssignmentFilter{PriceListIDs: []int64{a.PriceListID}})
		return
	}
	_, _ = m.svc.PutAssignment(ctxModel, m.store, a)
}

func (m *pastPriceModel) Category(t *rapid.T) {
	d := dataModel{svc: m.svc, store: m.store}
	switch rapid.IntRange(0, 4).Draw(t, "what") {
	case 0:
		d.CreateCategory(t)
	case 1:
		d.DeleteCategories(t)
	default:
		d.UpdateCategory(t)
	}
}

func (m *pastPriceModel) Product(t *rapid.T) {
	d := dataModel{svc: m.svc, store: m.store}
	switch rapid.IntRange(0, 7).Draw(t, "what") {
	case 0:
		d.CreateProduct(t)
	case 1:
		d.DeleteProducts(t)
	case 2, 3:
		d.AssignProducts(t)
	default:
		u := cohort.ProductUpdate{
			Price: new(modelAmount(t, "price")), SalePrice: new(modelAmount(t, "sale price")), RetailPrice: new(modelAmount(t, "retail price")), BulkTiers: tiersChange(t),
		}
		if modelFlag.Draw(t, "move") {
			u.Categories = new(modelIDs().Draw(t, "categories"))
		}
		_, _ = m.svc.UpdateProduct(ctxModel, m.store, modelProduct.Draw(t, "id"), u)
	}
}

func (m *pastPriceModel) Variant(t *rapid.T) {
	id := modelVariant.Draw(t, "id")
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0:
		_ = m.svc.DeleteVariant(ctxModel, m.store, modelProduct.Draw(t, "product"), id)
	case 1:
		u := cohort.VariantUpdate{Price: priceChange(t, "price"), SalePrice: priceChange(t, "sale price")}
		_, _ = m.svc.UpdateVariant(ctxModel, m.store, modelProduct.Draw(t, "product"), id, u)
	default:
		v := cohort.Variant{ProductID: 1, SKU: modelName.Draw(t, "sku"), OptionValues: []cohort.OptionValue{m.draw(t, m.option)}}
		if p := priceChange(t, "price"); p != nil {
			v.Price = *p
		}
		_, _ = m.svc.CreateVariant(ctxModel, m.store, v)
	}
}

// draw returns a value of an option, as it was created.
func (m *pastPriceModel) draw(t *rapid.T, o cohort.Option) cohort.OptionValue {
	return cohort.OptionValue{OptionID: o.ID, ValueID: rapid.SampledFrom(o.Choices).Draw(t, "choice").ID}
}

func (m *pastPriceModel) Modifier(t *rapid.T) {
	value := m.draw(t, m.modifier)
	ref := service.OptionRef{ProductID: 1, Kind: cohort.Modifier, ID: m.modifier.ID}
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		_ = m.svc.DeleteChoice(ctxModel, m.store, ref, value.ValueID)
	case 1:
		_ = m.svc.DeleteOption(ctxModel, m.store, ref)
	default:
		price := fmt.Sprintf(`{"price":{"adjuster":%q,"adjuster_value":%s}}`,
			rapid.SampledFrom([]string{"relative", "percentage"}).Draw(t, "kind"), modelPrice.Draw(t, "amount"))
		_, _ = m.svc.UpdateChoice(ctxModel, m.store, ref, value.ValueID, cohort.ChoiceUpdate{Details: cohort.Details{"adjusters": json.RawMessage(price)}})
	}
}

func (m *pastPriceModel) request(t *rapid.T) service.PriceRequest {
	r := service.PriceRequest{ChannelID: rapid.SampledFrom([]int64{1, 1, 2}).Draw(t, "channel"), Full: true}
	switch rapid.IntRange(0, 2).Draw(t, "shopper") {
	case 0:
		r.CustomerID = modelID.Draw(t, "customer")
	case 1:
		r.GroupID = new(rapid.Int64Range(0, 4).Draw(t, "group"))
	}
	if rapid.IntRange(0, 3).Draw(t, "currency") == 0 {
		r.Currency = "EUR"
	}
	item := service.PriceItem{ProductID: modelProduct.Draw(t, "product")}
	switch rapid.IntRange(0, 3).Draw(t, "item") {
	case 0:
		item.VariantID = modelVariant.Draw(t, "variant")
	case 1:
		item.ProductID, item.Options = 1, []cohort.OptionValue{m.draw(t, m.option), m.draw(t, m.modifier)}
	}
	r.Items = []service.PriceItem{item}
	return r
}

// Check remembers some explanations.
func (m *pastPriceModel) Check(t *rapid.T) {
	for range 3 {
		r := m.request(t)
		answer, _ := m.explain(t, r)
		m.seen = append(m.seen, seenPrice{m.svc.Now(m.store), r, answer})
	}
	m.tick()
}

// explain returns the explanation or the error as text.
func (m *pastPriceModel) explain(t *rapid.T, r service.PriceRequest) (answer string, known bool) {
	e, err := m.svc.ExplainPrices(ctxModel, m.store, r)
	if err != nil {
		if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
			err = items[0]
		}
		invalid, ok := errors.AsType[*cohort.Error](err)
		if !ok || invalid.Kind != cohort.KindInvalid && invalid.Kind != cohort.KindNotFound {
			t.Fatalf("%+v: %v", r, err)
		}
		if invalid.Field == "variant_id" { // a variant of another product need not be known any more
			return "no such variant of the product", true
		}
		return err.Error(), invalid.Field != "as_of"
	}
	if e.Shopper.Group != nil { // what the past does not have, and prices do not need
		e.Shopper.Group.DateCreated, e.Shopper.Group.DateModified = time.Time{}, time.Time{}
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), true
}

func (m *pastPriceModel) compare(t *rapid.T) {
	for _, s := range m.seen {
		r := s.request
		r.AsOf = s.at
		got, known := m.explain(t, r)
		if !known {
			*m.unknown++
			if !m.lost.After(s.at) {
				t.Fatalf("%+v is not known: %s", r, got)
			}
			continue
		}
		*m.kept++
		if diff := cmp.Diff(s.answer, got); diff != "" {
			t.Fatalf("%+v (-seen +as of):\n%s", r, diff)
		}
	}
}
