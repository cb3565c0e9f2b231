package apiv3

import (
	"fmt"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

func (h *handler) priceRoutes() []api.Route {
	return []api.Route{
		{Operation: "getPrices", Method: "POST", Path: "/pricing/products", Scope: read, ReadOnly: true, Concurrency: pricesConcurrency, Expensive: true, Handle: h.getPrices},
	}
}

// pricesConcurrency is how many requests for prices one store may run together.
// Source: the vendor's reference.
const pricesConcurrency = 50

// The fields of a request for prices.
var (
	priceFields = shopperFields(api.Fields[service.PriceRequest]{
		"channel_id":    api.Plain(func(r *service.PriceRequest) *int64 { return &r.ChannelID }, texts.ReadID),
		"currency_code": api.Plain(func(r *service.PriceRequest) *string { return &r.Currency }, readCurrency),
		"country_code":  api.Plain(func(*service.PriceRequest) *string { return new(string) }, readCountry), // there are no taxes
		"items":         api.Plain(func(r *service.PriceRequest) *[]service.PriceItem { return &r.Items }, readItems),
	}, func(r *service.PriceRequest) *service.ShopperQuery { return &r.ShopperQuery })

	itemFields = api.Fields[service.PriceItem]{
		"product_id": api.Plain(func(i *service.PriceItem) *int64 { return &i.ProductID }, texts.ReadID),
		"variant_id": nullable(func(i *service.PriceItem) *int64 { return &i.VariantID }, texts.ReadID),
		"options":    nullable(func(i *service.PriceItem) *[]cohort.OptionValue { return &i.Options }, readChosenOptions),
	}

	chosenOptionFields = api.Fields[cohort.OptionValue]{
		// Clients send 0 for modifiers, too.
		"option_id": api.Plain(func(o *cohort.OptionValue) *int64 { return &o.OptionID }, texts.ReadIDOrNone),
		"value_id":  api.Plain(func(o *cohort.OptionValue) *int64 { return &o.ValueID }, texts.ReadIDOrNone),
	}
)

func decodePriceRequest(r *api.Request) (service.PriceRequest, error) {
	return decodeBody(r, priceFields, "channel_id", "currency_code", "items")
}

func (h *handler) getPrices(w http.ResponseWriter, r *api.Request) error {
	request, err := decodePriceRequest(r)
	if err != nil {
		return err
	}
	prices, err := h.svc.Prices(r.Context(), r.Store.Key, request)
	if err != nil {
		return locate("items", err)
	}
	api.WriteEncoded(w, http.StatusOK, appendPrices(make([]byte, 0, 1024*len(prices)), prices))
	return nil
}

func readCurrency(v api.Value) (string, error) {
	code, err := readText[string](v)
	if err != nil {
		return "", err
	}
	c, err := cohort.ParseCurrency(code)
	return c.Code, err
}

func readCountry(v api.Value) (string, error) {
	code, ok := v.Text()
	if !ok || len(code) != 2 || !isLetter(code[0]) || !isLetter(code[1]) {
		return "", cohort.Invalid("", "The value must be a country code of two letters.")
	}
	return code, nil
}

func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

// readItems reads the items. It checks their number first, so that a long list is one
// error and not one per item.
func readItems(v api.Value) ([]service.PriceItem, error) {
	values, ok := v.Array()
	if !ok {
		return nil, cohort.Invalid("", "The value must be an array of items.")
	}
	if len(values) > service.MaxPricedItems {
		return nil, cohort.Invalid("", fmt.Sprintf("A request has at most %d items.", service.MaxPricedItems))
	}
	return decodeArray(values, itemFields, "product_id")
}

func readChosenOptions(v api.Value) ([]cohort.OptionValue, error) {
	values, ok := v.Array()
	if !ok || len(values) > cohort.MaxOptionValues {
		return nil, cohort.Invalid("", fmt.Sprintf("The value must be an array of at most %d options.", cohort.MaxOptionValues))
	}
	return decodeArray(values, chosenOptionFields, "option_id", "value_id")
}
