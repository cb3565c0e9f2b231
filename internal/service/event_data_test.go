package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// eventLog reads the events of store a.
type eventLog struct {
	t    testing.TB
	svc  *service.Service
	last int64
}

// next returns what the new events say, without ids that are 0.
func (l *eventLog) next() (lines []string) {
	l.t.Helper()
	for _, e := range allEvents(l.t, l.svc, "a", l.last) {
		line := string(e.Kind)
		for _, id := range []struct {
			letter string
			id     int64
		}{
			{"g", e.GroupID}, {"c", e.CustomerID}, {"a", e.AddressID}, {"f", e.AttributeID}, {"k", e.CategoryID}, {"b", e.BrandID},
			{"p", e.ProductID}, {"v", e.VariantID},
		} {
			if id.id != 0 {
				line += fmt.Sprint(" ", id.letter, id.id)
			}
		}
		if e.Batch {
			line += " batch"
		}
		lines, l.last = append(lines, line+" "+string(e.Changes)), e.Number
	}
	return lines
}

func (l *eventLog) expect(what string, want ...string) {
	l.t.Helper()
	if diff := cmp.Diff(want, l.next()); diff != "" {
		l.t.Fatalf("%s: events (-want +got):\n%s", what, diff)
	}
}

// TestEventsOfCustomerData checks the events of form fields, consent and attribute values,
// and that those without a change and those that fail have none.
func TestEventsOfCustomerData(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		ctx := newStoreWithEvents(t, svc, "a")
		_, err := svc.CreateCustomer(ctx, "a", cohort.CustomerUpdate{FirstName: new("F"), LastName: new("L"), Email: new("a@example.com")})
		must(t, err)
		_, err = svc.CreateAddress(ctx, "a", 1, cohort.AddressUpdate{
			FirstName: new("F"), LastName: new("L"), Street1: new("S"), City: new("C"), State: new("S"), Zip: new("Z"), Country: new("Germany"),
		})
		must(t, err)
		_, err = svc.CreateAttributes(ctx, "a", []cohort.Attribute{{Name: "Size", Type: cohort.AttributeString}})
		must(t, err)
		l := &eventLog{t: t, svc: svc}
		if got := l.next(); len(got) != 3 || got[2] != `customerAttribute.created f1 {"name":[null,"Size"],"type":[null,"string"]}` {
			t.Fatalf("events %v", got)
		}
		number := cohort.FormValue{Type: cohort.FormNumbers, Text: "4"}
		list := cohort.FormValue{Type: cohort.FormCheckboxes, List: []string{"x"}}
		put := []cohort.FormField{
			{CustomerID: 1, Name: `a"b`, Value: number}, {AddressID: 1, Name: "n", Value: list}, {CustomerID: 1, Name: "m", Value: list},
		}
		must(t, svc.PutFormFields(ctx, "a", put))
		l.expect("form fields", `customer.formFieldValue.updated c1 a1 {"n":[null,["x"]]}`,
			`customer.formFieldValue.updated c1 {"a\"b":[null,4],"m":[null,["x"]]}`)
		put[0].Value.Text = "5"
		must(t, svc.PutFormFields(ctx, "a", put))
		l.expect("one form field", `customer.formFieldValue.updated c1 {"a\"b":[4,5]}`)
		put[1].AddressID = 99
		if err := svc.PutFormFields(ctx, "a", put); err == nil {
			t.Fatal("an unknown address has form fields")
		}
		l.expect("an unknown address")

		consent := cohort.Consent{Allow: []cohort.ConsentCategory{cohort.ConsentAnalytics}}
		for range 2 {
			_, err = svc.SetConsent(ctx, "a", 1, consent)
			must(t, err)
		}
		l.expect("consent", `customer.consent.updated c1 {"allow":[[],["analytics"]]}`)

		values := []cohort.AttributeValue{{CustomerID: 1, AttributeID: 1, Value: "M"}}
		for range 2 {
			_, err = svc.PutAttributeValues(ctx, "a", values)
			must(t, err)
		}
		l.expect("a value", `customer.attributeValue.updated c1 f1 {"value":[null,"M"]}`)
		must(t, svc.DeleteAttributeValues(ctx, "a", []int64{1, 2}))
		l.expect("no value", `customer.attributeValue.deleted c1 f1 {"value":["M",null]}`)
		must(t, svc.DeleteCustomer(ctx, "a", 1))
		l.expect("no customer", `customer.deleted c1 {"customer_group_id":[0,null],"addresses":[1,null]}`)
	})
}

