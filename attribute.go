package cohort

import (
	"strings"
	"time"
)

// Limits of the attributes of customers. Source: the vendor's reference.
const (
	MaxAttributes      = 50 // of a store
	MaxAttributesPut   = 10 // in one call
	MaxAttributeName   = 255
	MaxAttributeValue  = 255
	MaxAttributeValues = 10 // in one call, and of a new customer
)

// AttributeType is what the values of an attribute hold. They are texts all the same.
type AttributeType string

// The types of attributes.
const (
	AttributeString AttributeType = "string"
	AttributeNumber AttributeType = "number"
	AttributeDate   AttributeType = "date"
)

// Valid reports whether t is one of the types.
func (t AttributeType) Valid() bool {
	return t == AttributeString || t == AttributeNumber || t == AttributeDate
}

// Attribute is a field that a store adds to its customers. Attributes may have the same
// name.
type Attribute struct {
	// ID counts from 1 within the store and is never reused.
	ID           int64
	Name         string
	Type         AttributeType // never changes
	DateCreated  time.Time
	DateModified time.Time
}

// Normalized returns the attribute in its stored form, with the name trimmed.
func (a Attribute) Normalized() Attribute {
	a.Name = strings.TrimSpace(a.Name)
	return a
}

// Validate checks a normalized attribute. It returns a KindInvalid error that names the
// invalid field.
func (a Attribute) Validate() error {
	if err := checkText("name", a.Name, 1, MaxAttributeName); err != nil {
		return err
	}
	if !a.Type.Valid() {
		return Invalid("type", "The type must be string, number or date.")
	}
	return nil
}

// CheckValue checks that a text can be the value of an attribute of the type. It returns
// a KindInvalid error that names the field. The empty text is valid for every type: it
// stands for no value.
func (t AttributeType) CheckValue(field, value string) error {
	if err := checkText(field, value, 0, MaxAttributeValue); err != nil {
		return err
	}
	switch {
	case value == "":
	case t == AttributeNumber && !isPlainNumber(value):
		return Invalid(field, "The attribute is a number, so the value must be one, such as 12.5.")
	case t == AttributeDate && !isDate(value):
		return Invalid(field, "The attribute is a date, so the value must be one of ISO 8601, such as 2024-05-14 or 2024-05-14T09:34:00Z.")
	}
	return nil
}

// dateLayouts are the forms of ISO 8601 that the value of a date attribute may have.
// Fractions of a second are accepted after the seconds.
var dateLayouts = []string{time.DateOnly, "2006-01-02T15:04:05", time.RFC3339, "2006-01-02T15:04:05-0700", time.DateTime}

func isDate(text string) bool {
	for _, layout := range dateLayouts {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

// AttributeFilter selects attributes; the zero value selects all of them.
type AttributeFilter struct {
	Name         *string
	NameLike     string
	Types        []AttributeType // nil: all
	DateCreated  TimeRange
	DateModified TimeRange
}

// AttributeUpdate changes an attribute. Nil fields are unchanged.
type AttributeUpdate struct {
	ID   int64
	Name *string
	Type *AttributeType // must be the attribute's
}

// Apply returns a with the update applied, normalized.
func (u AttributeUpdate) Apply(a Attribute) Attribute {
	set(&a.Name, u.Name)
	set(&a.Type, u.Type)
	return a.Normalized()
}

// AttributeValue is the value of an attribute of one customer.
type AttributeValue struct {
	// ID counts from 1 within the store and is never reused.
	ID           int64
	CustomerID   int64
	AttributeID  int64 // a customer has one value of an attribute
	Value        string
	DateCreated  time.Time
	DateModified time.Time
}

// AttributeValueFilter selects values of attributes; the zero value selects all of them.
type AttributeValueFilter struct {
	IDs, CustomerIDs, AttributeIDs []int64  // nil: all
	Values                         []string // nil: all
	AttributeName                  *string
	DateCreated, DateModified      TimeRange
}
