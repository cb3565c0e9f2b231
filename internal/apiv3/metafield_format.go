package apiv3

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// metafieldFields has the fields of a metafield in a body. Read-only fields are ignored,
// so that a client can send back what it has read.
var metafieldFields = api.Fields[cohort.MetafieldUpdate]{
	"namespace":       optional(func(u *cohort.MetafieldUpdate) **string { return &u.Namespace }, readShapeText[string]),
	"key":             optional(func(u *cohort.MetafieldUpdate) **string { return &u.Key }, readShapeText[string]),
	"value":           optional(func(u *cohort.MetafieldUpdate) **string { return &u.Value }, readShapeText[string]),
	"description":     optional(func(u *cohort.MetafieldUpdate) **string { return &u.Description }, readShapeText[string]),
	"permission_set":  optional(func(u *cohort.MetafieldUpdate) **cohort.PermissionSet { return &u.PermissionSet }, readShapeText[cohort.PermissionSet]),
	"id":              nil,
	"resource_type":   nil,
	"resource_id":     nil,
	"owner_client_id": nil,
	"date_created":    nil,
	"date_modified":   nil,
}

// newMetafieldsFields has the fields of a new metafield in a batch.
var newMetafieldsFields = withField("resource_id", api.Plain(func(u *cohort.MetafieldUpdate) *int64 { return &u.CustomerID }, readShapeInt))

// changedMetafieldsFields has the fields of a change in a batch.
var changedMetafieldsFields = withField("id", api.Plain(func(u *cohort.MetafieldUpdate) *int64 { return &u.ID }, readShapeInt))

func withField(name string, read func(*cohort.MetafieldUpdate, api.Value) error) api.Fields[cohort.MetafieldUpdate] {
	fields := api.Fields[cohort.MetafieldUpdate]{name: read}
	for other, read := range metafieldFields {
		if other != name {
			fields[other] = read
		}
	}
	return fields
}

// metafieldQuery is the filter of a list of metafields, and the fields that the response
// shows; nil means all.
type metafieldQuery struct {
	filter cohort.MetafieldFilter
	fields []string
}

var metafieldFilters = func() filters[metafieldQuery] {
	keys := func(q *metafieldQuery) *[]string { return &q.filter.Keys }
	namespaces := func(q *metafieldQuery) *[]string { return &q.filter.Namespaces }
	table := filters[metafieldQuery]{
		"key":            oneWordFilter(keys),
		"key:in":         wordFilter(keys),
		"namespace":      oneWordFilter(namespaces),
		"namespace:in":   wordFilter(namespaces),
		"include_fields": readMetafieldFields,
		"direction": func(_ *metafieldQuery, value string) error {
			if value != "asc" {
				return cohort.Invalid("", "The value must be asc; Cohort has no other direction.")
			}
			return nil
		},
	}
	dateFilters(table, "date_created", func(q *metafieldQuery) *cohort.TimeRange { return &q.filter.DateCreated })
	dateFilters(table, "date_modified", func(q *metafieldQuery) *cohort.TimeRange { return &q.filter.DateModified })
	delete(table, "date_created")
	delete(table, "date_modified")
	return table
}()

// metafieldFieldNames are the fields that a client can choose. The id is always there.
var metafieldFieldNames = []string{
	"key", "value", "namespace", "permission_set", "description", "resource_type", "resource_id", "date_created", "date_modified", "owner_client_id",
}

func readMetafieldFields(q *metafieldQuery, value string) error {
	q.fields = strings.SplitN(value, ",", len(metafieldFieldNames)+1)
	for i, field := range q.fields {
		q.fields[i] = strings.TrimSpace(field)
		if !slices.Contains(metafieldFieldNames, q.fields[i]) {
			return cohort.Invalid("", "The value must be names of fields with commas between them.")
		}
	}
	return nil
}

var metafieldDeletionFilters = filters[[]int64]{"id:in": func(into *[]int64, value string) error {
	parts := strings.SplitN(value, ",", cohort.MaxMetafieldsDeleted+1)
	if len(parts) > cohort.MaxMetafieldsDeleted {
		return cohort.Invalid("", fmt.Sprintf("The list has more than %d values.", cohort.MaxMetafieldsDeleted))
	}
	ids := make([]int64, len(parts))
	for i, part := range parts {
		id, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64)
		if err != nil || id < 0 {
			return cohort.Invalid("", "The value must be an id, or several with commas between them.")
		}
		ids[i] = id
	}
	*into = ids
	return nil
}}

