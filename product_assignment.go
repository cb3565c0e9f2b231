package cohort

import "strconv"

// MaxProductAssignments is the maximum number of products that one request assigns to
// channels or categories. The vendor's reference has no bound.
const MaxProductAssignments = 1000

// ProductAssignment says that a product is in a channel or a category.
type ProductAssignment struct {
	ProductID int64
	TargetID  int64 // of the channel or the category
}

// Key returns the cursor of an assignment in a list, which is by product and then by
// target; see [Page].
func (a ProductAssignment) Key() string {
	return strconv.FormatInt(a.ProductID, 10) + "/" + strconv.FormatInt(a.TargetID, 10)
}

// ProductAssignmentFilter selects assignments of products; the zero value selects all of
// one kind.
type ProductAssignmentFilter struct {
	ProductIDs, TargetIDs []int64 // nil: all
}
