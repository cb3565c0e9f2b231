package db

import (
	"encoding/json"
	"fmt"

	"cohort.example/cohort"
)

// otherIDs are the ids of an event that have no column of their own, in the column ids.
type otherIDs struct {
	AddressID    int64  `json:"address_id,omitempty"`
	AttributeID  int64  `json:"attribute_id,omitempty"`
	ChannelID    int64  `json:"channel_id,omitempty"`
	AssignmentID int64  `json:"assignment_id,omitempty"`
	CategoryID   int64  `json:"category_id,omitempty"`
	BrandID      int64  `json:"brand_id,omitempty"`
	VariantID    int64  `json:"variant_id,omitempty"`
	Currency     string `json:"currency,omitempty"`
	Batch        bool   `json:"batch,omitempty"`
}

func encodeEventIDs(e cohort.EventIDs) string {
	other := otherIDs{e.AddressID, e.AttributeID, e.ChannelID, e.AssignmentID, e.CategoryID, e.BrandID, e.VariantID, e.Currency, e.Batch}
	if other == (otherIDs{}) {
		return "{}"
	}
	return mustMarshal(other)
}

func decodeEventIDs(text string, e *cohort.EventIDs) error {
	if text == "{}" {
		return nil
	}
	var o otherIDs
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("the ids of an event: %w", err)
	}
	e.AddressID, e.AttributeID, e.ChannelID, e.AssignmentID = o.AddressID, o.AttributeID, o.ChannelID, o.AssignmentID
	e.CategoryID, e.BrandID, e.VariantID, e.Currency, e.Batch = o.CategoryID, o.BrandID, o.VariantID, o.Currency, o.Batch
	return nil
}
