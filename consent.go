package cohort

// ConsentCategory is a purpose of cookies and scripts that a customer can allow or deny.
type ConsentCategory string

// The categories of consent.
const (
	ConsentEssential  ConsentCategory = "essential"
	ConsentFunctional ConsentCategory = "functional"
	ConsentAnalytics  ConsentCategory = "analytics"
	ConsentTargeting  ConsentCategory = "targeting"
)

func (c ConsentCategory) valid() bool {
	switch c {
	case ConsentEssential, ConsentFunctional, ConsentAnalytics, ConsentTargeting:
		return true
	}
	return false
}

// Consent is what a customer allows and denies. A category may be in neither list.
type Consent struct {
	Allow, Deny []ConsentCategory
}
