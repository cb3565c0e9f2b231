package cohort_test

import (
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// wrongTiers returns the invalid fields by the index of the tier.
func wrongTiers(t rapid.TB, err error) map[int]string {
	t.Helper()
	if err == nil {
		return map[int]string{}
	}
	items, ok := err.(cohort.ItemErrors) //nolint:errorlint // must not be wrapped
	if !ok {
		t.Fatalf("got %v, want ItemErrors", err)
	}
	fields := map[int]string{}
	for i, err := range items {
		e, ok := err.(*cohort.Error) //nolint:errorlint // likewise
		if !ok || e.Kind != cohort.KindInvalid || e.Reason == "" {
			t.Fatalf("tier %d: got %v", i, err)
		}
		fields[i] = e.Field
	}
	return fields
}

func bulkTier(least, most int64, m cohort.Method, amount string) cohort.BulkTier {
	return cohort.BulkTier{QuantityMin: least, QuantityMax: most, Method: m, Amount: amountOf(amount)}
}

func TestValidateBulkTiers(t *testing.T) {
	const percent, fixed, price = cohort.MethodPercent, cohort.MethodFixed, cohort.MethodPrice
	tests := []struct {
		name  string
		tiers []cohort.BulkTier
		want  map[int]string
	}{
		{"none", nil, nil},
		{"in order", []cohort.BulkTier{bulkTier(1, 9, percent, "100"), bulkTier(10, 10, price, "0"), bulkTier(11, 0, fixed, "0.0001")}, nil},
		{"out of order, with a gap", []cohort.BulkTier{bulkTier(20, 0, percent, "5"), bulkTier(1, 9, percent, "4")}, nil},
		{"each is looked at", []cohort.BulkTier{
			bulkTier(0, 9, percent, "5"), bulkTier(5, 4, percent, "5"), bulkTier(1, -1, percent, "5"), bulkTier(1, 1, "off", "5"), bulkTier(1, 1, "", "5"),
			bulkTier(1, 1, percent, "100.0001"), bulkTier(1, 1, price, "-1"), bulkTier(1, 1, fixed, "0.00001"), bulkTier(1, 1, fixed, "1e16"), bulkTier(50, 60, percent, "5"),
		}, map[int]string{
			0: "quantity_min", 1: "quantity_max", 2: "quantity_max", 3: "type", 4: "type", 5: "amount", 6: "amount", 7: "amount", 8: "amount",
		}},
		{"at one end", []cohort.BulkTier{bulkTier(1, 10, percent, "5"), bulkTier(10, 20, percent, "5")}, map[int]string{1: "quantity_min"}},
		{"the later one is at fault", []cohort.BulkTier{bulkTier(10, 20, percent, "5"), bulkTier(1, 10, percent, "5")}, map[int]string{0: "quantity_min"}},
		{"twice the same", []cohort.BulkTier{bulkTier(1, 10, percent, "5"), bulkTier(1, 10, percent, "5")}, map[int]string{1: "quantity_min"}},
		{"inside of another", []cohort.BulkTier{bulkTier(1, 30, percent, "5"), bulkTier(10, 20, percent, "5"), bulkTier(25, 40, percent, "5")}, map[int]string{1: "quantity_min", 2: "quantity_min"}},
		{"after one without an end", []cohort.BulkTier{bulkTier(1, 0, percent, "5"), bulkTier(1000, 0, percent, "5"), bulkTier(2000, 2001, percent, "5")}, map[int]string{1: "quantity_min", 2: "quantity_min"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == nil {
				tt.want = map[int]string{}
			}
			if diff := cmp.Diff(tt.want, wrongTiers(t, cohort.ValidateBulkTiers(tt.tiers))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	wantInvalidWhole := func(n int, ok bool) {
		var tiers []cohort.BulkTier
		for i := range int64(n) {
			tiers = append(tiers, bulkTier(i+1, i+1, percent, "5"))
		}
		err := cohort.ValidateBulkTiers(tiers)
		if e, isError := err.(*cohort.Error); (err == nil) != ok || !ok && (!isError || e.Field != "") { //nolint:errorlint // likewise
			t.Errorf("%d tiers: %v", n, err)
		}
	}
	wantInvalidWhole(cohort.MaxBulkTiers, true)
	wantInvalidWhole(cohort.MaxBulkTiers+1, false)
}

// Tiers are valid if and only if no quantity is in two of them, in any order.
func TestBulkTiersDoNotOverlap(t *testing.T) {
	const end = 14 // above all drawn quantities
	rapid.Check(t, func(t *rapid.T) {
		var tiers []cohort.BulkTier
		for range rapid.IntRange(0, 4).Draw(t, "tiers") {
			least := rapid.Int64Range(1, 12).Draw(t, "min")
			most := least + rapid.Int64Range(0, 3).Draw(t, "length")
			if most == least+3 {
				most = 0
			}
			tiers = append(tiers, cohort.BulkTier{QuantityMin: least, QuantityMax: most, Method: cohort.MethodFixed, Amount: decimal.NewFromInt(1)})
		}
		overlap := false
		for q := int64(1); q <= end; q++ {
			in := 0
			for _, tier := range tiers {
				if q >= tier.QuantityMin && (q <= tier.QuantityMax || tier.QuantityMax == 0) {
					in++
				}
			}
			overlap = overlap || in > 1
		}
		wrong := wrongTiers(t, cohort.ValidateBulkTiers(tiers))
		if (len(wrong) > 0) != overlap {
			t.Fatalf("%+v: errors %v, want errors: %v", tiers, wrong, overlap)
		}
	})
}
