package cohort

import (
	"encoding/json"
	"fmt"
	"strings"
)

// hookForm is the form of the message that events of one kind always give.
type hookForm struct {
	scope string
	data  func(Event) string
}

var hookForms = newHookForms()

func newHookForms() map[EventKind]hookForm {
	forms := map[EventKind]hookForm{}
	add := func(resource string, data func(Event) string, kinds ...EventKind) {
		for _, kind := range kinds {
			action := kind[strings.LastIndexByte(string(kind), '.')+1:]
			forms[kind] = hookForm{"store/" + resource + "/" + string(action), data}
		}
	}
	add("customerGroup", groupData, GroupCreated, GroupUpdated, GroupDeleted)
	add("customerGroup/member", memberData, MemberAdded, MemberRemoved)
	add("customer", typed("customer", func(e Event) int64 { return e.CustomerID }), CustomerCreated, CustomerUpdated, CustomerDeleted)
	add("customer/address", addressData, AddressCreated, AddressUpdated, AddressDeleted)
	add("category", typed("category", func(e Event) int64 { return e.CategoryID }), CategoryCreated, CategoryUpdated, CategoryDeleted)
	add("brand", typed("brand", func(e Event) int64 { return e.BrandID }), BrandCreated, BrandUpdated, BrandDeleted)
	add("product", typed("product", func(e Event) int64 { return e.ProductID }), ProductCreated, ProductUpdated, ProductDeleted)
	add("sku", skuData, VariantCreated, VariantUpdated, VariantDeleted)
	add("priceList", listData, PriceListCreated, PriceListUpdated, PriceListDeleted)
	add("priceList/record", recordData, PriceRecordCreated, PriceRecordUpdated, PriceRecordDeleted)
	add("priceList/assignment", assignmentData, AssignmentUpdated, AssignmentDeleted)
	forms[AssignmentCreated] = forms[AssignmentUpdated] // the vendor has no scope for a new one
	add("channel", typed("channel", func(e Event) int64 { return e.ChannelID }), ChannelCreated, ChannelUpdated)
	add("information", func(Event) string { return `{"type":"store"}` }, StoreUpdated)
	return forms
}

// typed returns the data of a resource that has only a type and an id.
func typed(name string, id func(Event) int64) func(Event) string {
	return func(e Event) string { return fmt.Sprintf(`{"type":"%s","id":%d}`, name, id(e)) }
}

func memberData(e Event) string {
	return fmt.Sprintf(`{"type":"customerGroup","id":%d,"member":{"customer_id":%d}}`, e.GroupID, e.CustomerID)
}

// addressData has the type of the customer and the id of the address, as at the vendor.
func addressData(e Event) string {
	return fmt.Sprintf(`{"type":"customer","id":%d,"address":{"customer_id":%d}}`, e.AddressID, e.CustomerID)
}

func skuData(e Event) string {
	return fmt.Sprintf(`{"type":"sku","id":%d,"sku":{"product_id":%d,"variant_id":%d}}`, e.VariantID, e.ProductID, e.VariantID)
}

func listData(e Event) string { return fmt.Sprintf(`{"price_list_id":%d}`, e.PriceListID) }

func recordData(e Event) string {
	return fmt.Sprintf(`{"price_list_id":%d,"variant_id":%d,"currency":%s}`, e.PriceListID, e.VariantID, quote(e.Currency))
}

func assignmentData(e Event) string {
	return fmt.Sprintf(`{"price_list_id":%d,"channel_id":%d,"customer_group_id":%d}`, e.PriceListID, e.ChannelID, e.GroupID)
}

// groupData says of a deleted group how many members it had. Hooks with a wildcard get no
// message for each of them.
func groupData(e Event) string {
	if e.Kind != GroupDeleted {
		return fmt.Sprintf(`{"type":"customerGroup","id":%d}`, e.GroupID)
	}
	members, ok := changedFields(e)["members"]
	if !ok {
		members.before = json.RawMessage("0")
	}
	return fmt.Sprintf(`{"type":"customerGroup","id":%d,"members_unassigned":%s}`, e.GroupID, members.before)
}

// fieldChange is the change of a field.
type fieldChange struct {
	before, after json.RawMessage // null: none
	hidden        bool            // the values are not kept
}

// changedFields returns the fields that an event changed.
func changedFields(e Event) map[string]fieldChange {
	var fields map[string][]json.RawMessage
	if json.Unmarshal(e.Changes, &fields) != nil {
		return nil // an event has no changes, or an object of arrays
	}
	changes := make(map[string]fieldChange, len(fields))
	for name, values := range fields {
		c := fieldChange{json.RawMessage("null"), json.RawMessage("null"), true}
		if len(values) == 2 {
			c = fieldChange{values[0], values[1], false}
		}
		changes[name] = c
	}
	return changes
}
