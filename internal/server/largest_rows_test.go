package server_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/testenv"

	"github.com/shopspring/decimal"
)

// token returns the secret of a token with all scopes in the first store.
func (f *fixture) token(t *testing.T) string {
	t.Helper()
	return f.Token(t, "abc", cohort.Scopes()...)
}

// longText returns a text of n characters that is as long as possible in JSON: each
// character is escaped.
func longText(n int) string { return strings.Repeat("\u0001", n) }

// longTextOf returns a longText with a number in front, for unique columns.
func longTextOf(i, n int) string { return fmt.Sprintf("%08d", i) + longText(n-8) }

// highID returns an id with many digits.
func highID(i int) int64 { return math.MaxInt64 - 1_000_000 + int64(i) }

var (
	longAmount = decimal.RequireFromString("9999999999999999.9999")
	longPrice  = decimal.RequireFromString("99999999999999.9999")
)

// addLargestRows fills the store "abc" with rows of the largest possible size. Where
// rows are large, there are enough of them for a page of several pieces.
func addLargestRows(t *testing.T, f *fixture, d *db.DB) {
	t.Helper()
	addLargestGroups(t, f)
	addLargestCustomers(t, f)
	addLargestCatalog(t, d)
	addLargestPriceLists(t, f, d)
	addLargestSegments(t, d)
	addLargestMetafields(t, f)
	addLargestCustomerData(t, f)
	addLargestChannels(t, f)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func addLargestGroups(t *testing.T, f *fixture) {
	t.Helper()
	g := cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific}}
	for i := range cohort.MaxCategoriesOfGroup {
		g.CategoryAccess.Categories = append(g.CategoryAccess.Categories, highID(i))
	}
	for i := range cohort.MaxRules {
		g.DiscountRules = append(g.DiscountRules, cohort.DiscountRule{
			Type: cohort.RuleCategory, TargetID: highID(i), Method: cohort.MethodPrice, Amount: longAmount,
		})
	}
	for i := range 12 {
		g.Name = longText(cohort.MaxNameLength-2) + fmt.Sprintf("%02d", i)
		_, err := f.Service.CreateGroup(t.Context(), "abc", g)
		must(t, err)
	}
}

// addLargestHooks adds webhooks of a token, with its secret.
func addLargestHooks(t *testing.T, f *fixture, token string) {
	t.Helper()
	const name = "X-Key"
	value := strings.Repeat(`"`, cohort.MaxHookHeaderBytes-len(name))
	for i, scope := range cohort.HookScopes()[:130] {
		_, err := f.Service.CreateHook(t.Context(), "abc", cohort.Hook{
			ClientID: cohort.NewToken(token).ID, Scope: strings.ReplaceAll(scope, "{channel_id}", strconv.FormatInt(highID(i), 10)),
			Destination: fmt.Sprintf("https://a.example/%04d", i) + strings.Repeat("&", cohort.MaxHookDestination-22), Active: true, Headers: map[string]string{name: value},
		})
		must(t, err)
	}
}

func addLargestCustomers(t *testing.T, f *fixture) {
	t.Helper()
	for i := range 7 {
		_, err := f.Service.CreateCustomer(t.Context(), "abc", cohort.CustomerUpdate{
			Company: new(longText(255)), FirstName: new(longText(100)), LastName: new(longText(100)),
			Email: new(fmt.Sprintf("%d@example.com", i)), Phone: new(longText(50)), StoreCredit: &longAmount,
			RegistrationIPAddress: new(longText(255)), Notes: new(longText(65_535)), TaxExemptCategory: new(longText(255)),
		})
		must(t, err)
	}
	for range 90 {
		_, err := f.Service.CreateAddress(t.Context(), "abc", 1, cohort.AddressUpdate{
			FirstName: new(longText(255)), LastName: new(longText(255)), Company: new(longText(255)),
			Street1: new(longText(255)), Street2: new(longText(255)), City: new(longText(255)), State: new(longText(255)),
			Zip: new(longText(255)), Country: new("Germany"), Phone: new(longText(50)),
		})
		must(t, err)
	}
}

