package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
)

// maxMetafieldsInCall is how many metafields one request writes.
const maxMetafieldsInCall = 10

// Metafield is a text with a key that a client keeps with a customer. Customer, client,
// namespace and key together are unique.
type Metafield struct {
	ID        int64  `json:"id"`
	Key       string `json:"key"`
	Value     string `json:"value"`
	Namespace string `json:"namespace"`
	// PermissionSet says what other clients may do: "app_only", "read", "write",
	// "read_and_sf_access" or "write_and_sf_access".
	PermissionSet string `json:"permission_set"`
	Description   string `json:"description"`
	ResourceType  string `json:"resource_type"` // "customer"
	// ResourceID is the id of the customer.
	ResourceID    int64  `json:"resource_id"`
	DateCreated   Time   `json:"date_created"`
	DateModified  Time   `json:"date_modified"`
	OwnerClientID string `json:"owner_client_id"`
}

// MetafieldUpdate has the fields of a metafield to set. A new one needs all but Description.
type MetafieldUpdate struct {
	Key           Opt[string] `json:"key,omitzero"`       // 1 to 64 characters
	Value         Opt[string] `json:"value,omitzero"`     // 1 to 65 535 characters
	Namespace     Opt[string] `json:"namespace,omitzero"` // 1 to 64 characters
	PermissionSet Opt[string] `json:"permission_set,omitzero"`
	Description   Opt[string] `json:"description,omitzero"` // to 255 characters
}

// MetafieldCreate is a new metafield of a customer, in a batch.
type MetafieldCreate struct {
	CustomerID int64 `json:"resource_id"`
	MetafieldUpdate
}

// MetafieldChange has the fields of a metafield to set, in a batch.
type MetafieldChange struct {
	ID int64 `json:"id"`
	MetafieldUpdate
}

// MetafieldFilter selects metafields. All fields that are set must match. An empty list does
// not filter.
type MetafieldFilter struct {
	Key        string    `query:"key"`
	Keys       []string  `query:"key:in"`
	Namespace  string    `query:"namespace"`
	Namespaces []string  `query:"namespace:in"`
	Created    TimeRange `query:"date_created"`
	Modified   TimeRange `query:"date_modified"`
	// Fields are the names of the fields to return besides the id; empty is all.
	Fields []string `query:"include_fields"`
}

// MetafieldService has the operations on the metafields of customers, of V3. What a client
// may not see is an [ErrNotFound] for it, and what it may only read is an [ErrForbidden] in a
// change.
//
// Unlike other batches, those of metafields do what can be done: they return what was done
// beside a [*BatchError] with the items that were not.
type MetafieldService struct{ service }

const metafieldsPath = customersV3Path + "/metafields"

func metafieldsOf(customer int64) string {
	return fmt.Sprintf("%s/%d/metafields", customersV3Path, customer)
}

func metafieldPath(customer, id int64) string {
	return fmt.Sprintf("%s/%d", metafieldsOf(customer), id)
}

func metafieldID(m Metafield) int64 { return m.ID }

// List returns a page of the metafields of all customers.
func (s *MetafieldService) List(ctx context.Context, f MetafieldFilter, p Page) ([]Metafield, error) {
	return pageOf[Metafield](ctx, s.c, metafieldsPath, f, p)
}

// ListOf returns a page of the metafields of a customer.
func (s *MetafieldService) ListOf(ctx context.Context, customer int64, f MetafieldFilter, p Page) ([]Metafield, error) {
	return pageOf[Metafield](ctx, s.c, metafieldsOf(customer), f, p)
}

// All yields all metafields of all customers that match. Pages are read by cursor.
func (s *MetafieldService) All(ctx context.Context, f MetafieldFilter) iter.Seq2[Metafield, error] {
	return allOf(ctx, s.c, metafieldsPath, f, metafieldID)
}

// AllOf yields all metafields of a customer that match. Pages are read by cursor.
func (s *MetafieldService) AllOf(ctx context.Context, customer int64, f MetafieldFilter) iter.Seq2[Metafield, error] {
	return allOf(ctx, s.c, metafieldsOf(customer), f, metafieldID)
}

// Get returns a metafield of a customer.
func (s *MetafieldService) Get(ctx context.Context, customer, id int64) (Metafield, error) {
	return getData[Metafield](ctx, s.c, request{method: http.MethodGet, path: metafieldPath(customer, id)})
}

