package db

import (
	"slices"
	"strconv"

	"cohort.example/cohort"
)

// addressFields are the names of the values that addressFieldValues returns.
var addressFields = []string{
	"first_name", "last_name", "company", "street_1", "street_2", "city", "state", "zip", "country", "country_iso2", "phone", "address_type",
}

func addressFieldValues(a cohort.Address) fieldValues {
	values := make(fieldValues, 0, len(addressFields))
	for _, text := range []string{
		a.FirstName, a.LastName, a.Company, a.Street1, a.Street2, a.City, a.State, a.Zip, a.Country, a.CountryISO2, a.Phone, string(a.Type),
	} {
		values = append(values, mustMarshal(text))
	}
	return values
}

func addressEvent(kind cohort.EventKind, a cohort.Address, before, after fieldValues) cohort.Event {
	var c eventChanges
	c.diff(addressFields, before, after)
	return cohort.Event{Kind: kind, EventIDs: cohort.EventIDs{CustomerID: a.CustomerID, AddressID: a.ID}, Changes: c.json()}
}

// recordNewAddresses records the creation of addresses.
func (t *Tx) recordNewAddresses(storeKey string, addresses ...cohort.Address) error {
	return t.recordAddresses(storeKey, addresses, func(a cohort.Address) cohort.Event {
		return addressEvent(cohort.AddressCreated, a, nil, addressFieldValues(a))
	})
}

// recordDeletedAddresses records the deletion of addresses.
func (t *Tx) recordDeletedAddresses(storeKey string, addresses []cohort.Address) error {
	return t.recordAddresses(storeKey, addresses, func(a cohort.Address) cohort.Event {
		return addressEvent(cohort.AddressDeleted, a, addressFieldValues(a), nil)
	})
}

// recordChangedAddresses records updates of addresses. before has them as read in this
// transaction, by id.
func (t *Tx) recordChangedAddresses(storeKey string, before map[int64]cohort.Address, after ...cohort.Address) error {
	return t.recordAddresses(storeKey, after, func(a cohort.Address) cohort.Event {
		return addressEvent(cohort.AddressUpdated, a, addressFieldValues(before[a.ID]), addressFieldValues(a))
	})
}

func (t *Tx) recordAddresses(storeKey string, addresses []cohort.Address, event func(cohort.Address) cohort.Event) error {
	if !t.records() {
		return nil
	}
	events := make([]cohort.Event, len(addresses))
	for i, a := range addresses {
		events[i] = event(a)
	}
	return t.record(storeKey, events...)
}

// attributeFields are the names of the values that attributeFieldValues returns.
var attributeFields = []string{"name", "type"}

func attributeFieldValues(a cohort.Attribute) fieldValues {
	return fieldValues{mustMarshal(a.Name), mustMarshal(a.Type)}
}

// recordAttributes records changes of attributes, whose ids are those of list. before and
// after return nil where an attribute does not exist.
func (t *Tx) recordAttributes(storeKey string, kind cohort.EventKind, list []cohort.Attribute, before, after func(cohort.Attribute) fieldValues) error {
	if !t.records() {
		return nil
	}
	events := make([]cohort.Event, len(list))
	for i, a := range list {
		var c eventChanges
		c.diff(attributeFields, before(a), after(a))
		events[i] = cohort.Event{Kind: kind, EventIDs: cohort.EventIDs{AttributeID: a.ID}, Changes: c.json()}
	}
	return t.record(storeKey, events...)
}

func noAttribute(cohort.Attribute) fieldValues { return nil }

// valueField is the field of an event of an attribute value.
const valueField = "value"

// recordAttributeValues records that values were set. before are those of the same customers
// and attributes.
func (t *Tx) recordAttributeValues(storeKey string, values, before []cohort.AttributeValue) error {
	if !t.records() {
		return nil
	}
	type key struct{ customer, attribute int64 }
	was := make(map[key]string, len(before))
	for _, v := range before {
		was[key{v.CustomerID, v.AttributeID}] = mustMarshal(v.Value)
	}
	var events []cohort.Event
	for _, v := range values {
		old, existed := was[key{v.CustomerID, v.AttributeID}]
		if !existed {
			old = noValue
		}
		if text := mustMarshal(v.Value); text != old {
			events = append(events, attributeValueEvent(cohort.AttributeValueUpdated, v, old, text))
		}
	}
	return t.record(storeKey, events...)
}

func attributeValueEvent(kind cohort.EventKind, v cohort.AttributeValue, before, after string) cohort.Event {
	var c eventChanges
	c.add(valueField, before, after)
	return cohort.Event{Kind: kind, EventIDs: cohort.EventIDs{CustomerID: v.CustomerID, AttributeID: v.AttributeID}, Changes: c.json()}
}

// recordDeletedValues records that values were deleted.
func (t *Tx) recordDeletedValues(storeKey string, values []cohort.AttributeValue) error {
	events := make([]cohort.Event, len(values))
	for i, v := range values {
		events[i] = attributeValueEvent(cohort.AttributeValueDeleted, v, mustMarshal(v.Value), noValue)
	}
	return t.record(storeKey, events...)
}

