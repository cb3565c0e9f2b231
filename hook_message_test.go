package cohort_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cohort.example/cohort"
)

// told returns scope and data of each message.
func told(messages []cohort.HookMessage) []string {
	var list []string
	for _, m := range messages {
		list = append(list, m.Scope+" "+string(m.Data))
	}
	return list
}

func TestHookMessageOfEachKind(t *testing.T) {
	ids := cohort.EventIDs{
		GroupID: 1, CustomerID: 2, AddressID: 3, AttributeID: 4, ChannelID: 5, PriceListID: 6, AssignmentID: 7,
		CategoryID: 8, BrandID: 9, ProductID: 10, VariantID: 11, Currency: "USD",
	}
	tests := map[cohort.EventKind][]string{
		cohort.GroupCreated:  {`store/customerGroup/created {"type":"customerGroup","id":1}`},
		cohort.GroupUpdated:  {`store/customerGroup/updated {"type":"customerGroup","id":1}`},
		cohort.GroupDeleted:  {`store/customerGroup/deleted {"type":"customerGroup","id":1,"members_unassigned":0}`},
		cohort.MemberAdded:   {`store/customerGroup/member/added {"type":"customerGroup","id":1,"member":{"customer_id":2}}`},
		cohort.MemberRemoved: {`store/customerGroup/member/removed {"type":"customerGroup","id":1,"member":{"customer_id":2}}`},

		cohort.CustomerCreated: {`store/customer/created {"type":"customer","id":2}`},
		cohort.CustomerUpdated: {`store/customer/updated {"type":"customer","id":2}`},
		cohort.CustomerDeleted: {`store/customer/deleted {"type":"customer","id":2}`},
		cohort.AddressCreated:  {`store/customer/address/created {"type":"customer","id":3,"address":{"customer_id":2}}`},
		cohort.AddressUpdated:  {`store/customer/address/updated {"type":"customer","id":3,"address":{"customer_id":2}}`},
		cohort.AddressDeleted:  {`store/customer/address/deleted {"type":"customer","id":3,"address":{"customer_id":2}}`},

		// The vendor tells none of these.
		cohort.AttributeCreated: nil, cohort.AttributeUpdated: nil, cohort.AttributeDeleted: nil,
		cohort.AttributeValueUpdated: nil, cohort.AttributeValueDeleted: nil, cohort.FormFieldValueUpdated: nil, cohort.ConsentUpdated: nil,
		cohort.CatalogImported: nil, cohort.StoreReplaced: nil, cohort.SettingsUpdated: nil,

		cohort.CategoryCreated: {`store/category/created {"type":"category","id":8}`},
		cohort.CategoryUpdated: {`store/category/updated {"type":"category","id":8}`},
		cohort.CategoryDeleted: {`store/category/deleted {"type":"category","id":8}`},
		cohort.BrandCreated:    {`store/brand/created {"type":"brand","id":9}`},
		cohort.BrandUpdated:    {`store/brand/updated {"type":"brand","id":9}`},
		cohort.BrandDeleted:    {`store/brand/deleted {"type":"brand","id":9}`},
		cohort.ProductCreated:  {`store/product/created {"type":"product","id":10}`},
		cohort.ProductUpdated:  {`store/product/updated {"type":"product","id":10}`},
		cohort.ProductDeleted:  {`store/product/deleted {"type":"product","id":10}`},
		cohort.VariantCreated:  {`store/sku/created {"type":"sku","id":11,"sku":{"product_id":10,"variant_id":11}}`},
		cohort.VariantUpdated:  {`store/sku/updated {"type":"sku","id":11,"sku":{"product_id":10,"variant_id":11}}`},
		cohort.VariantDeleted:  {`store/sku/deleted {"type":"sku","id":11,"sku":{"product_id":10,"variant_id":11}}`},

		cohort.PriceListCreated:   {`store/priceList/created {"price_list_id":6}`},
		cohort.PriceListUpdated:   {`store/priceList/updated {"price_list_id":6}`},
		cohort.PriceListDeleted:   {`store/priceList/deleted {"price_list_id":6}`},
		cohort.PriceRecordCreated: {`store/priceList/record/created {"price_list_id":6,"variant_id":11,"currency":"USD"}`},
		cohort.PriceRecordUpdated: {`store/priceList/record/updated {"price_list_id":6,"variant_id":11,"currency":"USD"}`},
		cohort.PriceRecordDeleted: {`store/priceList/record/deleted {"price_list_id":6,"variant_id":11,"currency":"USD"}`},
		cohort.AssignmentCreated:  {`store/priceList/assignment/updated {"price_list_id":6,"channel_id":5,"customer_group_id":1}`},
		cohort.AssignmentUpdated:  {`store/priceList/assignment/updated {"price_list_id":6,"channel_id":5,"customer_group_id":1}`},
		cohort.AssignmentDeleted:  {`store/priceList/assignment/deleted {"price_list_id":6,"channel_id":5,"customer_group_id":1}`},

		cohort.ChannelCreated: {`store/channel/created {"type":"channel","id":5}`},
		cohort.ChannelUpdated: {`store/channel/updated {"type":"channel","id":5}`},
		cohort.StoreUpdated:   {`store/information/updated {"type":"store"}`},
	}
	for _, kind := range cohort.EventKinds() {
		want, ok := tests[kind]
		if !ok {
			t.Errorf("no row for %s", kind)
		}
		got := cohort.HookMessages([]cohort.Event{{Number: 7, Kind: kind, EventIDs: ids, Changes: json.RawMessage("{}")}})
		if diff := cmp.Diff(want, told(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

func TestHookMessageOfChanges(t *testing.T) {
	tests := []struct {
		name    string
		event   cohort.Event
		changes string
		want    []string
	}{
		{"members of a deleted group", cohort.Event{Kind: cohort.GroupDeleted, EventIDs: cohort.EventIDs{GroupID: 3}}, `{"name":["A",null],"members":[12,null]}`,
			[]string{`store/customerGroup/deleted {"type":"customerGroup","id":3,"members_unassigned":12}`}},
		{"channels of a customer", cohort.Event{Kind: cohort.CustomerUpdated, EventIDs: cohort.EventIDs{CustomerID: 22}}, `{"channel_ids":[null,[1,2]]}`,
			[]string{`store/customer/updated {"type":"customer","id":22}`, `store/customer/channel/login/access/updated {"customer_id":22,"channel_ids":[1,2]}`}},
		{"all channels", cohort.Event{Kind: cohort.CustomerUpdated, EventIDs: cohort.EventIDs{CustomerID: 22}}, `{"channel_ids":[[1],null]}`,
			[]string{`store/customer/updated {"type":"customer","id":22}`, `store/customer/channel/login/access/updated {"customer_id":22,"channel_ids":[]}`}},
		{"too many channels to keep", cohort.Event{Kind: cohort.CustomerUpdated, EventIDs: cohort.EventIDs{CustomerID: 22}}, `{"channel_ids":null}`,
			[]string{`store/customer/updated {"type":"customer","id":22}`, `store/customer/channel/login/access/updated {"customer_id":22,"channel_ids":null}`}},
		{"a new customer", cohort.Event{Kind: cohort.CustomerCreated, EventIDs: cohort.EventIDs{CustomerID: 22}}, `{"channel_ids":[null,[1]]}`,
			[]string{`store/customer/created {"type":"customer","id":22}`}},
		{"activated", cohort.Event{Kind: cohort.PriceListUpdated, EventIDs: cohort.EventIDs{PriceListID: 5}}, `{"active":[false,true]}`,
			[]string{`store/priceList/updated {"price_list_id":5}`, `store/priceList/activated {"price_list_id":5}`}},
		{"deactivated", cohort.Event{Kind: cohort.PriceListUpdated, EventIDs: cohort.EventIDs{PriceListID: 5}}, `{"name":["a","b"],"active":[true,false]}`,
			[]string{`store/priceList/updated {"price_list_id":5}`, `store/priceList/deactivated {"price_list_id":5}`}},
		{"default group", cohort.Event{Kind: cohort.SettingsUpdated, EventIDs: cohort.EventIDs{ChannelID: 4}}, `{"default_customer_group_id":[0,3]}`,
			[]string{`store/channel/4/settings/defaultCustomerGroup/updated {}`}},
		{"all settings of the store", cohort.Event{Kind: cohort.SettingsUpdated},
			`{"default_customer_group_id":[0,3],"guest_customer_group_id":[0,3],"policy_url":["","https://a.example"],"ask_shopper_for_tracking_consent":[false,true]}`,
			[]string{`store/channel/0/settings/defaultCustomerGroup/updated {}`, `store/channel/0/settings/customerPrivacy/updated {}`}},
		{"settings without a scope", cohort.Event{Kind: cohort.SettingsUpdated, EventIDs: cohort.EventIDs{ChannelID: 4}}, `{"guest_customer_group_id":[0,3],"allow_global_logins":[true,false]}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.event.Changes = json.RawMessage(test.changes)
			if diff := cmp.Diff(test.want, told(cohort.HookMessages([]cohort.Event{test.event}))); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

// record is a batch event of a record.
func record(number int64, kind cohort.EventKind, request string, list, variant int64) cohort.Event {
	return cohort.Event{Number: number, Kind: kind, RequestID: request, EventIDs: cohort.EventIDs{PriceListID: list, VariantID: variant, Currency: "USD", Batch: true}}
}

func TestHookMessagesOfBatches(t *testing.T) {
	single := record(9, cohort.PriceRecordCreated, "b", 1, 4)
	single.Batch = false
	list := func(number, id int64) cohort.Event {
		return cohort.Event{Number: number, Kind: cohort.PriceListDeleted, RequestID: "c", EventIDs: cohort.EventIDs{PriceListID: id, Batch: true}}
	}
	got := cohort.HookMessages([]cohort.Event{
		record(1, cohort.PriceRecordCreated, "a", 1, 179), record(2, cohort.PriceRecordUpdated, "a", 1, 181), record(3, cohort.PriceRecordCreated, "a", 2, 180),
		record(5, cohort.PriceRecordCreated, "b", 1, 2),
		{Number: 6, Kind: cohort.ProductUpdated, RequestID: "b", EventIDs: cohort.EventIDs{ProductID: 1, Batch: true}},
		record(8, cohort.PriceRecordCreated, "b", 1, 3),
		single, list(10, 7), list(12, 5),
	})
	want := []string{
		`store/priceList/records/created [{"price_list_id":1,"variant_id":179,"currency":"USD"},{"price_list_id":2,"variant_id":180,"currency":"USD"}]`,
		`store/priceList/records/updated [{"price_list_id":1,"variant_id":181,"currency":"USD"}]`,
		`store/priceList/records/created [{"price_list_id":1,"variant_id":2,"currency":"USD"}]`,
		`store/product/updated {"type":"product","id":1}`,
		`store/priceList/records/created [{"price_list_id":1,"variant_id":3,"currency":"USD"}]`,
		`store/priceList/record/created {"price_list_id":1,"variant_id":4,"currency":"USD"}`,
		`store/priceLists/deleted {"price_list_ids":[7,5]}`,
	}
	if diff := cmp.Diff(want, told(got)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	var numbers []int64
	for _, m := range got {
		numbers = append(numbers, m.Number)
	}
	if want := []int64{1, 2, 5, 6, 8, 9, 10}; !slices.Equal(numbers, want) {
		t.Errorf("numbers of the first events: %v, want %v", numbers, want)
	}
}

// A move is told in order: all of it has the subject of the customer.
func TestHookMessagesOfAMove(t *testing.T) {
	got := cohort.HookMessages([]cohort.Event{
		{Number: 1, Kind: cohort.CustomerUpdated, EventIDs: cohort.EventIDs{CustomerID: 2}, Changes: json.RawMessage(`{"customer_group_id":[3,4]}`)},
		{Number: 2, Kind: cohort.MemberRemoved, EventIDs: cohort.EventIDs{GroupID: 3, CustomerID: 2}},
		{Number: 3, Kind: cohort.MemberAdded, EventIDs: cohort.EventIDs{GroupID: 4, CustomerID: 2}},
		{Number: 4, Kind: cohort.MemberRemoved, EventIDs: cohort.EventIDs{GroupID: 4, CustomerID: 2, Batch: true}},
	})
	var list []string
	for _, m := range got {
		list = append(list, fmt.Sprint(m.Scope, ", ", m.Subject, ", ", m.ExactOnly))
	}
	want := []string{
		"store/customer/updated, customer 2, false", "store/customerGroup/member/removed, customer 2, false",
		"store/customerGroup/member/added, customer 2, false", "store/customerGroup/member/removed, customer 2, true",
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestHookSubjects(t *testing.T) {
	tests := []struct {
		kind cohort.EventKind
		ids  cohort.EventIDs
		want string
	}{
		{cohort.GroupUpdated, cohort.EventIDs{GroupID: 3}, "customerGroup 3"},
		{cohort.AddressCreated, cohort.EventIDs{AddressID: 9, CustomerID: 3}, "customer 3"},
		{cohort.ProductUpdated, cohort.EventIDs{ProductID: 3}, "product 3"},
		{cohort.VariantUpdated, cohort.EventIDs{ProductID: 3, VariantID: 8}, "product 3"},
		{cohort.CategoryUpdated, cohort.EventIDs{CategoryID: 3}, "category 3"},
		{cohort.BrandUpdated, cohort.EventIDs{BrandID: 3}, "brand 3"},
		{cohort.ChannelUpdated, cohort.EventIDs{ChannelID: 3}, "channel 3"},
		{cohort.PriceListUpdated, cohort.EventIDs{PriceListID: 3}, "priceLists"},
		{cohort.PriceRecordUpdated, cohort.EventIDs{PriceListID: 3, ProductID: 5, VariantID: 4}, "priceLists"},
		{cohort.AssignmentDeleted, cohort.EventIDs{PriceListID: 3, ChannelID: 4, GroupID: 5}, "priceLists"},
		{cohort.StoreUpdated, cohort.EventIDs{}, "store"},
	}
	for _, test := range tests {
		got := cohort.HookMessages([]cohort.Event{{Kind: test.kind, EventIDs: test.ids}})
		if len(got) != 1 || got[0].Subject != test.want {
			t.Errorf("%s: %+v, want the subject %s", test.kind, got, test.want)
		}
	}
}

func TestHookBody(t *testing.T) {
	message := cohort.HookMessage{
		Scope: "store/customer/created", Data: json.RawMessage(`{"type":"customer","id":32}`), Number: 7,
		Date: time.UnixMilli(1561481571999),
	}
	got := string(message.Body(1025646, "abc"))
	// The sum is that of sha1sum for
	// {"data":{"type":"customer","id":32},"scope":"store/customer/created","store_id":"1025646","number":7}
	want := `{"scope":"store/customer/created","store_id":"1025646","data":{"type":"customer","id":32},` +
		`"hash":"9236b4f8425f277b3477efe5f9ba560deb3a8fe0","created_at":1561481571,"producer":"stores/abc"}`
	if got != want {
		t.Errorf("body\n%s, want\n%s", got, want)
	}
	hash := regexp.MustCompile(`"hash":"[0-9a-f]{40}"`)
	if again := string(message.Body(1025646, "abc")); again != got {
		t.Errorf("the same message again is %s, want %s", again, got)
	}
	message.Number = 8
	if other := string(message.Body(1025646, "abc")); hash.FindString(other) == hash.FindString(got) || hash.FindString(other) == "" {
		t.Errorf("another event has the hash of %s: %s", got, other)
	}
}