// TestEventsOfCatalog checks the events of the parts of a product, and of deletions.
func TestEventsOfCatalog(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		ctx := newStoreWithEvents(t, svc, "a")
		l := &eventLog{t: t, svc: svc}
		_, err := svc.CreateCategory(ctx, "a", cohort.Category{Name: "Linen"})
		must(t, err)
		l.expect("a category", `category.created k1 {"parent_id":[null,0],"tree_id":[null,1],"name":[null,"Linen"]}`)
		_, err = svc.UpdateCategory(ctx, "a", 1, cohort.CategoryUpdate{Details: cohort.Details{"is_visible": json.RawMessage("false")}})
		must(t, err)
		l.expect("hide it", `category.updated k1 {"is_visible":[true,false]}`)
		p, err := svc.CreateProduct(ctx, "a", cohort.Product{Name: "Towel", Type: cohort.ProductPhysical, Price: decimal.RequireFromString("10.50"), SKU: "T", Categories: []int64{1}})
		must(t, err)
		l.expect("a product",
			`product.created p1 {"price":[null,"10.5"],"sale_price":[null,"0"],"retail_price":[null,"0"],"map_price":[null,"0"],"bulk_pricing_rules":[null,[]],`+
				`"base_variant_id":[null,1],"categories":[null,[1]],"name":[null,"Towel"],"type":[null,"physical"],"sku":[null,"T"],"weight":[null,"0"],"brand_id":[null,0]}`,
			`variant.created p1 v1 {"option_values":[null,[]],"sku":[null,"T"]}`)
		_, err = svc.UpdateProduct(ctx, "a", p.ID, cohort.ProductUpdate{SKU: new("U"), SalePrice: new(decimal.RequireFromString("9.90"))})
		must(t, err)
		l.expect("a SKU", `variant.updated p1 v1 {"sku":["T","U"]}`, `product.updated p1 {"sale_price":["0","9.9"],"sku":["T","U"]}`)

		gift := service.OptionRef{ProductID: p.ID, Kind: cohort.Modifier}
		o, err := svc.CreateOption(ctx, "a", gift, cohort.OptionUpdate{DisplayName: new("Gift"), Type: new("dropdown"), Choices: []cohort.ChoiceUpdate{
			{Label: new("yes"), Details: cohort.Details{"adjusters": json.RawMessage(`{"price":{"adjuster":"relative","adjuster_value":2.5}}`)}}, {Label: new("no")},
		}})
		must(t, err)
		got := l.next()
		if len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf(`product.updated p1 {"price_adjusters":[{},{"%d":{"%d":["relative","2.5"]}}],"modifiers":[[],[{`, o.ID, o.Choices[0].ID)) {
			t.Fatalf("a modifier: %v", got)
		}
		gift.ID = o.ID
		must(t, svc.DeleteChoice(ctx, "a", gift, o.Choices[1].ID))
		if got := l.next(); len(got) != 1 || !strings.Contains(got[0], `"label":"no"`) || strings.Contains(got[0], `"label":"yes"`) || strings.Contains(got[0], "price_adjusters") {
			t.Fatalf("a choice is deleted: %v", got)
		}
		must(t, svc.DeleteChannelAssignments(ctx, "a", cohort.ProductAssignmentFilter{ProductIDs: []int64{p.ID}}))
		l.expect("no channel", `product.updated p1 {"channels":[[1],[]]}`)
		must(t, svc.AssignProductChannels(ctx, "a", []cohort.ProductAssignment{{ProductID: p.ID, TargetID: 1}}))
		l.expect("channel 1", `product.updated p1 {"channels":[[],[1]]}`)
		must(t, svc.AssignProductCategories(ctx, "a", []cohort.ProductAssignment{{ProductID: p.ID, TargetID: 1}}))
		l.expect("a category that it has")
		must(t, svc.DeleteCategory(ctx, "a", 1))
		l.expect("no category", `category.deleted k1 {"parent_id":[0,null],"tree_id":[1,null],"name":["Linen",null],"is_visible":[false,null],"products":[[1],null]}`)
		must(t, svc.DeleteProducts(ctx, "a", cohort.ProductFilter{}))
		got = l.next()
		if len(got) != 2 || got[0] != `variant.deleted p1 v1 {"option_values":[[],null],"sku":["U",null]}` ||
			!strings.HasPrefix(got[1], fmt.Sprintf(`product.deleted p1 {"price_adjusters":[{"%d":{"%d":["relative","2.5"]}},null],"price":["10.5",null]`, o.ID, o.Choices[0].ID)) ||
			!strings.HasSuffix(got[1], `,"channels":[[1],null]}`) {
			t.Fatalf("no product: %v", got)
		}
		_, err = svc.CreateBrand(ctx, "a", cohort.Brand{Name: "Home"})
		must(t, err)
		must(t, svc.DeleteBrands(ctx, "a", cohort.BrandFilter{}))
		l.expect("a brand", `brand.created b1 {"name":[null,"Home"]}`, `brand.deleted b1 {"name":["Home",null]}`)
	})
}

