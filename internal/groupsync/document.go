package groupsync

import (
	"fmt"

	"cohort.example/cohort/client"
)

// MaxItems is how many items a document may have, with its records and assignments.
const MaxItems = 1_000_000

// ErrTooLarge is a store with more than MaxItems items.
var ErrTooLarge = fmt.Errorf("the store has more than %d items", MaxItems)

// Document is what belongs to the groups of a store. The ids are those of the store, or of
// the file, and what one item refers to is the id of another one. An id that no item has is
// that of something the document does not describe.
type Document struct {
	Channels   []Channel
	Trees      []Tree
	Categories []Category
	Products   []Product
	// Lists and Groups are nil if the document says nothing about them, which differs from
	// none.
	Lists     []List
	Groups    []Group
	Customers []Customer
}

// Channel is a channel that an assignment names.
type Channel struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Platform string `json:"platform"`
}

// Tree is a tree of categories besides the first one.
type Tree struct {
	ID       int64   `json:"id"`
	Name     string  `json:"name"`
	Channels []int64 `json:"channels"`
}

// Category is a category that a group or a product names, or a parent of one.
type Category struct {
	ID       int64  `json:"category_id"`
	ParentID int64  `json:"parent_id"`
	TreeID   int64  `json:"tree_id"`
	Name     string `json:"name"`
}

// Product is a product that a rule or a record names.
type Product struct {
	ID         int64         `json:"id"`
	Name       string        `json:"name"`
	Type       string        `json:"type"`
	SKU        string        `json:"sku"`
	Weight     client.Amount `json:"weight"`
	Price      client.Amount `json:"price"`
	Categories []int64       `json:"categories"`
	// BaseID is the id of the base variant, or 0.
	BaseID   int64     `json:"base_variant_id"`
	Variants []Variant `json:"variants"`
}

// Variant is a variant of a product besides the base variant.
type Variant struct {
	ID     int64                     `json:"id"`
	SKU    string                    `json:"sku"`
	Price  client.Opt[client.Amount] `json:"price,omitzero"`
	Values []OptionValue             `json:"option_values"`
}

// OptionValue is what a variant has for an option.
type OptionValue struct {
	Option string `json:"option_display_name"`
	Label  string `json:"label"`
}

// List is a price list.
type List struct {
	ID     int64
	Name   string
	Active bool
	// Records and Assignments are nil if the document says nothing about them.
	Records     []Record
	Assignments []Assignment
}

// Record is a record of a price list.
type Record struct {
	VariantID int64                     `json:"v"`
	ProductID int64                     `json:"p,omitempty"` // 0: unknown
	SKU       string                    `json:"s,omitempty"`
	Currency  string                    `json:"c"`
	Price     client.Opt[client.Amount] `json:"price,omitzero"`
	Sale      client.Opt[client.Amount] `json:"sale,omitzero"`
	Retail    client.Opt[client.Amount] `json:"retail,omitzero"`
	MAP       client.Opt[client.Amount] `json:"map,omitzero"`
	Tiers     []client.BulkTier         `json:"tiers,omitempty"`
}

// Assignment is an assignment of a price list to a group, a channel, or both. 0 is none.
type Assignment struct {
	ID      int64 `json:"id"` // 0 in a file
	ListID  int64 `json:"price_list_id"`
	Group   int64 `json:"customer_group_id"`
	Channel int64 `json:"channel_id"`
}

// Group is a customer group. Its rules do not have price lists that assignments say too.
type Group struct {
	ID      int64                 `json:"id"`
	Name    string                `json:"name"`
	Access  client.CategoryAccess `json:"category_access"`
	Rules   []client.DiscountRule `json:"discount_rules"`
	Guests  bool                  `json:"is_group_for_guests"`
	Default bool                  `json:"is_default"`
}

// Customer is a customer, with what a list of customers shows.
type Customer struct {
	ID                int64  `json:"id"`
	Email             string `json:"email"`
	FirstName         string `json:"first_name"`
	LastName          string `json:"last_name"`
	Company           string `json:"company"`
	Phone             string `json:"phone"`
	Notes             string `json:"notes"`
	TaxExemptCategory string `json:"tax_exempt_category"`
	Group             int64  `json:"customer_group_id"` // 0: none
}

// firstTree is the tree that every store has.
const firstTree = 1
