package cli_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func cents(n int64) decimal.Decimal { return decimal.New(n, -2) }

// fillPrices creates a product of 19.99 whose variants differ, one of 3.00 whose variants
// do not, a group with rules and a member, a guest group, and a list for another group.
func fillPrices(tx *db.Tx) error {
	product := cohort.Product{
		ID: 7, Name: "Shirt", Type: cohort.ProductPhysical, Price: cents(1999), Categories: []int64{3}, BaseVariantID: 70,
		BulkTiers: []cohort.BulkTier{{QuantityMin: 10, Method: cohort.MethodPercent, Amount: cents(1000)}},
	}
	rules := []cohort.DiscountRule{
		{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: cents(500)},
		{Type: cohort.RuleCategory, TargetID: 1, Method: cohort.MethodPrice, Amount: cents(250)},
	}
	for _, err := range []error{
		tx.InsertCategory("abc", cohort.Category{ID: 1, Name: "Clothes"}),
		tx.InsertCategory("abc", cohort.Category{ID: 3, ParentID: 1, Name: "Shirts"}),
		tx.InsertProduct("abc", product),
		tx.InsertVariant("abc", cohort.Variant{ID: 70, ProductID: 7}),
		tx.InsertVariant("abc", cohort.Variant{ID: 71, ProductID: 7, OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 1}}}),
		tx.InsertVariant("abc", cohort.Variant{ID: 72, ProductID: 7, Price: decimal.NewNullDecimal(cents(2500)), OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 2}}}),
		addGroup(tx, "abc", cohort.Group{ID: 1, Name: "Wholesale", DiscountRules: rules}, 1),
		addGroup(tx, "abc", cohort.Group{ID: 2, Name: "Visitors", IsGroupForGuests: true}, 0),
		addGroup(tx, "abc", cohort.Group{ID: 3, Name: "Partners"}, 0),
		tx.InsertProduct("abc", cohort.Product{ID: 10, Name: "Socks", Type: cohort.ProductPhysical, Price: cents(300), BaseVariantID: 100}),
		tx.InsertVariant("abc", cohort.Variant{ID: 100, ProductID: 10}),
		tx.InsertVariant("abc", cohort.Variant{ID: 101, ProductID: 10, OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 1}}}),
		tx.InsertVariant("abc", cohort.Variant{ID: 102, ProductID: 10, OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 2}}}),
		tx.InsertPriceList("abc", cohort.PriceList{ID: 4, Name: "Partner prices", Active: true}),
		tx.PutPriceRecords("abc", nil, []cohort.PriceRecord{
			{PriceListID: 4, VariantID: 71, Currency: "EUR", Price: decimal.NewNullDecimal(cents(1100))},
			{PriceListID: 4, VariantID: 71, Currency: "USD", Price: decimal.NewNullDecimal(cents(1200))},
		}),
		tx.InsertAssignment("abc", cohort.PriceListAssignment{ID: 1, PriceListID: 4, GroupID: 3}),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestPrice(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		inDB(t, url, fillPrices)
		price := func(args ...string) string {
			t.Helper()
			return mustRun(t, append([]string{"price", "--store", "abc", "--db", url, "--product", "7"}, args...)...).out
		}
		for args, want := range map[string]string{
			"":                                         "19.99 USD (its variants: 19.99 to 25.00)\n",
			"--variant 72":                             "25.00 USD\n",
			"--customer 1000 --variant 71":             "17.49 USD\n",
			"--group 1 --variant 72":                   "22.50 USD\n",
			"--group 3 --variant 71":                   "12.00 USD\n",
			"--group 3 --variant 71 --currency eur":    "11.00 EUR\n",
			"--group 0 --channel 2 --variant 71":       "19.99 USD\n",
			"--group 3 --variant 72 --channel 1234567": "25.00 USD\n",
		} {
			if got := price(strings.Fields(args)...); got != want {
				t.Errorf("price %s: %s", args, got)
			}
		}
		if r := mustRun(t, "price", "--store", "abc", "--db", url, "--product", "10"); r.out != "3.00 USD\n" {
			t.Errorf("a product whose variants cost the same: %s", r.out)
		}
		want := strings.Join([]string{
			`17.49 USD`,
			`For customer 1000 in the group "Wholesale" (1). The customer is in this group.`,
			``,
			`CANDIDATE                                              PRICE      WON  REASON`,
			`rule for category Clothes > Shirts: 2.5 USD off 19.99  17.49 USD  yes  The product is in category 3, which is below category 1.`,
			`rule for everything: 5 % off 19.99                     18.99 USD       A category rule comes before it.`,
			`bulk price: 10 % off 17.49                             15.74 USD       The price is for one piece; this is the price of each from 10 pieces on.`,
			`catalog price                                          19.99 USD       A category rule comes before it.`,
			``,
		}, "\n")
		if diff := cmp.Diff(want, price("--customer", "1000", "--variant", "71", "--explain")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		guest := price("--explain")
		if !strings.Contains(guest, `For a shopper in the group "Visitors" (2). The shopper is a guest, and the store puts guests in this group.`) {
			t.Errorf("a guest:\n%s", guest)
		}
	})
}

func TestPriceRefuses(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		inDB(t, url, fillPrices)
		price := func(args ...string) result {
			return run(t, append([]string{"price", "--db", url}, args...)...)
		}
		wantFailure(t, price("--store", "abd", "--product", "7"), 1, "store abd does not exist")
		wantFailure(t, price("--store", "abc", "--product", "8"), 1, "There is no product 8.")
		wantFailure(t, price("--store", "abc", "--product", "7", "--variant", "9"), 1, "There is no variant 9.")
		wantFailure(t, price("--store", "abc", "--product", "7", "--customer", "9"), 1, "There is no customer 9.")
		wantFailure(t, price("--store", "abc", "--product", "7", "--group", "9"), 1, "There is no customer group 9.")
		wantFailure(t, price("--store", "abc", "--product", "7", "--currency", "XXX"), 1, "A currency is a code of ISO 4217, such as USD.")
		wantFailure(t, price("--store", "abc", "--product", "7", "--currency", "EUR"), 1,
			"There is no price in EUR. Catalog prices are in USD, and nothing is converted.")
		wantFailure(t, price("--store", "abc", "--product", "7", "--as-of", "2026-11-03T00:00:00Z"), 1, "The store records no events, so its history is not known.")
		wantFailure(t, price("--store", "abc", "--product", "7", "--as-of", "1.1."), 2, "--as-of is a time such as 2026-11-03T00:00:00Z")
		if r := price("--store", "abc", "--product", "7", "--customer", "1", "--group", "1"); r.status != 2 {
			t.Errorf("a customer and a group: %+v", r)
		}
	})
}
