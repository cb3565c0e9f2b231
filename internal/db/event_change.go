package db

import (
	"encoding/json"
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// The largest values that an event keeps of a field, before and after together, and of all
// fields, in bytes of JSON. Of others it only says that they changed.
const (
	maxEventValue   = 16 << 10
	maxEventChanges = 64 << 10
)

// noValue is the value of a field where the resource does not exist.
const noValue = "null"

// eventChanges builds the changes of an event; see [cohort.Event].
type eventChanges struct{ text strings.Builder }

// add adds a field, unless its values are equal. Both are JSON.
func (c *eventChanges) add(field, before, after string) {
	if before == after {
		return
	}
	if len(before)+len(after) > maxEventValue || c.text.Len()+len(before)+len(after) > maxEventChanges {
		c.hide(field)
		return
	}
	c.name(field)
	c.text.WriteString("[" + before + "," + after + "]")
}

// hide adds a field without its values.
func (c *eventChanges) hide(field string) {
	c.name(field)
	c.text.WriteString("null")
}

func (c *eventChanges) name(field string) {
	separator := byte(',')
	if c.text.Len() == 0 {
		separator = '{'
	}
	c.text.WriteByte(separator)
	c.text.WriteString(`"` + field + `":`)
}

func (c *eventChanges) isEmpty() bool { return c.text.Len() == 0 }

func (c *eventChanges) json() json.RawMessage {
	if c.isEmpty() {
		return json.RawMessage("{}")
	}
	return json.RawMessage(c.text.String() + "}")
}

// fieldValues are the values of the fields of a resource as JSON, by index of the names of
// the fields; nil if there is no resource.
type fieldValues []string

func (v fieldValues) at(i int) string {
	if v == nil {
		return noValue
	}
	return v[i]
}

// diff adds the fields whose values differ.
func (c *eventChanges) diff(names []string, before, after fieldValues) {
	for i, name := range names {
		c.add(name, before.at(i), after.at(i))
	}
}

// groupFields are the names of the values that groupValues returns.
var groupFields = []string{"name", "category_access", "discount_rules", "is_default", "is_group_for_guests"}

// groupValues returns the values of a group. access and rules are those of encodeGroup.
func groupValues(g cohort.Group, access, rules string) fieldValues {
	return fieldValues{jsonText(g.Name), access, rules, strconv.FormatBool(g.IsDefault), strconv.FormatBool(g.IsGroupForGuests)}
}

// valuesOfGroup is groupValues with the texts of encodeGroup.
func valuesOfGroup(g cohort.Group) fieldValues {
	access, rules := encodeGroup(g)
	return groupValues(g, access, rules)
}

// recordGroup records the change of a group. before and after are its values, nil where it
// does not exist.
func (t *Tx) recordGroup(storeKey string, kind cohort.EventKind, id int64, before, after fieldValues) error {
	var c eventChanges
	c.diff(groupFields, before, after)
	return t.record(storeKey, cohort.Event{Kind: kind, EventIDs: cohort.EventIDs{GroupID: id}, Changes: c.json()})
}

// recordDeletedGroup records the deletion of a group with its number of members.
func (t *Tx) recordDeletedGroup(storeKey string, g cohort.Group, members int64) error {
	var c eventChanges
	c.diff(groupFields, valuesOfGroup(g), nil)
	c.add("members", strconv.FormatInt(members, 10), noValue)
	return t.record(storeKey, cohort.Event{Kind: cohort.GroupDeleted, EventIDs: cohort.EventIDs{GroupID: g.ID}, Changes: c.json()})
}

// customerFields are the names of the values that customerFieldValues returns.
var customerFields = []string{
	customerGroupField, "company", "first_name", "last_name", "email", "phone", "store_credit", "registration_ip_address",
	"notes", "tax_exempt_category", "reset_pass_on_login", "accepts_marketing", "origin_channel_id", "channel_ids",
}

const (
	customerGroupField = "customer_group_id"
	passwordField      = "password" //nolint:gosec // the name of a field
)

func customerFieldValues(c cohort.Customer) fieldValues {
	return fieldValues{
		strconv.FormatInt(c.GroupID, 10), jsonText(c.Company), jsonText(c.FirstName), jsonText(c.LastName), jsonText(c.Email),
		jsonText(c.Phone), jsonText(creditText(c.StoreCredit)), jsonText(c.RegistrationIPAddress), jsonText(c.Notes),
		jsonText(c.TaxExemptCategory), strconv.FormatBool(c.ResetPassOnLogin), strconv.FormatBool(c.AcceptsMarketing),
		strconv.FormatInt(c.OriginChannelID, 10), mustMarshal(c.ChannelIDs),
	}
}

// recordNewCustomers records the creation of customers, and of their memberships.
func (t *Tx) recordNewCustomers(storeKey string, customers []CustomerWrite) error {
	if !t.records() {
		return nil
	}
	var events []cohort.Event
	for _, w := range customers {
		var c eventChanges
		c.diff(customerFields, nil, customerFieldValues(w.Customer))
		events = append(events, cohort.Event{Kind: cohort.CustomerCreated, EventIDs: cohort.EventIDs{CustomerID: w.ID}, Changes: c.json()})
		events = appendMove(events, w.ID, 0, w.GroupID)
	}
	return t.record(storeKey, events...)
}

// recordCustomers records updates of customers, and of their memberships.
func (t *Tx) recordCustomers(storeKey string, customers []CustomerWrite) error {
	if !t.records() {
		return nil
	}
	var events []cohort.Event
	for _, w := range customers {
		var c eventChanges
		c.diff(customerFields, customerFieldValues(w.Before), customerFieldValues(w.Customer))
		if w.PasswordHash != "" {
			c.hide(passwordField)
		}
		events = append(events, cohort.Event{Kind: cohort.CustomerUpdated, EventIDs: cohort.EventIDs{CustomerID: w.ID}, Changes: c.json()})
		events = appendMove(events, w.ID, w.Before.GroupID, w.GroupID)
	}
	return t.record(storeKey, events...)
}

// recordMoves records that customers have moved to another group, or to none for group 0.
// Their GroupID is that from which they come.
func (t *Tx) recordMoves(storeKey string, customers []cohort.Customer, groupID int64) error {
	if !t.records() {
		return nil
	}
	var events []cohort.Event
	for _, moved := range customers {
		var c eventChanges
		c.add(customerGroupField, strconv.FormatInt(moved.GroupID, 10), strconv.FormatInt(groupID, 10))
		events = append(events, cohort.Event{Kind: cohort.CustomerUpdated, EventIDs: cohort.EventIDs{CustomerID: moved.ID}, Changes: c.json()})
		events = appendMove(events, moved.ID, moved.GroupID, groupID)
	}
	return t.record(storeKey, events...)
}

// recordDeletedCustomers records the deletion of customers, of which only ids and groups
// are known, and the end of their memberships. addresses are the numbers of their addresses,
// by customer.
func (t *Tx) recordDeletedCustomers(storeKey string, customers []cohort.Customer, addresses map[int64]int64) error {
	if !t.records() {
		return nil
	}
	var events []cohort.Event
	for _, c := range customers {
		var changes eventChanges
		changes.add(customerGroupField, strconv.FormatInt(c.GroupID, 10), noValue)
		changes.add("addresses", countText(addresses[c.ID]), noValue)
		events = appendMove(events, c.ID, c.GroupID, 0)
		events = append(events, cohort.Event{Kind: cohort.CustomerDeleted, EventIDs: cohort.EventIDs{CustomerID: c.ID}, Changes: changes.json()})
	}
	return t.record(storeKey, events...)
}

// appendMove appends the events of a customer that leaves a group and joins another one;
// 0: none. They come beside the event of the customer, so that the history of a group has
// its members.
func appendMove(events []cohort.Event, customerID, from, to int64) []cohort.Event {
	if from == to {
		return events
	}
	if from != 0 {
		events = append(events, cohort.Event{Kind: cohort.MemberRemoved, EventIDs: cohort.EventIDs{GroupID: from, CustomerID: customerID}})
	}
	if to != 0 {
		events = append(events, cohort.Event{Kind: cohort.MemberAdded, EventIDs: cohort.EventIDs{GroupID: to, CustomerID: customerID}})
	}
	return events
}