// recordConsent records the consent of a customer.
func (t *Tx) recordConsent(storeKey string, customerID int64, before, after cohort.Consent) error {
	var c eventChanges
	c.add("allow", consentText(before.Allow), consentText(after.Allow))
	c.add("deny", consentText(before.Deny), consentText(after.Deny))
	return t.recordUnlessEmpty(storeKey, cohort.ConsentUpdated, cohort.EventIDs{CustomerID: customerID}, c)
}

func consentText(list []cohort.ConsentCategory) string {
	return mustMarshal(append([]cohort.ConsentCategory{}, list...))
}

// addressCounts returns how many addresses customers have who are to be deleted, if that
// must be recorded.
func (t *Tx) addressCounts(storeKey string, customers []cohort.Customer) (map[int64]int64, error) {
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		return nil, err
	}
	ids := idsOf(customers, func(c cohort.Customer) int64 { return c.ID })
	if err := t.lockToDelete(storeKey, "customers", "id", ids); err != nil { // waits for transactions that add an address
		return nil, err
	}
	return t.AddressCounts(storeKey, ids)
}

// formOwnerKey is the customer or the address that has form fields.
type formOwnerKey struct{ customer, address int64 }

func formOwnerOf(f cohort.FormField) formOwnerKey { return formOwnerKey{f.CustomerID, f.AddressID} }

// formFieldsBefore returns the stored fields of the owners of fields, and the customers of
// those that are addresses, if changes of them must be recorded.
func (t *Tx) formFieldsBefore(storeKey string, fields []cohort.FormField) (before []cohort.FormField, customerOf map[int64]int64, err error) {
	if on, err := t.recordsFor(storeKey); err != nil || !on || len(fields) == 0 {
		return nil, nil, err
	}
	var customers, addresses []int64
	for _, f := range fields {
		if f.CustomerID != 0 {
			customers = append(customers, f.CustomerID)
		} else {
			addresses = append(addresses, f.AddressID)
		}
	}
	customers, addresses = distinctIDs(customers), distinctIDs(addresses)
	ofCustomers, err := t.FormFieldsOfCustomers(storeKey, customers)
	if err != nil {
		return nil, nil, err
	}
	ofAddresses, err := t.FormFieldsOfAddresses(storeKey, addresses)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range customers {
		before = append(before, ofCustomers[id]...)
	}
	for _, id := range addresses {
		before = append(before, ofAddresses[id]...)
	}
	if len(addresses) == 0 {
		return before, nil, nil
	}
	w := whereStore(storeKey)
	in(w, "id", addresses)
	customerOf, err = t.numbers("SELECT id, customer_id FROM customer_addresses"+w.text.String(), w.args...)
	return before, customerOf, err
}

func distinctIDs(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// recordFormFields records that fields were set: one event for each customer or address.
// The names of the changes are those of the fields. before and customerOf are those of
// formFieldsBefore.
func (t *Tx) recordFormFields(storeKey string, fields, before []cohort.FormField, customerOf map[int64]int64) error {
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		return err
	}
	was := map[formOwnerKey]map[string]string{}
	for _, f := range before {
		owner := formOwnerOf(f)
		if was[owner] == nil {
			was[owner] = map[string]string{}
		}
		was[owner][f.Name] = formValueJSON(f.Value)
	}
	var owners []formOwnerKey
	changes := map[formOwnerKey]*eventChanges{}
	for _, f := range fields {
		owner := formOwnerOf(f)
		if changes[owner] == nil {
			owners, changes[owner] = append(owners, owner), &eventChanges{}
		}
		old, existed := was[owner][f.Name]
		if !existed {
			old = noValue
		}
		changes[owner].add(insideQuotes(f.Name), old, formValueJSON(f.Value))
	}
	var events []cohort.Event
	for _, o := range owners {
		if changes[o].isEmpty() {
			continue
		}
		ids := cohort.EventIDs{CustomerID: o.customer, AddressID: o.address}
		if o.address != 0 {
			ids.CustomerID = customerOf[o.address]
		}
		events = append(events, cohort.Event{Kind: cohort.FormFieldValueUpdated, EventIDs: ids, Changes: changes[o].json()})
	}
	return t.record(storeKey, events...)
}

// insideQuotes returns a text as JSON has it between quotes.
func insideQuotes(text string) string {
	quoted := mustMarshal(text)
	return quoted[1 : len(quoted)-1]
}

// formValueJSON returns a value as responses have it: a text, a number or a list.
func formValueJSON(v cohort.FormValue) string {
	switch v.Type {
	case cohort.FormNumbers:
		return v.Text
	case cohort.FormCheckboxes:
		return mustMarshal(append([]string{}, v.List...))
	}
	return mustMarshal(v.Text)
}

// countText returns a number of resources that are deleted with another one, or noValue for
// none.
func countText(n int64) string {
	if n == 0 {
		return noValue
	}
	return strconv.FormatInt(n, 10)
}
