package service_test

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// priceEventModel is the state machine of TestEventsRebuildPrices. Its exported methods are
// the actions. Many of them fail, which must leave no event.
type priceEventModel struct {
	svc   *service.Service
	d     *db.DB
	store string
	last  int64
	copy  *priceCopy
}

var (
	modelList          = rapid.Int64Range(1, 4)
	modelChannel       = rapid.Int64Range(0, 3)
	modelCurrency      = rapid.SampledFrom([]string{"usd", "EUR"})
	modelOptionalPrice = rapid.SampledFrom([]string{"", "0", "5", "5.00", "19.95", "0.0001"})
)

var background = context.Background()

func (e *priceEventModel) CreateList(t *rapid.T) {
	_, _ = e.svc.CreatePriceList(background, e.store, cohort.PriceList{Name: modelName.Draw(t, "name"), Active: modelFlag.Draw(t, "active")})
}

func (e *priceEventModel) UpdateList(t *rapid.T) {
	u := cohort.PriceListUpdate{Active: new(modelFlag.Draw(t, "active"))}
	if modelFlag.Draw(t, "name too") {
		u.Name = new(modelName.Draw(t, "name"))
	}
	_, _ = e.svc.UpdatePriceList(background, e.store, modelList.Draw(t, "id"), u)
}

func (e *priceEventModel) DeleteLists(t *rapid.T) {
	id := modelList.Draw(t, "id")
	if modelFlag.Draw(t, "one") {
		_ = e.svc.DeletePriceList(background, e.store, id)
		return
	}
	_, _ = e.svc.DeletePriceLists(background, e.store, cohort.PriceListFilter{IDs: []int64{id, id + 1}})
}

func drawNewPrice(t *rapid.T, label string) *decimal.NullDecimal {
	switch text := modelOptionalPrice.Draw(t, label); {
	case text == "" && modelFlag.Draw(t, label+" unchanged"):
		return nil
	case text == "":
		return &decimal.NullDecimal{}
	default:
		return new(decimal.NewNullDecimal(decimal.RequireFromString(text)))
	}
}

func drawRecord(t *rapid.T) cohort.PriceRecordUpdate {
	u := cohort.PriceRecordUpdate{
		PriceListID: modelList.Draw(t, "list"), VariantID: rapid.Int64Range(1, 4).Draw(t, "variant"), Currency: modelCurrency.Draw(t, "currency"),
		Price: drawNewPrice(t, "price"), SalePrice: drawNewPrice(t, "sale price"), MAPPrice: drawNewPrice(t, "map price"), RetailPrice: drawNewPrice(t, "retail price"),
	}
	if modelFlag.Draw(t, "tiers") {
		tiers := make([]cohort.BulkTier, rapid.IntRange(0, 2).Draw(t, "tiers"))
		for i := range tiers {
			first := int64(10*i + 1)
			tiers[i] = cohort.BulkTier{QuantityMin: first, QuantityMax: first + 5, Method: cohort.MethodPercent, Amount: decimal.RequireFromString("2.50")}
		}
		u.BulkTiers = &tiers
	}
	return u
}

func (e *priceEventModel) WriteRecords(t *rapid.T) {
	us := make([]cohort.PriceRecordUpdate, rapid.IntRange(1, 4).Draw(t, "n"))
	for i := range us {
		us[i] = drawRecord(t)
	}
	switch rapid.IntRange(0, 4).Draw(t, "how") {
	case 0:
		_ = e.svc.CreatePriceRecords(background, e.store, us)
	case 1:
		_, _ = e.svc.SetPriceRecord(background, e.store, us[0])
	default:
		_ = e.svc.PutPriceRecords(background, e.store, us)
	}
}

func (e *priceEventModel) DeleteRecords(t *rapid.T) {
	list, variant := modelList.Draw(t, "list"), rapid.Int64Range(1, 3).Draw(t, "variant")
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		_ = e.svc.DeletePriceRecord(background, e.store, list, variant, modelCurrency.Draw(t, "currency"))
	case 1:
		_ = e.svc.DeletePriceRecords(background, e.store, list, cohort.PriceRecordFilter{SKUs: []string{fmt.Sprint("SKU", variant), "SKU1"}})
	default:
		_ = e.svc.DeletePriceRecords(background, e.store, list, cohort.PriceRecordFilter{Currencies: []string{"eur"}})
	}
}

func drawAssignment(t *rapid.T) cohort.PriceListAssignment {
	return cohort.PriceListAssignment{PriceListID: modelList.Draw(t, "list"), GroupID: modelGroup.Draw(t, "group"), ChannelID: modelChannel.Draw(t, "channel")}
}