// tiers returns the largest possible bulk tiers.
func tiers() []cohort.BulkTier {
	list := make([]cohort.BulkTier, cohort.MaxBulkTiers)
	for i := range list {
		from := int64(math.MaxInt64 - 1_000_000 + 10*i)
		list[i] = cohort.BulkTier{QuantityMin: from, QuantityMax: from + 5, Method: cohort.MethodPercent, Amount: decimal.RequireFromString("99.9999")}
	}
	return list
}

const (
	largeProducts = 12
	largeVariants = 90 // of the first product
)

// furtherVariants is how many variants the second product has.
func furtherVariants() int { return testenv.Times(largeVariants, 3) }

// largestDetails returns details whose texts are as long as their bounds allow.
func largestDetails(t *testing.T, fields []cohort.DetailField) cohort.Details {
	t.Helper()
	details := cohort.Details{}
	for _, field := range fields {
		if field.Kind != cohort.DetailText || field.Choices != nil {
			continue
		}
		text, err := json.Marshal(longText(cmp.Or(int(field.Max), 65_535)))
		must(t, err)
		details[field.Name], err = field.Parse(text)
		must(t, err)
	}
	return details
}

// largeParts returns custom fields, images and videos that nearly reach the bound of each
// list.
func largeParts(t *testing.T) cohort.Details {
	t.Helper()
	text := func(n, most int) string {
		quoted, err := json.Marshal(longTextOf(n, most))
		must(t, err)
		return string(quoted)
	}
	var fields, images, videos []string
	for n := range 150 {
		fields = append(fields, fmt.Sprintf(`{"name":%s,"value":%s}`, text(n, 250), text(n, 250)))
	}
	for n, description := range []int{65_535, 100, 100} {
		images = append(images, fmt.Sprintf(`{"image_url":%s,"description":%s}`, text(n, 255), text(n, description)))
		videos = append(videos, fmt.Sprintf(`{"video_id":%s,"title":%s,"description":%s}`, text(n, 25), text(n, 255), text(n, description)))
	}
	update := cohort.Details{}
	for i, list := range [][]string{fields, images, videos} {
		parsed, err := cohort.ProductParts[i].Parse([]byte("[" + strings.Join(list, ",") + "]"))
		must(t, err)
		update[cohort.ProductParts[i].Name] = parsed
	}
	adopted, err := cohort.AdoptParts(nil, update, time.UnixMilli(0), func(string, int64) (int64, error) { return 1, nil })
	must(t, err)
	return adopted
}

// largestDetailed is how many brands, categories and products have the largest details.
const largestDetailed = 3

func addLargestCatalog(t *testing.T, d *db.DB) {
	t.Helper()
	now := time.UnixMilli(0)
	must(t, d.Update(t.Context(), func(tx *db.Tx) error {
		p := cohort.Product{
			Name: longText(cohort.MaxProductName), Type: cohort.ProductPhysical, Weight: longPrice, Price: longPrice, SalePrice: longPrice,
			RetailPrice: longPrice, MAPPrice: longPrice, BulkTiers: tiers(), DateCreated: now, DateModified: now,
		}
		for i := range cohort.MaxCategoriesOfProduct {
			c := cohort.Category{ID: highID(i), Name: longTextOf(i, cohort.MaxCategoryName)}
			must(t, c.Validate())
			if i < largestDetailed {
				c.Details = largestDetails(t, cohort.CategoryDetails)
			}
			if err := tx.InsertCategory("abc", c); err != nil {
				return err
			}
			p.Categories = append(p.Categories, c.ID)
		}
		for i := range largestDetailed {
			b := cohort.Brand{ID: int64(i + 1), Name: longTextOf(i, cohort.MaxBrandName), Details: largestDetails(t, cohort.BrandDetails)}
			if err := tx.InsertBrand("abc", b); err != nil {
				return err
			}
		}
		variant := int64(0)
		next := func() int64 { variant++; return variant }
		for i := range largeProducts {
			p.ID, p.SKU, p.BaseVariantID = int64(i+1), longTextOf(i, cohort.MaxSKU), next()
			p.Details = nil
			if i < largestDetailed {
				p.Details = largestDetails(t, cohort.ProductDetails)
			}
			if i == 0 {
				p.Details = p.Details.Merge(largeParts(t))
			}
			must(t, p.Validate())
			if err := tx.InsertProduct("abc", p); err != nil {
				return err
			}
			if err := tx.InsertVariant("abc", p.BaseVariant()); err != nil {
				return err
			}
			variants := map[int]int{0: largeVariants, 1: furtherVariants()}[i]
			for n := range variants {
				if err := tx.InsertVariant("abc", largestVariant(t, p, next(), n)); err != nil {
					return err
				}
			}
		}
		return addLargestOptions(t, tx)
	}))
}

