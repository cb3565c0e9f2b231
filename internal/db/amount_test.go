package db

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// mostUnits is the highest price that passes validation, as it is kept.
const mostUnits = 999_999_999_999_999_999

func drawAmount(t *rapid.T) decimal.Decimal {
	units := rapid.OneOf(rapid.Int64Range(0, mostUnits), rapid.Int64Range(0, 30_000), rapid.SampledFrom([]int64{0, 1, 9_999, 10_000, mostUnits}))
	d := decimal.New(units.Draw(t, "units"), -cohort.AmountScale)
	if rapid.Bool().Draw(t, "in another form") {
		d = decimal.RequireFromString(d.String()) // without zeros at the end
	}
	return d
}

// A price comes back as what it was, to the last of its digits.
func TestPricesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawAmount(t)
		if n := fromAmount(d); n < 0 || n > mostUnits || !toAmount(n).Equal(d) {
			t.Errorf("%s is kept as %d and comes back as %s", d, n, toAmount(n))
		}
		if p := toPrice(fromPrice(decimal.NewNullDecimal(d))); !p.Valid || !p.Decimal.Equal(d) {
			t.Errorf("%s comes back as %+v", d, p)
		}
	})
	if p := toPrice(fromPrice(decimal.NullDecimal{})); p.Valid {
		t.Errorf("a price that is not there comes back as %s", p.Decimal)
	}
	for text, want := range map[string]int64{
		"0": 0, "0.0001": 1, "1": 10_000, "5.5": 55_000, "10.78": 107_800, "1e3": 10_000_000, "99999999999999.9999": mostUnits,
	} {
		if n := fromAmount(decimal.RequireFromString(text)); n != want {
			t.Errorf("%s is kept as %d, want %d", text, n, want)
		}
	}
}

// More than one price is kept by the order of the numbers that they are kept as.
func TestPricesAreKeptInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawAmount(t), drawAmount(t)
		if x, y := fromAmount(a), fromAmount(b); (x < y) != a.LessThan(b) || (x == y) != a.Equal(b) {
			t.Errorf("%s and %s are kept as %d and %d", a, b, x, y)
		}
	})
}

func TestTiersAreKept(t *testing.T) {
	tier := rapid.Custom(func(t *rapid.T) cohort.BulkTier {
		return cohort.BulkTier{
			QuantityMin: rapid.Int64Min(1).Draw(t, "min"), QuantityMax: rapid.Int64Min(0).Draw(t, "max"),
			Method: rapid.SampledFrom([]cohort.Method{cohort.MethodPercent, cohort.MethodFixed, cohort.MethodPrice}).Draw(t, "method"),
			Amount: drawAmount(t),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(tier, 0, 5).Draw(t, "tiers")
		got, err := decodeTiers(encodeTiers(want))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("error %v (-want +got):\n%s", err, diff)
		}
	})
}

// What is kept already has one form, which a later version has to be able to read.
func TestKeptForms(t *testing.T) {
	tiers := []cohort.BulkTier{
		{QuantityMin: 2, QuantityMax: 9, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(5)},
		{QuantityMin: 10, Method: cohort.MethodFixed, Amount: decimal.RequireFromString("7.25")},
	}
	for got, want := range map[string]string{
		encodeTiers(nil):        `[]`,
		encodeTiers(tiers):      `[{"min":2,"max":9,"method":"percent","amount":"5"},{"min":10,"method":"fixed","amount":"7.25"}]`,
		encodeOptionValues(nil): `[]`,
		encodeOptionValues([]cohort.OptionValue{{OptionID: 1, ValueID: 2}}): `[{"option":1,"value":2}]`,
	} {
		if got != want {
			t.Errorf("kept is %s, want %s", got, want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s is no JSON", got)
		}
	}
}

// A row that somebody has damaged is an error, and not a product without tiers.
func TestBrokenRowsAreErrors(t *testing.T) {
	for _, text := range []string{"", " ", "[", "{}", "nul", `"x"`, "[1]", `[{"min":"2"}]`, `[{"option":"2"}]`, "[]]", "[{}", `[{"min":1.5,"option":1.5}]`} {
		if tiers, err := decodeTiers(text); err == nil && !strings.Contains(text, "option") {
			t.Errorf("%q is read as the tiers %v", text, tiers)
		}
		if options, err := decodeOptionValues(text); err == nil && !strings.Contains(text, "min") {
			t.Errorf("%q is read as the options %v", text, options)
		}
	}
	if _, err := decodeTiers(`[{"min":1,"method":"fixed","amount":"x"}]`); err == nil {
		t.Error("an amount that is no number is read")
	}
}

// Whether a price passes is what arithmetic says, for ends of any size and of
// any number of decimals; one that is not there never does.
func TestSpansOfPrices(t *testing.T) {
	prices := []int64{noPrice, 0, 1, 2, 9_999, 10_000, 10_001, 55_000, mostUnits}
	var rows []listed
	for _, n := range prices {
		rows = append(rows, listed{n, "x"})
	}
	ends := []string{
		"-1e64", "-5", "-1", "-0.0001", "-0.00001", "0", "1e-64", "0.00009", "0.0001", "0.00011", "0.00015", "0.9999", "1", "1.00005", "1.0001",
		"5.5", "99999999999999.9999", "99999999999999.99995", "1e14", "922337203685477.5807", "922337203685477.5808", "1e64",
	}
	eachListed(t, func(t *testing.T, d *DB) {
		insertListed(t, d, "a", rows...)
		rapid.Check(t, func(t *rapid.T) {
			end := rapid.Custom(func(t *rapid.T) decimal.NullDecimal {
				text := rapid.SampledFrom(append([]string{""}, ends...)).Draw(t, "end")
				if text == "" {
					return decimal.NullDecimal{}
				}
				return decimal.NewNullDecimal(decimal.RequireFromString(text))
			})
			span := cohort.AmountRange{Min: end.Draw(t, "min"), Max: end.Draw(t, "max")}
			var want []int64
			for _, n := range prices {
				if passes(span, n) {
					want = append(want, n)
				}
			}
			got, err := pick(d, func(w *where) error {
				w.amountRange("id", span)
				return w.page(cohort.Page{Number: 1, Size: 100}, 100, byID)
			})
			if err != nil {
				t.Fatal(err)
			}
			ids := []int64{}
			for _, r := range got {
				ids = append(ids, r.id)
			}
			if !slices.Equal(want, ids) {
				t.Errorf("from %+v to %+v are %d, want %d", span.Min, span.Max, ids, want)
			}
		})
	})
}

func passes(s cohort.AmountRange, n int64) bool {
	if !s.Min.Valid && !s.Max.Valid {
		return true
	}
	p := toPrice(n)
	return p.Valid && (!s.Min.Valid || p.Decimal.GreaterThanOrEqual(s.Min.Decimal)) && (!s.Max.Valid || p.Decimal.LessThanOrEqual(s.Max.Decimal))
}

// The bounds of the numbers leave room: what is kept fits, with a sign to spare.
func TestPricesFit(t *testing.T) {
	if mostUnits > math.MaxInt64/9 {
		t.Error("a price that passes validation may not fit")
	}
	p := cohort.Product{Name: "x", Type: cohort.ProductPhysical, Price: toAmount(mostUnits)}
	if err := p.Validate(); err != nil {
		t.Errorf("the highest price is refused: %v", err)
	}
	p.Price = toAmount(mostUnits + 1)
	if err := p.Validate(); cohort.KindOf(err) != cohort.KindInvalid {
		t.Errorf("a price above the highest: error %v", err)
	}
}