func (e *priceEventModel) Assign(t *rapid.T) {
	if modelFlag.Draw(t, "put") {
		_, _ = e.svc.PutAssignment(background, e.store, drawAssignment(t))
		return
	}
	_ = e.svc.CreateAssignments(background, e.store, []cohort.PriceListAssignment{drawAssignment(t), drawAssignment(t)}[:rapid.IntRange(1, 2).Draw(t, "n")])
}

func (e *priceEventModel) Unassign(t *rapid.T) {
	_ = e.svc.DeleteAssignments(background, e.store, cohort.AssignmentFilter{ChannelIDs: []int64{modelChannel.Draw(t, "channel")}})
}

func (e *priceEventModel) CreateGroup(t *rapid.T) {
	if modelFlag.Draw(t, "clone") {
		_, _ = e.svc.CloneGroup(background, e.store, modelGroup.Draw(t, "id"), modelName.Draw(t, "name"), false)
		return
	}
	g := cohort.Group{Name: modelName.Draw(t, "name"), IsDefault: modelFlag.Draw(t, "default")}
	if modelFlag.Draw(t, "with a list") {
		g.DiscountRules = listRule(modelList.Draw(t, "list"))
	}
	_, _ = e.svc.CreateGroup(background, e.store, g)
}

func (e *priceEventModel) UpdateGroup(t *rapid.T) {
	u := cohort.GroupUpdate{IsGroupForGuests: new(modelFlag.Draw(t, "guests"))}
	if modelFlag.Draw(t, "rules") {
		u.DiscountRules = new([]cohort.DiscountRule{})
		if list := modelList.Draw(t, "list"); list < 4 {
			*u.DiscountRules = listRule(list)
		}
	}
	_, _ = e.svc.UpdateGroup(background, e.store, modelGroup.Draw(t, "id"), u)
}

func (e *priceEventModel) DeleteGroup(t *rapid.T) {
	_ = e.svc.DeleteGroup(background, e.store, modelGroup.Draw(t, "id"))
}

func (e *priceEventModel) CreateChannel(t *rapid.T) {
	_, _ = e.svc.CreateChannel(background, e.store, cohort.Channel{
		Name: modelName.Draw(t, "name"), Type: cohort.ChannelPOS, Platform: "custom", IsVisible: modelFlag.Draw(t, "visible"), ExternalID: modelName.Draw(t, "external id"),
	})
}

func (e *priceEventModel) UpdateChannel(t *rapid.T) {
	statuses := []cohort.ChannelStatus{cohort.ChannelConnected, cohort.ChannelArchived, cohort.ChannelDeleted, cohort.ChannelActive}
	u := cohort.ChannelUpdate{Name: new(modelName.Draw(t, "name"))}
	if modelFlag.Draw(t, "status too") {
		u.Status = new(rapid.SampledFrom(statuses).Draw(t, "status"))
	}
	_, _ = e.svc.UpdateChannel(background, e.store, modelChannel.Draw(t, "id"), u)
}

func drawSetting[T any](t *rapid.T, label string, from *rapid.Generator[T]) (s cohort.Setting[T]) {
	if s.Sent = modelFlag.Draw(t, label+" sent"); s.Sent && modelFlag.Draw(t, label+" set") {
		s.Value = new(from.Draw(t, label))
	}
	return s
}

func (e *priceEventModel) UpdateSettings(t *rapid.T) {
	u := cohort.CustomerSettingsUpdate{
		AskConsent: drawSetting(t, "consent", modelFlag), PolicyURL: drawSetting(t, "url", rapid.SampledFrom([]string{"", "https://a.example/p"})),
		GuestGroupID: drawSetting(t, "guest", modelGroup), DefaultGroupID: drawSetting(t, "default", modelGroup), AllowGlobalLogins: drawSetting(t, "logins", modelFlag),
	}
	if channel := modelChannel.Draw(t, "channel"); channel != 0 {
		_, _ = e.svc.UpdateChannelSettings(background, e.store, channel, u)
		return
	}
	_, _ = e.svc.UpdateCustomerSettings(background, e.store, u)
}

func (e *priceEventModel) UpdateStore(t *rapid.T) {
	u := cohort.StoreUpdate{Currency: new(rapid.SampledFrom([]string{"usd", "eur", "xx"}).Draw(t, "currency"))}
	if modelFlag.Draw(t, "more") {
		u.Concurrency = new(rapid.IntRange(0, 2).Draw(t, "concurrency"))
		u.Catalog = new(rapid.SampledFrom([]cohort.CatalogMode{cohort.CatalogManaged, cohort.CatalogExternal}).Draw(t, "catalog"))
		u.Profile.Name = new(modelName.Draw(t, "name"))
	}
	_, _ = e.svc.UpdateStore(background, e.store, u)
}