// Create creates a metafield of a customer. The namespace and key of another one of the same
// client are an [ErrConflict].
func (s *MetafieldService) Create(ctx context.Context, customer int64, u MetafieldUpdate) (Metafield, error) {
	return getData[Metafield](ctx, s.c, request{method: http.MethodPost, path: metafieldsOf(customer), body: u, creates: true})
}

// Update changes a metafield of a customer and returns it.
func (s *MetafieldService) Update(ctx context.Context, customer, id int64, u MetafieldUpdate) (Metafield, error) {
	return getData[Metafield](ctx, s.c, request{method: http.MethodPut, path: metafieldPath(customer, id), body: u})
}

// Delete deletes a metafield of a customer.
func (s *MetafieldService) Delete(ctx context.Context, customer, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: metafieldPath(customer, id)})
}

// CreateMany creates 1 to 10 metafields and returns those that it has created. The others are
// in a [*BatchError].
func (s *MetafieldService) CreateMany(ctx context.Context, metafields []MetafieldCreate) ([]Metafield, error) {
	r := request{method: http.MethodPost, path: metafieldsPath, body: metafields, creates: true}
	return writePartly[Metafield](ctx, s.c, r, len(metafields), maxMetafieldsInCall)
}

// CreateAll creates any number of metafields, ten in a request, and yields the outcome of each.
func (s *MetafieldService) CreateAll(ctx context.Context, metafields []MetafieldCreate) iter.Seq[Result[Metafield]] {
	return inPartialBatches(ctx, metafields, maxMetafieldsInCall, s.CreateMany)
}

// UpdateMany changes 1 to 10 metafields and returns those that it has changed. The others are
// in a [*BatchError].
func (s *MetafieldService) UpdateMany(ctx context.Context, metafields []MetafieldChange) ([]Metafield, error) {
	r := request{method: http.MethodPut, path: metafieldsPath, body: metafields}
	return writePartly[Metafield](ctx, s.c, r, len(metafields), maxMetafieldsInCall)
}

// UpdateAll changes any number of metafields, ten in a request, and yields the outcome of each.
func (s *MetafieldService) UpdateAll(ctx context.Context, metafields []MetafieldChange) iter.Seq[Result[Metafield]] {
	return inPartialBatches(ctx, metafields, maxMetafieldsInCall, s.UpdateMany)
}

// DeleteMany deletes the metafields with 1 to 50 ids and returns the ids of those that it has
// deleted. The others, also those that do not exist, are in a [*BatchError].
func (s *MetafieldService) DeleteMany(ctx context.Context, ids ...int64) ([]int64, error) {
	r := request{method: http.MethodDelete, path: metafieldsPath, query: url.Values{"id:in": {joinIDs(ids)}}, once: true}
	return writePartly[int64](ctx, s.c, r, len(ids), maxIDsInCall)
}

// writePartly sends a batch of which each item succeeds or fails by itself. It returns what
// was done, also beside a [*BatchError].
func writePartly[T any](ctx context.Context, c *Client, r request, size, most int) ([]T, error) {
	items, err := writeBatch[T](ctx, c, r, size, most)
	batch, ok := errors.AsType[*BatchError](err)
	if !ok || batch.cause.done == nil {
		return items, err
	}
	if wrong := json.Unmarshal(batch.cause.done, &items); wrong != nil {
		return nil, fmt.Errorf("client: %s %s: %w: %w; %w", r.method, r.path, ErrResponse, wrong, err)
	}
	return items, err
}

// inPartialBatches is inBatches for requests that do what can be done.
func inPartialBatches[In, Out any](ctx context.Context, items []In, size int, write func(context.Context, []In) ([]Out, error)) iter.Seq[Result[Out]] {
	return inParts(items, size, func(part []In) ([]Result[Out], error) {
		done, err := write(ctx, part)
		return partialResults(len(part), done, err)
	})
}

// partialResults returns the outcomes of the items of a request that does what can be done,
// and an error if the batch ends with it.
func partialResults[Out any](size int, done []Out, err error) ([]Result[Out], error) {
	results := make([]Result[Out], size)
	left := make([]int, size)
	for i := range left {
		left[i] = i
	}
	batch, ok := errors.AsType[*BatchError](err)
	if err != nil && !ok || errors.Is(err, ErrResponse) {
		markFailed(left, results, err)
		return results, err
	}
	if ok {
		left = withoutItems(left, batch, results)
	}
	if len(left) != len(done) {
		err = fmt.Errorf("client: %w: %d items have no error, and %d came back", ErrResponse, len(left), len(done))
		markFailed(left, results, err)
		return results, err
	}
	for i, position := range left {
		results[position].Value = done[i]
	}
	return results, nil
}
