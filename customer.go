package cohort

import (
	"net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"
)

// MaxDeleteCustomers is how many customers one call deletes at most. Source:
// the vendor's reference.
const MaxDeleteCustomers = 100

// Customer is somebody who buys in a store.
type Customer struct {
	// ID counts up from 1 within the store and is never given out twice.
	ID                    int64
	Company               string
	FirstName             string
	LastName              string
	Email                 string // unique in the store without regard to case
	Phone                 string
	StoreCredit           decimal.Decimal // in the store's currency, at most four decimals
	RegistrationIPAddress string
	GroupID               int64 // the customer group, 0 for none
	Notes                 string
	TaxExemptCategory     string
	ResetPassOnLogin      bool
	AcceptsMarketing      bool
	DateCreated           time.Time
	DateModified          time.Time
}

// CustomerUpdate is a partial change of a customer; nil fields stay as they
// are. On a new customer they take their defaults, which for the group is the
// store's default group.
type CustomerUpdate struct {
	Company               *string
	FirstName             *string
	LastName              *string
	Email                 *string
	Phone                 *string
	StoreCredit           *decimal.Decimal
	RegistrationIPAddress *string
	GroupID               *int64
	Notes                 *string
	TaxExemptCategory     *string
	ResetPassOnLogin      *bool
	// Password is the new password as its owner types it.
	Password *string
}

// IsEmpty reports whether the update changes nothing.
func (u CustomerUpdate) IsEmpty() bool { return u == CustomerUpdate{} }

// Apply returns c with the update's fields in place, but for the password,
// which is not part of a customer.
func (u CustomerUpdate) Apply(c Customer) Customer {
	set(&c.Company, u.Company)
	set(&c.FirstName, u.FirstName)
	set(&c.LastName, u.LastName)
	set(&c.Email, u.Email)
	set(&c.Phone, u.Phone)
	set(&c.StoreCredit, u.StoreCredit)
	set(&c.RegistrationIPAddress, u.RegistrationIPAddress)
	set(&c.GroupID, u.GroupID)
	set(&c.Notes, u.Notes)
	set(&c.TaxExemptCategory, u.TaxExemptCategory)
	set(&c.ResetPassOnLogin, u.ResetPassOnLogin)
	return c
}

// set puts a value in its place if there is one.
func set[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}

// The longest texts of a customer, in Unicode code points. Source: the vendor's
// reference, but for notes and the IP address, which it leaves open.
const (
	maxPersonName = 100
	maxEmail      = 250
	maxPhone      = 50
	maxText       = 255
	maxNotes      = 65_535
)

// Validate returns a KindInvalid error that names the first field at fault.
// Whether the group exists and the email is free is for the database to say.
func (c Customer) Validate() error {
	for _, check := range []error{
		checkText("first_name", c.FirstName, 1, maxPersonName),
		checkText("last_name", c.LastName, 1, maxPersonName),
		checkEmail(c.Email),
		checkText("company", c.Company, 0, maxText),
		checkText("phone", c.Phone, 0, maxPhone),
		checkMoney("store_credit", c.StoreCredit),
		checkText("registration_ip_address", c.RegistrationIPAddress, 0, maxText),
		checkText("notes", c.Notes, 0, maxNotes),
		checkText("tax_exempt_category", c.TaxExemptCategory, 0, maxText),
	} {
		if check != nil {
			return check
		}
	}
	if c.GroupID < 0 {
		return Invalid("customer_group_id", "The id must be that of a customer group, or 0 for none.")
	}
	return nil
}

// checkEmail accepts an address as RFC 5322 and, for other scripts, RFC 6532
// have it, and nothing around it.
func checkEmail(email string) error {
	if err := checkText("email", email, 1, maxEmail); err != nil {
		return err
	}
	// The parser lets in what cannot be seen, and so cannot be told apart.
	if strings.ContainsFunc(email, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }) {
		return Invalid("email", "The value contains a space or a character that cannot be seen.")
	}
	a, err := mail.ParseAddress(email)
	if err != nil || a.Name != "" || a.Address != email {
		return Invalid("email", "The value is not a valid email address.")
	}
	return nil
}

// ValidatePassword checks a new password. There is no rule about what it must
// be made of: clients bring passwords of customers who chose them elsewhere.
func ValidatePassword(password string) error {
	return checkText("password", password, 1, maxText)
}

// CustomerFilter selects customers of a store; the zero value selects all.
type CustomerFilter struct {
	Company           *string
	FirstName         *string
	LastName          *string
	Email             *string // compared without regard to case
	Phone             *string
	TaxExemptCategory *string
	StoreCredit       *decimal.Decimal
	GroupID           *int64 // 0 selects those in no group
	MinID, MaxID      int64  // inclusive; 0 is open
	DateCreated       TimeRange
	DateModified      TimeRange
}
