package cohort

import (
	"strconv"
	"strings"
)

// CustomerDetail is a customer with parts that are stored beside it. Only the parts that
// the caller has requested are set.
type CustomerDetail struct {
	Customer
	AddressCount     int64            // all addresses of the customer
	Addresses        []AddressDetail  // the first of them by id
	AttributeCount   int64            // all values of attributes of the customer
	AttributeValues  []AttributeValue // the first of them by id
	FormFields       []FormField
	ShopperProfileID string // "": none
	SegmentIDs       []string
}

// CustomerOrder is the order of a list of customers. The zero value is by id, ascending.
// Customers with the same value are ordered by id. A descending order is the reverse of
// the ascending one.
type CustomerOrder struct {
	By         CustomerSort
	Descending bool
}

// CustomerSort is the value that customers are sorted by.
type CustomerSort int

// The values to sort by.
const (
	SortByID CustomerSort = iota
	SortByDateCreated
	SortByDateModified
	SortByLastName // by the bytes of FoldASCII
)

// Key returns the cursor of a customer in this order; see [Page].
func (o CustomerOrder) Key(c Customer) string {
	id := strconv.FormatInt(c.ID, 10)
	switch o.By {
	case SortByDateCreated:
		return strconv.FormatInt(c.DateCreated.UnixMilli(), 10) + "/" + id
	case SortByDateModified:
		return strconv.FormatInt(c.DateModified.UnixMilli(), 10) + "/" + id
	case SortByLastName:
		return FoldASCII(c.LastName) + "/" + id
	}
	return id
}

// FoldASCII returns a text with the letters A to Z in lower case and all others as they
// are. Databases agree on this form of a text, unlike on its lower case in Unicode.
func FoldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
