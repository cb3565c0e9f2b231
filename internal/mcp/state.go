package mcp

import (
	"context"
	"encoding/json"

	"cohort.example/cohort"
)

func stateTools() []tool {
	// A store is replaced with all that it contains.
	everything := []string{"deleteGroup", "deleteProducts", "updateChannel"}
	return []tool{
		define(tool{
			name: "reset_store", title: "Reset the store", operations: everything, writes: true, destructive: true, idempotent: true,
			description: "Tests only: brings the store back to its seed, or empties it. Call it without confirm first: that changes nothing, and answers what would be lost, and the value for confirm.",
		}, (*caller).resetStore),
		define(tool{
			name: "seed_store", title: "Replace the content of the store", operations: everything, writes: true, destructive: true, idempotent: true,
			description: "Tests only: replaces all that the store contains. search_docs \"seed\" shows the sections. Call it without confirm first, as reset_store.",
		}, (*caller).seedStore),
		define(tool{
			name: "advance_clock", title: "Advance the clock of the store", operations: []string{"updateGroup"}, writes: true,
			description: "Tests only: moves the clock of the store, which dates, retries and limits follow.",
		}, (*caller).advanceClock),
	}
}

// storeContent is what a reset or a seed would replace. Done says that it has.
type storeContent struct {
	Done      bool   `json:"done"`
	Groups    int64  `json:"groups"`
	Customers int64  `json:"customers"`
	Products  int64  `json:"products"`
	Confirm   string `json:"confirm,omitempty"`
}

// content counts what the store contains.
func (c *caller) content(ctx context.Context) (s storeContent, err error) {
	if s.Groups, err = c.Service.CountGroups(ctx, c.store.Key, cohort.GroupFilter{}); err != nil {
		return s, err
	}
	if s.Customers, err = c.Service.CountCustomers(ctx, c.store.Key, cohort.CustomerFilter{}); err != nil {
		return s, err
	}
	var first collected[cohort.Product]
	s.Products, err = c.Service.ReadProducts(ctx, c.store.Key, cohort.ProductFilter{}, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: 1}, &first)
	return s, err
}

// replace calls the control API if the client has confirmed, and answers what the store
// contains.
func (c *caller) replace(ctx context.Context, confirm string, call controlCall) (any, error) {
	before, err := c.content(ctx)
	if err != nil {
		return nil, err
	}
	right := hashOf(call.tool, c.store.Key, before, string(call.body))
	if before.Confirm, err = checkConfirm(confirm, right); err != nil || before.Confirm != "" {
		return before, err
	}
	if _, err := c.control(ctx, call, nil); err != nil {
		return nil, err
	}
	after, err := c.content(ctx)
	after.Done = true
	return after, err
}

type resetStoreInput struct {
	ToEmpty bool   `json:"to_empty,omitempty" jsonschema:"instead of to its seed"`
	Confirm string `json:"confirm,omitempty"`
}

func (c *caller) resetStore(ctx context.Context, in resetStoreInput) (any, error) {
	call := controlCall{tool: "reset_store", method: "POST", path: "/reset"}
	if in.ToEmpty {
		call.body = []byte(`{"to":"empty"}`)
	}
	return c.replace(ctx, in.Confirm, call)
}

type seedStoreInput struct {
	Seed    map[string]any `json:"seed" jsonschema:"sections such as customer_groups, customers, categories, products: lists of items with the fields of the API"`
	Confirm string         `json:"confirm,omitempty"`
}

func (c *caller) seedStore(ctx context.Context, in seedStoreInput) (any, error) {
	body, err := json.Marshal(in.Seed)
	if err != nil {
		return nil, err
	}
	return c.replace(ctx, in.Confirm, controlCall{tool: "seed_store", method: "PUT", path: "/seed", body: body})
}

type advanceClockInput struct {
	By string `json:"by" jsonschema:"such as 48h or 90m"`
}

func (c *caller) advanceClock(ctx context.Context, in advanceClockInput) (any, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	var clock struct {
		Now    string `json:"now"`
		Frozen bool   `json:"frozen"`
		Offset string `json:"offset"`
	}
	_, err = c.control(ctx, controlCall{tool: "advance_clock", method: "POST", path: "/clock/advance", body: body}, &clock)
	return clock, err
}