// addLargestOptions adds three options and three modifiers to product 1, with ids from 1.
func addLargestOptions(t *testing.T, tx *db.Tx) error {
	t.Helper()
	for _, kind := range []cohort.OptionKind{cohort.VariantOption, cohort.Modifier} {
		for i := range 3 {
			o := cohort.Option{
				ProductID: 1, Kind: kind, DisplayName: longTextOf(10*len(kind.String())+i, cohort.MaxOptionName), Type: "swatch",
				Details: largestDetails(t, kind.Details()),
			}
			for range cohort.MaxChoices {
				o.Choices = append(o.Choices, cohort.Choice{Label: longText(cohort.MaxChoiceName), Details: largestChoiceDetails(t, kind)})
			}
			must(t, o.Validate())
			if _, err := tx.CreateOption("abc", o, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func largestChoiceDetails(t *testing.T, kind cohort.OptionKind) cohort.Details {
	t.Helper()
	largest := map[string]string{
		"sort_order": "-2147483648",
		"value_data": `{"image_url":"` + strings.Repeat("x", 1008) + `"}`,
		"adjusters":  `{"image_url":"` + strings.Repeat("x", 2048) + `","purchasing_disabled":{"message":"` + strings.Repeat(`\u0001`, 145) + `"}}`,
	}
	details := cohort.Details{}
	for _, field := range kind.ChoiceDetails() {
		var err error
		details[field.Name], err = field.Parse(json.RawMessage(largest[field.Name]))
		must(t, err)
	}
	return details
}

func largestVariant(t *testing.T, p cohort.Product, id int64, n int) cohort.Variant {
	t.Helper()
	price := decimal.NewNullDecimal(longPrice)
	v := cohort.Variant{
		ID: id, ProductID: p.ID, SKU: longTextOf(1_000_000+int(id), cohort.MaxSKU),
		Price: price, SalePrice: price, RetailPrice: price, MAPPrice: price, Details: largestDetails(t, cohort.VariantDetails),
	}
	for i := range cohort.MaxOptionValues {
		v.OptionValues = append(v.OptionValues, cohort.OptionValue{OptionID: highID(i), ValueID: highID(n)})
	}
	must(t, v.Validate())
	return v
}

func addLargestPriceLists(t *testing.T, f *fixture, d *db.DB) {
	t.Helper()
	for i := range 5 {
		_, err := f.Service.CreatePriceList(t.Context(), "abc", cohort.PriceList{Name: longTextOf(i, cohort.MaxPriceListName), Active: true})
		must(t, err)
	}
	must(t, f.Service.CreateAssignments(t.Context(), "abc", []cohort.PriceListAssignment{{PriceListID: 1, ChannelID: 1}, {PriceListID: 2, ChannelID: highID(1)}}))
	price := decimal.NewNullDecimal(longPrice)
	record := cohort.PriceRecord{PriceListID: 1, Price: price, SalePrice: price, RetailPrice: price, MAPPrice: price, BulkTiers: tiers()}
	var records []cohort.PriceRecord
	currencies, variants := testenv.Times(26*26*26, 140), testenv.Times[int64](60, 20)
	for i := 0; i < 26*26*26 && len(records) < currencies; i++ {
		code := string([]byte{byte('A' + i/676), byte('A' + i/26%26), byte('A' + i%26)})
		if _, err := cohort.ParseCurrency(code); err == nil {
			record.VariantID, record.Currency = 1, code
			records = append(records, record)
		}
	}
	for variant := range variants {
		record.VariantID, record.Currency = variant+2, "USD"
		records = append(records, record)
	}
	must(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertPriceRecords("abc", records) }))
}

// firstUUID is the id of the first segment and of its only profile.
const firstUUID = "00000000-0000-4000-8000-000000000000"

func addLargestSegments(t *testing.T, d *db.DB) {
	t.Helper()
	now := time.UnixMilli(0)
	var list []cohort.Segment
	for i := range 150 {
		s := cohort.Segment{
			ID: firstUUID[:24] + fmt.Sprintf("%012d", i), Name: longTextOf(i, cohort.MaxSegmentName),
			Description: longText(cohort.MaxSegmentDescription), DateCreated: now, DateModified: now,
		}
		must(t, s.Validate())
		list = append(list, s)
	}
	must(t, d.Update(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.CreateSegments("abc", list); err != nil {
			return err
		}
		profiles, err := tx.CreateShopperProfiles("abc", []cohort.ShopperProfile{{ID: firstUUID, CustomerID: 1, DateCreated: now, DateModified: now}})
		if err != nil {
			return err
		}
		return tx.AddMembers("abc", db.SegmentEpoch{Number: 1}, profiles)
	}))
}

func addLargestMetafields(t *testing.T, f *fixture) {
	t.Helper()
	var list []cohort.MetafieldUpdate
	for i := range cohort.MaxMetafieldsWritten {
		list = append(list, cohort.MetafieldUpdate{
			CustomerID: 1, Namespace: new(longText(cohort.MaxMetafieldName)), Key: new(longTextOf(i, cohort.MaxMetafieldName)),
			Value: new(longText(cohort.MaxMetafieldValue)), Description: new(longText(cohort.MaxMetafieldDescription)), PermissionSet: new(cohort.StorefrontWritable),
		})
	}
	_, wrong, err := f.Service.CreateMetafields(t.Context(), "abc", "another token", list)
	must(t, err)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
}

// addLargestCustomerData adds attributes and their values, and form fields.
func addLargestCustomerData(t *testing.T, f *fixture) {
	t.Helper()
	for first := 0; first < cohort.MaxAttributes; first += cohort.MaxAttributesPut {
		var attributes []cohort.Attribute
		var values []cohort.AttributeValue
		for i := first; i < first+cohort.MaxAttributesPut; i++ {
			attributes = append(attributes, cohort.Attribute{Name: longTextOf(i, cohort.MaxAttributeName), Type: cohort.AttributeString})
			values = append(values, cohort.AttributeValue{CustomerID: 1, AttributeID: int64(i + 1), Value: longText(cohort.MaxAttributeValue)})
		}
		_, err := f.Service.CreateAttributes(t.Context(), "abc", attributes)
		must(t, err)
		_, err = f.Service.PutAttributeValues(t.Context(), "abc", values)
		must(t, err)
	}
	for customer := range int64(5) {
		var fields []cohort.FormField
		for i := range cohort.MaxFormFieldsPut {
			fields = append(fields, cohort.FormField{
				CustomerID: customer + 1, Name: longTextOf(i, cohort.MaxFormFieldName),
				Value: cohort.FormValue{Type: cohort.FormText, Text: longText(cohort.MaxFormFieldText)},
			})
		}
		must(t, f.Service.PutFormFields(t.Context(), "abc", fields))
	}
}

func addLargestChannels(t *testing.T, f *fixture) {
	t.Helper()
	for i := range 3 {
		_, err := f.Service.CreateChannel(t.Context(), "abc", cohort.Channel{
			Name: strings.Repeat("n", cohort.MaxChannelName-1) + fmt.Sprint(i), ExternalID: longText(cohort.MaxChannelReference),
			Type: cohort.ChannelMarketplace, Platform: "custom",
		})
		must(t, err)
	}
}
