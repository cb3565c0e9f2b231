package client

import (
	"context"
	"iter"
	"net/http"
)

// maxAttributesInCall is how many attributes, or values, one request writes.
const maxAttributesInCall = 10

// Attribute is a field that a store adds to its customers.
type Attribute struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	// Type is "string", "number" or "date".
	Type         string `json:"type"`
	DateCreated  Time   `json:"date_created"`
	DateModified Time   `json:"date_modified"`
}

// AttributeCreate is a new attribute.
type AttributeCreate struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// AttributeUpdate is another name for an attribute.
type AttributeUpdate struct {
	ID   int64       `json:"id"`
	Name Opt[string] `json:"name,omitzero"`
}

// AttributeFilter selects attributes. All fields that are set must match.
type AttributeFilter struct {
	Name     Opt[string] `query:"name"`
	NameLike string      `query:"name:like"`
	Type     string      `query:"type"`
	Created  TimeRange   `query:"date_created"`
	Modified TimeRange   `query:"date_modified"`
}

// AttributeService has the operations on the attributes of customers, of V3.
type AttributeService struct{ service }

const attributesPath = customersV3Path + "/attributes"

// List returns a page of attributes.
func (s *AttributeService) List(ctx context.Context, f AttributeFilter, p Page) ([]Attribute, error) {
	return pageOf[Attribute](ctx, s.c, attributesPath, f, p)
}

// All yields all attributes that match.
func (s *AttributeService) All(ctx context.Context, f AttributeFilter) iter.Seq2[Attribute, error] {
	return allOf(ctx, s.c, attributesPath, f, func(a Attribute) int64 { return a.ID })
}

// Create creates 1 to 10 attributes: all of them, or none. A store has at most 50.
func (s *AttributeService) Create(ctx context.Context, attributes []AttributeCreate) ([]Attribute, error) {
	r := request{method: http.MethodPost, path: attributesPath, body: attributes, gate: gateCreateAttributes, creates: true}
	return writeBatch[Attribute](ctx, s.c, r, len(attributes), maxAttributesInCall)
}

// Update renames 1 to 10 attributes: all of them, or none.
func (s *AttributeService) Update(ctx context.Context, attributes []AttributeUpdate) ([]Attribute, error) {
	r := request{method: http.MethodPut, path: attributesPath, body: attributes, gate: gateUpdateAttributes}
	return writeBatch[Attribute](ctx, s.c, r, len(attributes), maxAttributesInCall)
}

// Delete deletes attributes with all of their values, 50 in a request.
func (s *AttributeService) Delete(ctx context.Context, ids ...int64) error {
	return deleteIDs(ctx, s.c, attributesPath, ids)
}

// AttributeValue is what a customer has for an attribute.
type AttributeValue struct {
	ID          int64 `json:"id"`
	CustomerID  int64 `json:"customer_id"`
	AttributeID int64 `json:"attribute_id"`
	// Value is a text, whatever the type of the attribute.
	Value        string `json:"attribute_value"`
	DateCreated  Time   `json:"date_created"`
	DateModified Time   `json:"date_modified"`
}

// AttributeValuePut is a value to set.
type AttributeValuePut struct {
	CustomerID  int64  `json:"customer_id"`
	AttributeID int64  `json:"attribute_id"`
	Value       string `json:"value"`
}

// AttributeValueFilter selects values. All fields that are set must match. An empty list
// does not filter.
type AttributeValueFilter struct {
	CustomerIDs  []int64   `query:"customer_id:in"`
	AttributeIDs []int64   `query:"attribute_id:in"`
	Name         string    `query:"name"` // of the attribute
	Created      TimeRange `query:"date_created"`
	Modified     TimeRange `query:"date_modified"`
}

// AttributeValueService has the operations on the values of attributes, of V3.
type AttributeValueService struct{ service }

const attributeValuesPath = customersV3Path + "/attribute-values"

// List returns a page of values.
func (s *AttributeValueService) List(ctx context.Context, f AttributeValueFilter, p Page) ([]AttributeValue, error) {
	return pageOf[AttributeValue](ctx, s.c, attributeValuesPath, f, p)
}

// All yields all values that match. Pages are read by number.
func (s *AttributeValueService) All(ctx context.Context, f AttributeValueFilter) iter.Seq2[AttributeValue, error] {
	return allOf(ctx, s.c, attributeValuesPath, f, func(v AttributeValue) int64 { return v.ID })
}

// Put sets 1 to 10 values: all of them, or none with a [*BatchError].
func (s *AttributeValueService) Put(ctx context.Context, values []AttributeValuePut) ([]AttributeValue, error) {
	r := request{method: http.MethodPut, path: attributeValuesPath, body: values, gate: gatePutAttributeValues}
	return writeBatch[AttributeValue](ctx, s.c, r, len(values), maxAttributesInCall)
}

// PutAll sets any number of values, ten in a request, and yields the outcome of each.
func (s *AttributeValueService) PutAll(ctx context.Context, values []AttributeValuePut) iter.Seq[Result[AttributeValue]] {
	return inBatches(ctx, values, maxAttributesInCall, s.Put)
}

// Delete deletes values, 50 in a request.
func (s *AttributeValueService) Delete(ctx context.Context, ids ...int64) error {
	return deleteIDs(ctx, s.c, attributeValuesPath, ids)
}
