package cohort

import "math"

// Page is one page of a list, in ids ascending unless the list says otherwise.
type Page struct {
	Number int // from 1
	Size   int
	// After and Before are keys of rows: the page is what comes directly after a row,
	// or directly before one, and Number is 1. With both it is the first rows between
	// them. A key is an id in digits, or what the list is sorted by with slashes
	// between.
	After, Before string
}

// Rest returns the part of the page that comes after a row of it, which is the
// count-th.
func (p Page) Rest(after string, count int) Page {
	return Page{Number: 1, Size: p.Size - count, After: after, Before: p.Before}
}

// Offset returns how many rows come before the page. A page too far away to
// count to begins where no row can be.
func (p Page) Offset() int64 {
	before := int64(p.Number - 1)
	if before > math.MaxInt64/int64(p.Size) {
		return math.MaxInt64
	}
	return before * int64(p.Size)
}
