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

// maxUnits is the stored form of the highest valid price.
const maxUnits = 999_999_999_999_999_999

func drawAmount(t *rapid.T) decimal.Decimal {
	units := rapid.OneOf(rapid.Int64Range(0, maxUnits), rapid.Int64Range(0, 30_000), rapid.SampledFrom([]int64{0, 1, 9_999, 10_000, maxUnits}))
	d := decimal.New(units.Draw(t, "units"), -cohort.AmountScale)
	if rapid.Bool().Draw(t, "without trailing zeros") {
		d = decimal.RequireFromString(d.String())
	}
	return d
}

func TestAmountRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawAmount(t)
		if n := fromAmount(d); n < 0 || n > maxUnits || !toAmount(n).Equal(d) {
			t.Errorf("%s is stored as %d and read as %s", d, n, toAmount(n))
		}
		if p := toPrice(fromPrice(decimal.NewNullDecimal(d))); !p.Valid || !p.Decimal.Equal(d) {
			t.Errorf("%s is read as %+v", d, p)
		}
	})
	if p := toPrice(fromPrice(decimal.NullDecimal{})); p.Valid {
		t.Errorf("a price that is not set is read as %s", p.Decimal)
	}
	for text, want := range map[string]int64{
		"0": 0, "0.0001": 1, "1": 10_000, "5.5": 55_000, "10.78": 107_800, "1e3": 10_000_000, "99999999999999.9999": maxUnits,
	} {
		if n := fromAmount(decimal.RequireFromString(text)); n != want {
			t.Errorf("%s is stored as %d, want %d", text, n, want)
		}
	}
}

// TestAmountsSort checks that stored prices sort like the prices.
func TestAmountsSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawAmount(t), drawAmount(t)
		if x, y := fromAmount(a), fromAmount(b); (x < y) != a.LessThan(b) || (x == y) != a.Equal(b) {
			t.Errorf("%s and %s are stored as %d and %d", a, b, x, y)
		}
	})
}

func TestBulkTiersRoundTrip(t *testing.T) {
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

// TestStoredJSON checks the exact texts, because stored rows have this form.
func TestStoredJSON(t *testing.T) {
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
			t.Errorf("encoded as %s, want %s", got, want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s is not valid JSON", got)
		}
	}
}

// TestDecodeJSONError: a damaged row is an error, not a product without tiers.
func TestDecodeJSONError(t *testing.T) {
	for _, text := range []string{"", " ", "[", "{}", "nul", `"x"`, "[1]", `[{"min":"2"}]`, `[{"option":"2"}]`, "[]]", "[{}", `[{"min":1.5,"option":1.5}]`} {
		if tiers, err := decodeTiers(text); err == nil && !strings.Contains(text, "option") {
			t.Errorf("%q is decoded as the tiers %v", text, tiers)
		}
		if options, err := decodeOptionValues(text); err == nil && !strings.Contains(text, "min") {
			t.Errorf("%q is decoded as the option values %v", text, options)
		}
	}
	if _, err := decodeTiers(`[{"min":1,"method":"fixed","amount":"x"}]`); err == nil {
		t.Error("decoded an amount that is not a number")
	}
}

// TestAmountRange compares the SQL with decimal arithmetic, for bounds of any size
// and precision. A price that is not set is in no range.
func TestAmountRange(t *testing.T) {
	prices := []int64{noPrice, 0, 1, 2, 9_999, 10_000, 10_001, 55_000, maxUnits}
	var rows []listed
	for _, n := range prices {
		rows = append(rows, listed{n, "x"})
	}
	bounds := []string{
		"-1e64", "-5", "-1", "-0.0001", "-0.00001", "0", "1e-64", "0.00009", "0.0001", "0.00011", "0.00015", "0.9999", "1", "1.00005", "1.0001",
		"5.5", "99999999999999.9999", "99999999999999.99995", "1e14", "922337203685477.5807", "922337203685477.5808", "1e64",
	}
	eachListed(t, func(t *testing.T, d *DB) {
		insertListed(t, d, "a", rows...)
		rapid.Check(t, func(t *rapid.T) {
			bound := rapid.Custom(func(t *rapid.T) decimal.NullDecimal {
				text := rapid.SampledFrom(append([]string{""}, bounds...)).Draw(t, "bound")
				if text == "" {
					return decimal.NullDecimal{}
				}
				return decimal.NewNullDecimal(decimal.RequireFromString(text))
			})
			r := cohort.AmountRange{Min: bound.Draw(t, "min"), Max: bound.Draw(t, "max")}
			var want []int64
			for _, n := range prices {
				if inRange(r, n) {
					want = append(want, n)
				}
			}
			got, err := selectListed(d, func(w *where) error {
				w.amountRange("id", r)
				return w.page(cohort.Page{Number: 1, Size: 100}, 100, byID)
			})
			if err != nil {
				t.Fatal(err)
			}
			ids := []int64{}
			for _, row := range got {
				ids = append(ids, row.id)
			}
			if !slices.Equal(want, ids) {
				t.Errorf("from %+v to %+v: got %d, want %d", r.Min, r.Max, ids, want)
			}
		})
	})
}

func inRange(s cohort.AmountRange, n int64) bool {
	if !s.Min.Valid && !s.Max.Valid {
		return true
	}
	p := toPrice(n)
	return p.Valid && (!s.Min.Valid || p.Decimal.GreaterThanOrEqual(s.Min.Decimal)) && (!s.Max.Valid || p.Decimal.LessThanOrEqual(s.Max.Decimal))
}

// TestAmountsFit checks that every valid price fits into its column.
func TestAmountsFit(t *testing.T) {
	if maxUnits > math.MaxInt64/9 {
		t.Error("a price that passes validation may not fit")
	}
	p := cohort.Product{Name: "x", Type: cohort.ProductPhysical, Price: toAmount(maxUnits)}
	if err := p.Validate(); err != nil {
		t.Errorf("the highest price is invalid: %v", err)
	}
	p.Price = toAmount(maxUnits + 1)
	if err := p.Validate(); cohort.KindOf(err) != cohort.KindInvalid {
		t.Errorf("a price above the highest: error %v", err)
	}
}
