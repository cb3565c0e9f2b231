package client

import (
	"testing"
	"time"
)

// The bodies have the shapes of the vendor's service where it differs from Cohort, or from
// itself. The values are our own.

func TestShapesOfGroups(t *testing.T) {
	h, _ := answers(t,
		`200 {"id":"3","name":"A"}`,
		`200 {"id":3,"name":"A","is_default":true,"category_access":{"type":"all"},"discount_rules":[],"is_group_for_guests":false,"color":{"x":[1]}}`,
		`200 {"id":3,"name":"A","category_access":{"type":"specific","categories":["18",19]},"date_created":"2023-07-17 06:30:41","discount_rules":[
			{"type":"all","method":"percent","amount":5},{"type":"category","category_id":"18","method":"price","amount":"2.5000"},
			{"type":"product","product_id":7,"method":"fixed","amount":"1e1"},{"type":"price_list","price_list_id":"4"}]}`,
		`200 {"id":3,"name":"A","category_access":null,"discount_rules":null,"date_created":"","date_modified":null}`)
	c, _ := newFake(t, h)
	if _, err := c.Groups.Get(t.Context(), 3); err == nil {
		t.Error("an id of a group that is a text is read")
	}
	if g, err := c.Groups.Get(t.Context(), 3); err != nil || !g.IsDefault || g.CategoryAccess.Type != AccessAll || g.DiscountRules == nil {
		t.Errorf("got %+v, %v", g, err)
	}
	g, err := c.Groups.Get(t.Context(), 3)
	if err != nil || len(g.DiscountRules) != 4 || len(g.CategoryAccess.Categories) != 2 || g.CategoryAccess.Categories[0] != 18 {
		t.Fatalf("got %+v, %v", g, err)
	}
	if r := g.DiscountRules; r[0].Amount.String() != "5" || r[1].CategoryID != 18 || r[1].Amount.String() != "2.5" || r[2].ProductID != 7 || r[2].Amount.String() != "10" || r[3].PriceListID != 4 {
		t.Errorf("rules %+v", r)
	}
	if !g.DateCreated.Equal(time.Date(2023, 7, 17, 6, 30, 41, 0, time.UTC)) {
		t.Errorf("created %v", g.DateCreated)
	}
	if g, err = c.Groups.Get(t.Context(), 3); err != nil || !g.DateCreated.IsZero() || g.DiscountRules != nil {
		t.Errorf("got %+v, %v", g, err)
	}
}

func TestShapesOfCustomers(t *testing.T) {
	h, _ := answers(t,
		`200 [{"id":1,"email":"a@x.example","store_credit":"12.5000","date_created":"Tue, 13 Nov 2012 21:16:41 +0000","form_fields":[{"name":"Size","value":["S"]}],"addresses":{"url":"https://x.example"}},
			{"id":2,"store_credit":5,"form_fields":null,"_authentication":null}]`,
		`204 `,
		`200 {"data":[{"id":1,"channel_ids":null,"date_created":"2024-10-24T07:19:29Z","store_credit_amounts":[{"amount":43.15}],"attributes":[],"attribute_count":0},
			{"id":2,"channel_ids":[1,2],"shopper_profile_id":null}],"meta":{"pagination":{"total":2,"count":2,"per_page":50,"current_page":1,"total_pages":1,"links":{"current":"?page=1"}}}}`,
		`200 {"success":"true"}`, `200 {"success":false}`, `200 {"success":"yes"}`)
	c, _ := newFake(t, h)
	v2, err := c.Customers.List(t.Context(), CustomerFilter{}, Page{})
	if err != nil || len(v2) != 2 || v2[0].StoreCredit.String() != "12.5" || v2[1].StoreCredit.String() != "5" || string(v2[0].FormFields[0].Value) != `["S"]` {
		t.Errorf("got %+v, %v", v2, err)
	}
	if v2, err = c.Customers.List(t.Context(), CustomerFilter{}, Page{Number: 2}); err != nil || len(v2) != 0 {
		t.Errorf("204: %v, %v", v2, err)
	}
	v3, err := c.CustomersV3.List(t.Context(), CustomerV3Filter{}, Page{})
	if err != nil || len(v3) != 2 || !v3[0].ChannelIDs.IsNull() || len(v3[1].ChannelIDs.Or(nil)) != 2 || v3[0].StoreCredit.Or(nil)[0].Amount.String() != "43.15" {
		t.Fatalf("got %+v, %v", v3, err)
	}
	if _, isThere := v3[0].Attributes.Get(); !isThere || !v3[1].Attributes.IsZero() || !v3[1].ShopperProfileID.IsNull() {
		t.Errorf("parts: %+v", v3)
	}
	for _, want := range []bool{true, false} {
		if ok, err := c.Customers.CheckPassword(t.Context(), 1, "x"); err != nil || ok != want {
			t.Errorf("a password: %t, %v", ok, err)
		}
	}
	if _, err := c.Customers.CheckPassword(t.Context(), 1, "x"); err == nil {
		t.Error("yes is read as a boolean")
	}
}

// TestBatchesWithoutContent: the reference says that an assignment is answered without content.
func TestBatchesWithoutContent(t *testing.T) {
	h, got := answers(t, "200 ", "204 ", `200 {"data":{},"meta":{}}`, "204 ")
	c, _ := newFake(t, h)
	for range 2 {
		if err := c.Assignments.Create(t.Context(), []AssignmentCreate{{PriceListID: 1, GroupID: 2}}); err != nil {
			t.Error(err)
		}
		if err := c.PriceRecords.Put(t.Context(), 1, []PriceRecordPut{{VariantID: 2, Currency: "usd", Price: Set(MustAmount("5.10")), SalePrice: Null[Amount]()}}); err != nil {
			t.Error(err)
		}
	}
	if want := `PUT /stores/abc/v3/pricelists/1/records [{"variant_id":2,"currency":"usd","price":5.1,"sale_price":null}]`; (*got)[1] != want {
		t.Errorf("sent %s, want %s", (*got)[1], want)
	}
}

func TestBodies(t *testing.T) {
	h, got := answers(t, "200 {}", "200 {}", `200 {"data":{}}`)
	c, _ := newFake(t, h)
	for _, err := range []error{
		second(c.Groups.Create(t.Context(), GroupUpdate{Name: Set("<A&B>"), CategoryAccess: Set(CategoryAccess{Type: AccessSpecific, Categories: []int64{18}}),
			DiscountRules: Set([]DiscountRule{{Type: RuleAll, Method: MethodPercent, Amount: MustAmount("0")}, {Type: RulePriceList, PriceListID: 5}})})),
		second(c.Groups.Update(t.Context(), 3, GroupUpdate{DiscountRules: Set([]DiscountRule{})})),
		second(c.Channels.Create(t.Context(), ChannelUpdate{Name: Set("Shop"), IsVisible: Set(false)})),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for i, want := range []string{
		`POST /stores/abc/v2/customer_groups {"name":"<A&B>","category_access":{"type":"specific","categories":[18]},"discount_rules":[{"type":"all","method":"percent","amount":0},{"type":"price_list","price_list_id":5}]}`,
		`PUT /stores/abc/v2/customer_groups/3 {"discount_rules":[]}`,
		`POST /stores/abc/v3/channels {"name":"Shop","is_visible":false}`,
	} {
		if (*got)[i] != want {
			t.Errorf("sent %s\nwant %s", (*got)[i], want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
