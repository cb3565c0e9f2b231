package apiv3

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// The wire structs describe the response with prices in a form that is easy to compare
// with the vendor's reference. The tests compare their encoding/json output with that of
// the encoder for prices.

type pricesWire struct {
	Data []pricedWire `json:"data"`
	Meta struct{}     `json:"meta"`
}

type pricedWire struct {
	itemWire
	Request     itemWire          `json:"reference_request"`
	RetailPrice *figureWire       `json:"retail_price,omitempty"`
	SalePrice   *figureWire       `json:"sale_price,omitempty"`
	MAPPrice    *figureWire       `json:"minimum_advertised_price,omitempty"`
	Saved       *figureWire       `json:"saved,omitempty"`
	Price       *figureWire       `json:"price,omitempty"`
	Calculated  *figureWire       `json:"calculated_price,omitempty"`
	PriceRange  *rangeWire        `json:"price_range,omitempty"`
	RetailRange *rangeWire        `json:"retail_price_range,omitempty"`
	BulkPricing []bulkPricingWire `json:"bulk_pricing"`
}

type itemWire struct {
	ProductID int64           `json:"product_id"`
	VariantID int64           `json:"variant_id,omitempty"`
	Options   *[]selectedWire `json:"options,omitempty"`
}

type selectedWire struct {
	OptionID int64 `json:"option_id"`
	ValueID  int64 `json:"value_id"`
}

type figureWire struct {
	AsEntered    amount `json:"as_entered"`
	Inclusive    bool   `json:"entered_inclusive"`
	TaxExclusive amount `json:"tax_exclusive"`
	TaxInclusive amount `json:"tax_inclusive"`
}

type rangeWire struct {
	Minimum figureWire `json:"minimum"`
	Maximum figureWire `json:"maximum"`
}

type bulkPricingWire struct {
	Minimum      int64         `json:"minimum"`
	Maximum      int64         `json:"maximum"`
	Discount     amount        `json:"discount_amount"`
	Type         cohort.Method `json:"discount_type"`
	TaxDiscounts []figureWire  `json:"tax_discount_amount"`
}

func toPricesWire(prices []service.ItemPrice) pricesWire {
	w := pricesWire{Data: make([]pricedWire, len(prices))}
	for i, p := range prices {
		priced := p.Item
		priced.VariantID = p.VariantID
		w.Data[i] = pricedWire{
			itemWire: toItemWire(priced), Request: toItemWire(p.Item),
			RetailPrice: toFigureWire(p.RetailPrice), SalePrice: toFigureWire(p.SalePrice), MAPPrice: toFigureWire(p.MAPPrice),
			Saved: toFigureWire(saved(p.Price)), Price: toFigureWire(p.Price.Price), Calculated: toFigureWire(p.Calculated),
			PriceRange: toRangeWire(p.PriceRange), RetailRange: toRangeWire(p.RetailRange), BulkPricing: make([]bulkPricingWire, len(p.BulkTiers)),
		}
		for n, t := range p.BulkTiers {
			w.Data[i].BulkPricing[n] = bulkPricingWire{t.QuantityMin, t.QuantityMax, amount(t.Amount), t.Method, []figureWire{figureOf(t.Amount)}}
		}
	}
	return w
}

func toItemWire(i service.PriceItem) itemWire {
	w := itemWire{ProductID: i.ProductID, VariantID: i.VariantID}
	if i.Options == nil {
		return w
	}
	options := make([]selectedWire, len(i.Options))
	for n, o := range i.Options {
		options[n] = selectedWire{o.OptionID, o.ValueID}
	}
	w.Options = &options
	return w
}

func figureOf(d decimal.Decimal) figureWire {
	return figureWire{AsEntered: amount(d), TaxExclusive: amount(d), TaxInclusive: amount(d)}
}

func toFigureWire(d decimal.NullDecimal) *figureWire {
	if !d.Valid {
		return nil
	}
	return new(figureOf(d.Decimal))
}

func toRangeWire(r *service.PriceRange) *rangeWire {
	if r == nil {
		return nil
	}
	return &rangeWire{figureOf(r.Min), figureOf(r.Max)}
}

// The encoder for prices has the same output as encoding/json.
func TestAppendPrices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prices := rapid.SliceOfN(rapid.Custom(drawPriced), 0, 3).Draw(t, "prices")
		want, err := api.AppendJSON(nil, toPricesWire(prices))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(appendPrices(nil, prices))); diff != "" {
			t.Errorf("(-encoding/json +appendPrices):\n%s", diff)
		}
	})
}

func drawPriced(t *rapid.T) service.ItemPrice {
	p := service.ItemPrice{
		Item: service.PriceItem{ProductID: drawID(t, "product"), VariantID: drawID(t, "requested variant")},
		Price: cohort.Price{
			Price: drawFigure(t), SalePrice: drawFigure(t), RetailPrice: drawFigure(t), MAPPrice: drawFigure(t), Calculated: drawFigure(t),
		},
		VariantID: drawID(t, "variant"), PriceRange: drawRange(t), RetailRange: drawRange(t),
	}
	if rapid.Bool().Draw(t, "has options") {
		p.Item.Options = rapid.SliceOf(rapid.Custom(func(t *rapid.T) cohort.OptionValue {
			return cohort.OptionValue{OptionID: drawID(t, "option"), ValueID: drawID(t, "value")}
		})).Draw(t, "options")
	}
	p.BulkTiers = rapid.SliceOf(rapid.Custom(func(t *rapid.T) cohort.BulkTier {
		method := rapid.SampledFrom([]cohort.Method{cohort.MethodPercent, cohort.MethodFixed, cohort.MethodPrice}).Draw(t, "method")
		return cohort.BulkTier{QuantityMin: drawID(t, "min"), QuantityMax: drawID(t, "max"), Method: method, Amount: drawAmount(t)}
	})).Draw(t, "tiers")
	return p
}

func drawID(t *rapid.T, label string) int64 { return rapid.Int64Min(0).Draw(t, label) }

func drawAmount(t *rapid.T) decimal.Decimal {
	return decimal.New(rapid.Int64Min(0).Draw(t, "coefficient"), rapid.Int32Range(-25, 5).Draw(t, "exponent"))
}

func drawFigure(t *rapid.T) decimal.NullDecimal {
	if !rapid.Bool().Draw(t, "valid") {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(drawAmount(t))
}

func drawRange(t *rapid.T) *service.PriceRange {
	if !rapid.Bool().Draw(t, "has range") {
		return nil
	}
	return &service.PriceRange{Min: drawAmount(t), Max: drawAmount(t)}
}

// appendAmount has the same output as decimal.String.
func TestAppendAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := decimal.New(rapid.Int64().Draw(t, "coefficient"), rapid.Int32Range(-25, 5).Draw(t, "exponent"))
		if rapid.Bool().Draw(t, "short") {
			d = decimal.New(rapid.Int64Range(0, 200_000).Draw(t, "short coefficient"), rapid.Int32Range(-6, 2).Draw(t, "short exponent"))
		}
		if got := string(appendAmount([]byte("x"), d)); got != "x"+d.String() {
			t.Fatalf("%s is encoded as %s", d, got)
		}
	})
}
