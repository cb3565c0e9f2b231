package apiv3

import (
	"fmt"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// pricesConcurrency is how many requests for prices a store may have under way
// together. Source: the vendor's reference.
const pricesConcurrency = 50

// The bodies of requests for prices.
var (
	priceFields = shopperFields(fields[service.PriceRequest]{
		"channel_id":    plain(func(r *service.PriceRequest) *int64 { return &r.ChannelID }, readID),
		"currency_code": plain(func(r *service.PriceRequest) *string { return &r.Currency }, readCurrency),
		"country_code":  plain(func(*service.PriceRequest) *string { return new(string) }, readCountry), // there are no taxes
		"items":         plain(func(r *service.PriceRequest) *[]service.PriceItem { return &r.Items }, readItems),
	}, func(r *service.PriceRequest) *service.ShopperQuery { return &r.ShopperQuery })

	itemFields = fields[service.PriceItem]{
		"product_id": plain(func(i *service.PriceItem) *int64 { return &i.ProductID }, readID),
		"variant_id": nullable(func(i *service.PriceItem) *int64 { return &i.VariantID }, readID),
		"options":    nullable(func(i *service.PriceItem) *[]cohort.OptionValue { return &i.Options }, readChosen),
	}

	chosenFields = fields[cohort.OptionValue]{
		"option_id": plain(func(o *cohort.OptionValue) *int64 { return &o.OptionID }, readID),
		"value_id":  plain(func(o *cohort.OptionValue) *int64 { return &o.ValueID }, readID),
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
	answers, err := h.svc.Prices(r.Context(), r.Store.Key, request)
	if err != nil {
		return placed("items", err)
	}
	api.WriteFinished(w, http.StatusOK, appendPrices(make([]byte, 0, 1024*len(answers)), answers))
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

// readItems reads the items. How many there are is checked first, so that
// nobody is told of a hundred thousand mistakes.
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

func readChosen(v api.Value) ([]cohort.OptionValue, error) {
	values, ok := v.Array()
	if !ok || len(values) > cohort.MaxOptionValues {
		return nil, cohort.Invalid("", fmt.Sprintf("The value must be an array of at most %d options.", cohort.MaxOptionValues))
	}
	return decodeArray(values, chosenFields, "option_id", "value_id")
}
