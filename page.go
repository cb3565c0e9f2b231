package cohort

import "math"

// Page selects one page of a list, which is sorted by id unless its method says otherwise.
type Page struct {
	Number int // from 1
	Size   int
	// After and Before are cursors: the page has the rows directly after one row, or
	// directly before one, and Number is 1. With both it has the first rows between
	// them. A cursor is an id in digits, or the sort key with slashes between its
	// columns.
	After, Before string
}

// Rest returns the rest of the page after its first count rows; after is the cursor of
// the last of these.
func (p Page) Rest(after string, count int) Page {
	return Page{Number: 1, Size: p.Size - count, After: after, Before: p.Before}
}

// Offset returns the number of rows before the page. If it would overflow, it returns
// math.MaxInt64.
func (p Page) Offset() int64 {
	before := int64(p.Number - 1)
	if before > math.MaxInt64/int64(p.Size) {
		return math.MaxInt64
	}
	return before * int64(p.Size)
}
