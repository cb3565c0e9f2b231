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

// MaxConsentCategories is how many categories there are.
const MaxConsentCategories = 4

// Consent is what a customer allows and denies. A category may be in neither list.
type Consent struct {
	Allow, Deny []ConsentCategory
}

// Validate returns a KindInvalid error that names the first invalid list. A category must
// not be in a list twice, or in both lists.
func (c Consent) Validate() error {
	seen := map[ConsentCategory]bool{}
	for _, list := range []struct {
		field      string
		categories []ConsentCategory
	}{{"allow", c.Allow}, {"deny", c.Deny}} {
		for _, category := range list.categories {
			switch {
			case !category.valid():
				return Invalid(list.field, "The array may contain essential, functional, analytics and targeting.")
			case seen[category]:
				return Invalid(list.field, "The category "+string(category)+" is given twice; it must be in one of the two arrays, once.")
			}
			seen[category] = true
		}
	}
	return nil
}
