package cohort

// AddressType is residential or commercial.
type AddressType string

// The address types.
const (
	AddressResidential AddressType = "residential"
	AddressCommercial  AddressType = "commercial"
)

// Address is one of a customer's postal addresses.
type Address struct {
	// ID counts from 1 within the store and is never reused.
	ID          int64
	CustomerID  int64
	FirstName   string
	LastName    string
	Company     string
	Street1     string
	Street2     string
	City        string
	State       string
	Zip         string
	Country     string // the English name
	CountryISO2 string // ISO 3166-1 alpha-2, derived from Country
	Phone       string
	Type        AddressType
}

// AddressUpdate is a partial update of an address; nil fields are unchanged.
type AddressUpdate struct {
	FirstName *string
	LastName  *string
	Company   *string
	Street1   *string
	Street2   *string
	City      *string
	State     *string
	Zip       *string
	Country   *string
	Phone     *string
	Type      *AddressType
}

// IsEmpty reports whether the update changes nothing.
func (u AddressUpdate) IsEmpty() bool { return u == AddressUpdate{} }

// Apply returns a with the update applied.
func (u AddressUpdate) Apply(a Address) Address {
	set(&a.FirstName, u.FirstName)
	set(&a.LastName, u.LastName)
	set(&a.Company, u.Company)
	set(&a.Street1, u.Street1)
	set(&a.Street2, u.Street2)
	set(&a.City, u.City)
	set(&a.State, u.State)
	set(&a.Zip, u.Zip)
	set(&a.Country, u.Country)
	set(&a.Phone, u.Phone)
	set(&a.Type, u.Type)
	return a
}

// Validate returns a KindInvalid error that names the first invalid field. The phone may
// be empty. The state may not; addresses without one have a space. Validate does not
// check that the country exists.
func (a Address) Validate() error {
	for _, check := range []error{
		checkText("first_name", a.FirstName, 1, maxText),
		checkText("last_name", a.LastName, 1, maxText),
		checkText("company", a.Company, 0, maxText),
		checkText("street_1", a.Street1, 1, maxText),
		checkText("street_2", a.Street2, 0, maxText),
		checkText("city", a.City, 1, maxText),
		checkText("state", a.State, 1, maxText),
		checkText("zip", a.Zip, 1, maxText),
		checkText("country", a.Country, 1, maxText),
		checkText("phone", a.Phone, 0, maxPhone),
	} {
		if check != nil {
			return check
		}
	}
	if a.Type != AddressResidential && a.Type != AddressCommercial {
		return Invalid("address_type", "The type must be residential or commercial.")
	}
	return nil
}
