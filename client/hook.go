package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
)

// Hook is a webhook: a URL that is told of changes. It belongs to the token that created it.
// Package webhook checks and reads what it sends.
type Hook struct {
	ID        int64  `json:"id"`
	ClientID  string `json:"client_id"`
	StoreHash string `json:"store_hash"`
	// CreatedAt and UpdatedAt are in Unix seconds.
	CreatedAt int64 `json:"created_at"`
	UpdatedAt int64 `json:"updated_at"`
	// Scope is what it is told of: "store/customer/created", "store/customerGroup/*".
	Scope       string `json:"scope"`
	Destination string `json:"destination"`
	IsActive    bool   `json:"is_active"`
	// Headers are sent with each message.
	Headers map[string]string `json:"headers"`
}

// HookUpdate has the fields of a webhook to set. A new one needs Scope and Destination.
type HookUpdate struct {
	Scope       Opt[string]            `json:"scope,omitzero"`
	Destination Opt[string]            `json:"destination,omitzero"`
	IsActive    Opt[bool]              `json:"is_active,omitzero"`
	Headers     Opt[map[string]string] `json:"headers,omitzero"`
}

// HookFilter selects webhooks. All fields that are set must match.
type HookFilter struct {
	IsActive    Opt[bool]   `query:"is_active"`
	Scope       Opt[string] `query:"scope"`
	Destination Opt[string] `query:"destination"`
}

// HookService has the operations on webhooks, of V3.
type HookService struct{ service }

const hooksPath = "/v3/hooks"

func hookPath(id int64) string { return fmt.Sprintf("%s/%d", hooksPath, id) }

// List returns a page of the webhooks of the token.
func (s *HookService) List(ctx context.Context, f HookFilter, p Page) ([]Hook, error) {
	return pageOf[Hook](ctx, s.c, hooksPath, f, p)
}

// All yields all webhooks of the token that match.
func (s *HookService) All(ctx context.Context, f HookFilter) iter.Seq2[Hook, error] {
	return allOf(ctx, s.c, hooksPath, f, func(h Hook) int64 { return h.ID })
}

// Get returns a webhook.
func (s *HookService) Get(ctx context.Context, id int64) (Hook, error) {
	return getData[Hook](ctx, s.c, request{method: http.MethodGet, path: hookPath(id)})
}

// Create creates a webhook. It is told of what happens from then on.
func (s *HookService) Create(ctx context.Context, u HookUpdate) (Hook, error) {
	return getData[Hook](ctx, s.c, request{method: http.MethodPost, path: hooksPath, body: u, creates: true})
}

// Update changes a webhook and returns it. IsActive brings back one that was deactivated.
func (s *HookService) Update(ctx context.Context, id int64, u HookUpdate) (Hook, error) {
	return getData[Hook](ctx, s.c, request{method: http.MethodPut, path: hookPath(id), body: u})
}

// Delete deletes a webhook.
func (s *HookService) Delete(ctx context.Context, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: hookPath(id)})
}
