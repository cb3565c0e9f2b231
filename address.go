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

// AddressUpdate is a partial update of an address; nil fields are unchanged. It names a
// country by Country or by CountryISO2, and not by both.
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
	// CountryISO2 is the ISO 3166-1 alpha-2 code of the country, in any case.
	CountryISO2 *string
	Phone       *string
	Type        *AddressType
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
	set(&a.CountryISO2, u.CountryISO2)
	set(&a.Phone, u.Phone)
	set(&a.Type, u.Type)
	return a
}

// Maximum lengths of texts in V3, in Unicode code points, where V2 allows more. Source:
// the vendor's reference.
const (
	maxCity       = 100
	maxState      = 100
	maxPostalCode = 30
)

// ValidateLengths returns a KindInvalid error for the first text of the update that is
// longer than V3 allows. It does not check the other fields of the address, because a
// longer text may have been written in V2.
func (u AddressUpdate) ValidateLengths() error {
	for _, text := range []struct {
		field string
		value *string
		most  int
	}{{"city", u.City, maxCity}, {"state", u.State, maxState}, {"zip", u.Zip, maxPostalCode}} {
		if text.value == nil {
			continue
		}
		if err := checkText(text.field, *text.value, 0, text.most); err != nil {
			return err
		}
	}
	return nil
}

// Validate returns a KindInvalid error that names the first invalid field. The state and
// the zip may be empty: some countries have none. V2 still requires them. Validate does
// not check that the country exists.
func (a Address) Validate() error {
	for _, check := range []error{
		checkText("first_name", a.FirstName, 1, maxText),
		checkText("last_name", a.LastName, 1, maxText),
		checkText("company", a.Company, 0, maxText),
		checkText("street_1", a.Street1, 1, maxText),
		checkText("street_2", a.Street2, 0, maxText),
		checkText("city", a.City, 1, maxText),
		checkText("state", a.State, 0, maxText),
		checkText("zip", a.Zip, 0, maxText),
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

// Core returns the fields by which V3 recognizes a duplicate: all except the id and the
// name of the country, which follows from its code. Two addresses are duplicates if their
// cores are equal. Source: the vendor's reference.
func (a Address) Core() Address {
	a.ID, a.Country = 0, ""
	return a
}

// AddressDetail is an address with its form fields.
type AddressDetail struct {
	Address
	FormFields []FormField // at most [MaxFormFields], by id
}

// AddressFilter selects addresses of a store. A nil list selects all, an empty one none.
type AddressFilter struct {
	IDs         []int64
	CustomerIDs []int64
	Companies   []string
	Names       []string // first and last name with a space between them
}
