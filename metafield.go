package cohort

import (
	"slices"
	"time"
)

// Metafield is a text with a key that a client keeps with a customer.
type Metafield struct {
	ID         int64
	CustomerID int64
	// Owner is the id of the token that created the metafield. Together with the customer,
	// the namespace and the key it is unique.
	Owner         string
	Namespace     string
	Key           string
	Value         string
	Description   string
	PermissionSet PermissionSet
	DateCreated   time.Time
	DateModified  time.Time
}

// PermissionSet says what tokens other than its owner may do with a metafield.
type PermissionSet string

// The permission sets. The storefront, which the last two admit, is not part of Cohort.
const (
	AppOnly            PermissionSet = "app_only" // not even see it
	Readable           PermissionSet = "read"
	Writable           PermissionSet = "write"
	StorefrontReadable PermissionSet = "read_and_sf_access"
	StorefrontWritable PermissionSet = "write_and_sf_access"
)

// PermissionSets returns all permission sets.
func PermissionSets() []PermissionSet {
	return []PermissionSet{AppOnly, Readable, Writable, StorefrontReadable, StorefrontWritable}
}

// Bounds of metafields. Source: the vendor's reference, except for MaxMetafields and
// MaxMetafieldsDeleted, for which it gives none.
const (
	MaxMetafields           = 250 // of a customer, of all tokens
	MaxMetafieldsWritten    = 10  // in one call
	MaxMetafieldsDeleted    = 250 // in one call
	MaxMetafieldName        = 64  // code points, of a namespace and of a key
	MaxMetafieldValue       = 65_535
	MaxMetafieldDescription = 255
)

// Allows reports whether a token may see the metafield, and whether it may write it.
func (m Metafield) Allows(client string) (see, write bool) {
	if m.Owner == client {
		return true, true
	}
	return m.PermissionSet != AppOnly, m.PermissionSet == Writable || m.PermissionSet == StorefrontWritable
}

// Validate returns a KindInvalid error that names the first invalid field.
func (m Metafield) Validate() error {
	for _, check := range []error{
		checkText("namespace", m.Namespace, 1, MaxMetafieldName),
		checkText("key", m.Key, 1, MaxMetafieldName),
		checkText("value", m.Value, 1, MaxMetafieldValue),
		checkText("description", m.Description, 0, MaxMetafieldDescription),
	} {
		if check != nil {
			return check
		}
	}
	if !slices.Contains(PermissionSets(), m.PermissionSet) {
		return Invalid("permission_set", "The value must be app_only, read, write, read_and_sf_access or write_and_sf_access.")
	}
	return nil
}

// MetafieldUpdate creates a metafield or changes one; nil fields are unchanged.
type MetafieldUpdate struct {
	ID                                 int64 // of the metafield to change
	CustomerID                         int64 // of a new metafield; in a change, 0 or the customer that it must belong to
	Namespace, Key, Value, Description *string
	PermissionSet                      *PermissionSet
}

// Apply returns m with the update applied.
func (u MetafieldUpdate) Apply(m Metafield) Metafield {
	set(&m.Namespace, u.Namespace)
	set(&m.Key, u.Key)
	set(&m.Value, u.Value)
	set(&m.Description, u.Description)
	set(&m.PermissionSet, u.PermissionSet)
	return m
}

// MetafieldFilter selects metafields; the zero value selects all.
type MetafieldFilter struct {
	CustomerID                int64    // 0: of all customers
	Keys, Namespaces          []string // nil: all
	DateCreated, DateModified TimeRange
}