// metafieldWire is a metafield in responses, in the vendor's order.
type metafieldWire struct {
	ID            int64                `json:"id"`
	Key           string               `json:"key"`
	Value         string               `json:"value"`
	Namespace     string               `json:"namespace"`
	PermissionSet cohort.PermissionSet `json:"permission_set"`
	Description   string               `json:"description"`
	ResourceType  string               `json:"resource_type"`
	ResourceID    int64                `json:"resource_id"`
	DateCreated   string               `json:"date_created"`
	DateModified  string               `json:"date_modified"`
	OwnerClientID string               `json:"owner_client_id"`
}

func metafieldToWire(m cohort.Metafield) metafieldWire {
	const layout = "2006-01-02T15:04:05-07:00" // unlike other dates of V3, with +00:00 for UTC
	return metafieldWire{
		m.ID, m.Key, m.Value, m.Namespace, m.PermissionSet, m.Description, "customer", m.CustomerID,
		m.DateCreated.UTC().Format(layout), m.DateModified.UTC().Format(layout), m.Owner,
	}
}

// toWire returns a metafield with the fields that the query asks for.
func (q metafieldQuery) toWire(m cohort.Metafield) chosenMetafieldWire {
	return chosenMetafieldWire{metafieldToWire(m), q.fields}
}

// chosenMetafieldWire is a metafield with some of its fields.
type chosenMetafieldWire struct {
	metafieldWire
	fields []string // nil: all
}

// MarshalJSON implements json.Marshaler.
func (c chosenMetafieldWire) MarshalJSON() ([]byte, error) {
	if c.fields == nil {
		return api.AppendJSON(nil, c.metafieldWire)
	}
	b := strconv.AppendInt([]byte(`{"id":`), c.ID, 10)
	for i, value := range []any{
		c.Key, c.Value, c.Namespace, c.PermissionSet, c.Description, c.ResourceType, c.ResourceID, c.DateCreated, c.DateModified, c.OwnerClientID,
	} {
		if !slices.Contains(c.fields, metafieldFieldNames[i]) {
			continue
		}
		var err error
		if b, err = api.AppendJSON(append(b, `,"`+metafieldFieldNames[i]+`":`...), value); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// plainErrorWire is an error without "errors". A malformed body has a detail.
type plainErrorWire struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Type   string `json:"type"`
	Detail string `json:"detail,omitempty"`
}

// metafielded gives the errors of a handler the formats of metafields: 404 without
// "errors", and 400 with a detail. Source: the vendor's reference.
func metafielded(handle api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *api.Request) error {
		err := handle(w, r)
		if err == nil {
			return nil
		}
		body := plainErrorWire{Type: api.StatusType}
		switch e, isHTTP := errors.AsType[*api.HTTPError](err); {
		case isHTTP && e.Status == http.StatusBadRequest:
			body.Status, body.Title, body.Detail = e.Status, "Input is invalid", e.Message
		case cohort.KindOf(err) == cohort.KindNotFound:
			body.Status, body.Title = http.StatusNotFound, "The resource at that URL is not found."
		case cohort.KindOf(err) == cohort.KindForbidden:
			body.Status, body.Title = http.StatusForbidden, "The metafield can only be changed by its owner."
		default:
			return err
		}
		return &customError{status: body.Status, body: body, err: err}
	}
}

// partialWire is the response to a batch of which each item succeeds or fails by itself.
type partialWire[W any] struct {
	Data   []W            `json:"data"`
	Errors []errorWire    `json:"errors"`
	Meta   batchCountWire `json:"meta"`
}

// writePartial sends what a batch has done. The status is 422 if an item has failed.
func writePartial[T, W any](w http.ResponseWriter, done []T, wrong cohort.ItemErrors, toWire func(T) W) error {
	body := partialWire[W]{
		Data: make([]W, len(done)), Errors: []errorWire{},
		Meta: batchCountWire{len(done) + len(wrong), len(done), len(wrong)},
	}
	for i, item := range done {
		body.Data[i] = toWire(item)
	}
	if len(wrong) == 0 {
		return api.WriteJSON(w, http.StatusOK, body)
	}
	texts := map[string]string{}
	for i, err := range wrong {
		switch cohort.KindOf(err) {
		case cohort.KindNotFound:
			texts[strconv.Itoa(i)] = "Metafield does not exist"
		case cohort.KindForbidden:
			texts[strconv.Itoa(i)] = "Unauthorized to change or delete"
		default:
			for path, reason := range fieldErrors(err) {
				texts[join(strconv.Itoa(i), path)] = reason
			}
		}
	}
	body.Errors = append(body.Errors, errorWire{
		Status: http.StatusUnprocessableEntity, Title: "Bulk operation has failed", Type: api.StatusType, Errors: texts,
	})
	return api.WriteJSON(w, http.StatusUnprocessableEntity, body)
}
