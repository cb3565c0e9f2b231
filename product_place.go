package cohort

import "strconv"

// MaxProductPlace is the highest place of a product in a category. The vendor's reference
// has no bound.
const MaxProductPlace = 2_147_483_647

// ProductPlace is the place of a product among the products of a category.
type ProductPlace struct {
	ProductID int64
	Place     *int64 // from 0 to MaxProductPlace; nil: none, after all others
}

// Key returns the cursor of a product in a list, which is by place and then by product; see
// [Page].
func (p ProductPlace) Key() string {
	place := int64(MaxProductPlace) + 1
	if p.Place != nil {
		place = *p.Place
	}
	return strconv.FormatInt(place, 10) + "/" + strconv.FormatInt(p.ProductID, 10)
}
