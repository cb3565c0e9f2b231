package apiv3

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// BenchmarkEncodePrices encodes the response to a request for 50 prices with appendPrices
// and with encoding/json.
func BenchmarkEncodePrices(b *testing.B) {
	prices := make([]service.ItemPrice, 50)
	for i := range prices {
		prices[i] = samplePriced(int64(i + 1))
	}
	b.Run("appendPrices", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = appendPrices(make([]byte, 0, 1024*len(prices)), prices)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := api.AppendJSON(make([]byte, 0, 1024*len(prices)), toPricesWire(prices)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// samplePriced returns the price of a product with a retail price and a bulk tier.
func samplePriced(id int64) service.ItemPrice {
	figure := func(n int64) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.New(n, -2)) }
	return service.ItemPrice{
		Item: service.PriceItem{ProductID: id, VariantID: id + 1000}, VariantID: id + 1000,
		Price: cohort.Price{
			Price: figure(1999), RetailPrice: figure(2499), Calculated: figure(1899),
			BulkTiers: []cohort.BulkTier{{QuantityMin: 10, Method: cohort.MethodPercent, Amount: decimal.New(5, 0)}},
		},
	}
}
