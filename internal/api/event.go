package api

import (
	"encoding/json"
	"time"

	"cohort.example/cohort"
)

// Event is an event in responses, and as the command line prints it. Its fields are those of
// [cohort.Event]; ids that are 0 or empty are left out.
type Event struct {
	Number       int64            `json:"number"`
	Type         cohort.EventKind `json:"type"`
	Date         time.Time        `json:"date"`
	GroupID      int64            `json:"customer_group_id,omitempty"`
	CustomerID   int64            `json:"customer_id,omitempty"`
	AddressID    int64            `json:"address_id,omitempty"`
	AttributeID  int64            `json:"attribute_id,omitempty"`
	ChannelID    int64            `json:"channel_id,omitempty"`
	PriceListID  int64            `json:"price_list_id,omitempty"`
	AssignmentID int64            `json:"assignment_id,omitempty"`
	CategoryID   int64            `json:"category_id,omitempty"`
	BrandID      int64            `json:"brand_id,omitempty"`
	ProductID    int64            `json:"product_id,omitempty"`
	VariantID    int64            `json:"variant_id,omitempty"`
	Currency     string           `json:"currency,omitempty"`
	Actor        string           `json:"actor"`
	ActorName    string           `json:"actor_name,omitempty"`
	Reason       string           `json:"reason,omitempty"`
	RequestID    string           `json:"request_id,omitempty"`
	Changes      json.RawMessage  `json:"changes"`
}

// NewEvent returns an event for a response.
func NewEvent(e cohort.Event) Event {
	return Event{
		Number: e.Number, Type: e.Kind, Date: e.Date, GroupID: e.GroupID, CustomerID: e.CustomerID, AddressID: e.AddressID,
		AttributeID: e.AttributeID, ChannelID: e.ChannelID, PriceListID: e.PriceListID, AssignmentID: e.AssignmentID,
		CategoryID: e.CategoryID, BrandID: e.BrandID, ProductID: e.ProductID, VariantID: e.VariantID, Currency: e.Currency,
		Actor: e.Actor, ActorName: e.ActorName, Reason: e.Reason, RequestID: e.RequestID, Changes: e.Changes,
	}
}