// TestEventOfImport checks that an import has one event when it is visible, and that one
// that is rejected or tried only has none.
func TestEventOfImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		ctx := newStoreWithEvents(t, svc, "a")
		l := &eventLog{t: t, svc: svc}
		load := func(dryRun bool, items ...cohort.CatalogItem) error {
			_, err := svc.ImportCatalog(ctx, "a", func() (item cohort.CatalogItem, err error) {
				if len(items) == 0 {
					return item, io.EOF
				}
				item, items = items[0], items[1:]
				return item, nil
			}, dryRun)
			return err
		}
		brand := cohort.CatalogItem{Line: 1, Kind: cohort.CatalogBrand, ID: 3, Brand: cohort.Brand{Name: "Home"}}
		towel := cohort.CatalogItem{Line: 2, Kind: cohort.CatalogProduct, ID: 7, Product: cohort.Product{Name: "Towel", Type: cohort.ProductPhysical}}
		wrong := towel
		wrong.Line = 3
		must(t, load(true, brand, towel))
		if err := load(false, towel, wrong); err == nil {
			t.Fatal("an import with a product twice is accepted")
		}
		l.expect("a dry run and a rejected import")
		must(t, load(false, brand, towel))
		l.expect("an import", `catalog.imported {"brands":[null,{"added":1,"replaced":0,"unchanged":0}],"products":[null,{"added":1,"replaced":0,"unchanged":0}]}`)
		brand.Brand.Name = "House"
		must(t, load(false, brand))
		l.expect("another import", `catalog.imported {"brands":[null,{"added":0,"replaced":1,"unchanged":0}]}`)
	})
}

// TestRemovalsOfDeletedGroup checks that the members of a deleted group have events if an
// active webhook has exactly their scope, also those whose rows a sweep updates later.
func TestRemovalsOfDeletedGroup(t *testing.T) {
	const members = 501 // one more than a deletion updates
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		ctx := newStoreWithEvents(t, svc, "a")
		for _, test := range []struct {
			scope  string
			active bool
			want   int
		}{{"store/customerGroup/*", true, 0}, {"store/customerGroup/member/removed", false, 0}, {"store/customerGroup/member/removed", true, members}} {
			g, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: "VIP"})
			must(t, err)
			must(t, d.Update(t.Context(), func(tx *db.Tx) error {
				if err := tx.Later("DELETE FROM hooks WHERE store_hash = 'a'"); err != nil {
					return err
				}
				return tx.Later(`INSERT INTO hooks (store_hash, id, token_id, scope, destination, is_active, is_deactivated, headers, date_created, date_modified)
					VALUES ('a', 1, 't', $1, 'https://example.com', $2, FALSE, '', 0, 0)`, test.scope, test.active)
			}))
			var writes []db.CustomerWrite
			for i := range int64(members) {
				id := g.ID*10_000 + i
				writes = append(writes, db.CustomerWrite{Customer: cohort.Customer{ID: id, GroupID: g.ID, Email: fmt.Sprint(id)}})
			}
			must(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertCustomers("a", writes) }))
			last := allEvents(t, svc, "a", 0)
			must(t, svc.DeleteGroup(ctx, "a", g.ID))
			if strings.HasSuffix(t.Name(), "/citus") {
				allEvents(t, svc, "a", 0) // the sweep runs on another server, so the deletion needs its number now
			}
			for more := true; more; {
				more, err = svc.SweepTombstones(context.Background())
				must(t, err)
			}
			events := allEvents(t, svc, "a", last[len(last)-1].Number)
			if len(events) != test.want+1 || events[0].Kind != cohort.GroupDeleted {
				t.Fatalf("%s: %d events, the first %+v", test.scope, len(events), events[0])
			}
			seen := map[int64]bool{}
			for _, e := range events[1:] {
				if e.Kind != cohort.MemberRemoved || e.GroupID != g.ID || !e.Batch || e.Actor != events[0].Actor || e.RequestID != "r1" {
					t.Fatalf("%s: event %+v", test.scope, e)
				}
				seen[e.CustomerID] = true
			}
			if len(seen) != test.want {
				t.Errorf("%s: %d customers of %d", test.scope, len(seen), test.want)
			}
		}
	})
}

// TestDataWithoutEvents checks that a store that records no events gets none, also where the
// one who makes a change does not know that.
func TestDataWithoutEvents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		ctx := t.Context()
		for range 2 {
			p, err := svc.CreateProduct(ctx, "a", cohort.Product{Name: "Towel", Type: cohort.ProductPhysical, BrandName: "Home"})
			must(t, err)
			must(t, svc.DeleteChannelAssignments(ctx, "a", cohort.ProductAssignmentFilter{ProductIDs: []int64{p.ID}}))
			must(t, svc.DeleteProduct(ctx, "a", p.ID))
			must(t, svc.DeleteProducts(ctx, "a", cohort.ProductFilter{}))
			must(t, svc.DeleteBrands(ctx, "a", cohort.BrandFilter{}))
		}
		if events := allEvents(t, svc, "a", 0); len(events) > 0 {
			t.Errorf("events %v", toldAll(events))
		}
	})
}
