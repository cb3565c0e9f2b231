package cohort

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// EventKind says what happened. The names are stable: clients filter by them.
type EventKind string

// The kinds of events.
const (
	GroupCreated  EventKind = "customerGroup.created"
	GroupUpdated  EventKind = "customerGroup.updated"
	GroupDeleted  EventKind = "customerGroup.deleted"
	MemberAdded   EventKind = "customerGroup.member.added"
	MemberRemoved EventKind = "customerGroup.member.removed"

	CustomerCreated EventKind = "customer.created"
	CustomerUpdated EventKind = "customer.updated"
	CustomerDeleted EventKind = "customer.deleted"

	AddressCreated EventKind = "customer.address.created"
	AddressUpdated EventKind = "customer.address.updated"
	AddressDeleted EventKind = "customer.address.deleted"

	AttributeCreated EventKind = "customerAttribute.created"
	AttributeUpdated EventKind = "customerAttribute.updated"
	AttributeDeleted EventKind = "customerAttribute.deleted"
	// The values of attributes and form fields of a customer.
	AttributeValueUpdated EventKind = "customer.attributeValue.updated"
	AttributeValueDeleted EventKind = "customer.attributeValue.deleted"
	FormFieldValueUpdated EventKind = "customer.formFieldValue.updated"
	ConsentUpdated        EventKind = "customer.consent.updated"

	CategoryCreated EventKind = "category.created"
	CategoryUpdated EventKind = "category.updated"
	CategoryDeleted EventKind = "category.deleted"
	BrandCreated    EventKind = "brand.created"
	BrandUpdated    EventKind = "brand.updated"
	BrandDeleted    EventKind = "brand.deleted"
	ProductCreated  EventKind = "product.created"
	ProductUpdated  EventKind = "product.updated"
	ProductDeleted  EventKind = "product.deleted"
	VariantCreated  EventKind = "variant.created"
	VariantUpdated  EventKind = "variant.updated"
	VariantDeleted  EventKind = "variant.deleted"
	// CatalogImported: an import has replaced the catalog. There are no events of the single
	// resources.
	CatalogImported EventKind = "catalog.imported"

	PriceListCreated   EventKind = "priceList.created"
	PriceListUpdated   EventKind = "priceList.updated"
	PriceListDeleted   EventKind = "priceList.deleted"
	PriceRecordCreated EventKind = "priceList.record.created"
	PriceRecordUpdated EventKind = "priceList.record.updated"
	PriceRecordDeleted EventKind = "priceList.record.deleted"
	AssignmentCreated  EventKind = "priceList.assignment.created"
	AssignmentUpdated  EventKind = "priceList.assignment.updated"
	AssignmentDeleted  EventKind = "priceList.assignment.deleted"

	ChannelCreated EventKind = "channel.created"
	ChannelUpdated EventKind = "channel.updated"
	// SettingsUpdated: the customer settings of a channel, or of the store if there is none.
	SettingsUpdated EventKind = "customerSettings.updated"
	StoreUpdated    EventKind = "store.updated"
	// StoreReplaced: a reset, a restore or a seed has replaced all that the store contains.
	// There are no events of the single changes of a reset or a restore.
	StoreReplaced EventKind = "store.replaced"
)

var eventKinds = []EventKind{
	GroupCreated, GroupUpdated, GroupDeleted, MemberAdded, MemberRemoved,
	CustomerCreated, CustomerUpdated, CustomerDeleted, AddressCreated, AddressUpdated, AddressDeleted,
	AttributeCreated, AttributeUpdated, AttributeDeleted, AttributeValueUpdated, AttributeValueDeleted,
	FormFieldValueUpdated, ConsentUpdated,
	CategoryCreated, CategoryUpdated, CategoryDeleted, BrandCreated, BrandUpdated, BrandDeleted,
	ProductCreated, ProductUpdated, ProductDeleted, VariantCreated, VariantUpdated, VariantDeleted, CatalogImported,
	PriceListCreated, PriceListUpdated, PriceListDeleted, PriceRecordCreated, PriceRecordUpdated, PriceRecordDeleted,
	AssignmentCreated, AssignmentUpdated, AssignmentDeleted,
	ChannelCreated, ChannelUpdated, SettingsUpdated, StoreUpdated, StoreReplaced,
}

// EventKinds returns all kinds.
func EventKinds() []EventKind { return slices.Clone(eventKinds) }

// ParseEventKind returns the kind with a name, or KindInvalid.
func ParseEventKind(name string) (EventKind, error) {
	if k := EventKind(name); slices.Contains(eventKinds, k) {
		return k, nil
	}
	names := make([]string, 0, len(eventKinds))
	for _, k := range eventKinds {
		names = append(names, string(k))
	}
	return "", Invalid("", "The type of an event is one of "+strings.Join(names, ", ")+".")
}

// The actors of changes that no token made.
const (
	ActorCommandLine = "command line"
	ActorControl     = "control API"
	ActorConsole     = "console"
)

// Event is a committed change of a store.
type Event struct {
	// Number grows in the store: an event that a reader sees later has a higher number
	// than every event that it has seen. Numbers may be left out.
	Number int64
	Kind   EventKind
	Date   time.Time // by the clock of the store, with milliseconds
	EventIDs
	// Actor is the id of the token that made the change, ActorCommandLine,
	// ActorControl or ActorConsole.
	Actor string
	// ActorName and Reason are what the request says of itself: for whom the holder of the
	// token made the change, and why; "": it says nothing.
	ActorName, Reason string
	RequestID         string // "": the change was not made by a request
	// Changes is an object of the fields that changed: an array of the value before and
	// the value after, null where there is none. A field whose values are not kept, because
	// they are secret or too long, is null itself.
	Changes json.RawMessage
}

// EventIDs are the resources that an event is about; 0 or "": none of that type.
type EventIDs struct {
	GroupID, CustomerID, AddressID, AttributeID, ChannelID int64
	PriceListID, AssignmentID                              int64
	CategoryID, BrandID, ProductID, VariantID              int64
	Currency                                               string // of a price record
	// Batch says that the change was made by a request for several resources, of which
	// webhooks tell in one message if the vendor does.
	Batch bool
}

// EventFilter selects events.
type EventFilter struct {
	After int64       // only events with a higher number
	Kinds []EventKind // empty: all
}

// EventPage is a part of the events of a store, in the order of their numbers.
type EventPage struct {
	Events []Event
	// Next is the After of the next page. It may be higher than the number of the last
	// event: no event between them passes the filter.
	Next int64
	More bool // there are events after Next already
	// First and Last are the lowest and the highest number that the store has; 0: none.
	First, Last int64
	// Missed reports that events after EventFilter.After may have been deleted, because
	// they were too old or too many.
	Missed bool
}
