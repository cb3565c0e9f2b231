package cohort

import (
	"fmt"
	"net/mail"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"
)

// MaxDeleteCustomers is the maximum number of customers that one call deletes. Source:
// the vendor's reference.
const MaxDeleteCustomers = 100

// Limits of the customers of V3.
const (
	// MaxCustomerBatch is the maximum number of customers that one call creates or
	// updates. Source: the vendor's reference.
	MaxCustomerBatch = 10
	// MaxDeleteCustomersByID is the maximum number of customers that one call deletes by
	// their ids, which is the size of the largest page. Source: decided here; the vendor
	// documents none.
	MaxDeleteCustomersByID = 250
	// MaxCustomerChannels is the maximum number of channels that a customer is restricted
	// to. Source: decided here; the vendor documents none.
	MaxCustomerChannels = 100
)

// Customer is a customer account of a store.
type Customer struct {
	// ID counts from 1 within the store and is never reused.
	ID                    int64
	Company               string
	FirstName             string
	LastName              string
	Email                 string // unique in the store without regard to case
	Phone                 string
	StoreCredit           decimal.Decimal // in the store's currency, at most four decimals
	RegistrationIPAddress string
	GroupID               int64 // 0: in no group
	Notes                 string
	TaxExemptCategory     string
	ResetPassOnLogin      bool
	AcceptsMarketing      bool  // receives product reviews and reminders of abandoned carts
	OriginChannelID       int64 // the channel that created the customer; never changes
	// ChannelIDs are the channels that the customer may sign in to. Nil means all channels
	// with global sign-in; an empty list is invalid.
	ChannelIDs   []int64
	DateCreated  time.Time
	DateModified time.Time
}

// CustomerUpdate is a partial update of a customer; nil fields are unchanged. In a new
// customer nil fields take their defaults: the store's default group for the group.
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
	AcceptsMarketing      *bool
	OriginChannelID       *int64   // only for a new customer
	ChannelIDs            *[]int64 // a nil list: all channels
	// Password is the new password in plain text.
	Password *string
}

// IsEmpty reports whether the update changes nothing.
func (u CustomerUpdate) IsEmpty() bool { return u == CustomerUpdate{} }

// Apply returns c with the update applied, except the password, which is not part of
// Customer.
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
	set(&c.AcceptsMarketing, u.AcceptsMarketing)
	set(&c.OriginChannelID, u.OriginChannelID)
	set(&c.ChannelIDs, u.ChannelIDs)
	return c
}

// set assigns a value unless it is nil.
func set[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}

// Maximum lengths of a customer's texts, in Unicode code points. Source: the vendor's
// reference, except for notes and the IP address, for which it gives none.
const (
	maxPersonName = 100
	maxEmail      = 250
	maxPhone      = 50
	maxText       = 255
	maxNotes      = 65_535
)

// Validate returns a KindInvalid error that names the first invalid field. It does not
// check that the group exists and the email is unique.
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
	return c.checkChannels()
}

func (c Customer) checkChannels() error {
	switch {
	case c.ChannelIDs == nil:
		return nil
	case len(c.ChannelIDs) == 0:
		return Invalid("channel_ids", "The list must not be empty. For a customer of all channels, send null.")
	case len(c.ChannelIDs) > MaxCustomerChannels:
		return Invalid("channel_ids", fmt.Sprintf("The list may have at most %d channels.", MaxCustomerChannels))
	case slices.Min(c.ChannelIDs) < FirstChannelID:
		return Invalid("channel_ids", "Each value must be the id of a channel.")
	}
	return nil
}

// checkEmail accepts an address of RFC 5322 or, with other scripts, RFC 6532, without a
// display name or comments.
func checkEmail(email string) error {
	if err := checkText("email", email, 1, maxEmail); err != nil {
		return err
	}
	// The parser accepts invisible characters, which make addresses look alike.
	if strings.ContainsFunc(email, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }) {
		return Invalid("email", "The value contains a space or a character that cannot be seen.")
	}
	a, err := mail.ParseAddress(email)
	if err != nil || a.Name != "" || a.Address != email {
		return Invalid("email", "The value is not a valid email address.")
	}
	return nil
}

// ValidatePassword checks the length of a new password. There are no rules about its
// characters, because clients import passwords that were chosen in other systems.
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
	GroupID           *int64 // 0: customers in no group
	MinID, MaxID      int64  // inclusive; 0 is open
	DateCreated       TimeRange
	DateModified      TimeRange
	// NotInGroupID excludes the members of a group, or with 0 the customers in none.
	NotInGroupID *int64

	// The customer has one of the values of each list; nil is open.
	IDs                     []int64
	GroupIDs                []int64  // 0: in no group
	Emails                  []string // compared without regard to case
	Companies               []string
	Names                   []string // the first and the last name with a space between
	Phones                  []string
	RegistrationIPAddresses []string
	// NameParts are texts of which the name contains at least one, without regard to
	// the case of ASCII letters. An empty text matches no name.
	NameParts []string
}

// Scans reports whether all customers of the store have to be compared: there is a filter
// on their texts, and none on ids, emails or groups, by which few of them are found.
func (f CustomerFilter) Scans() bool {
	if f.IDs != nil || f.Emails != nil || f.Email != nil || f.GroupID != nil || f.GroupIDs != nil {
		return false
	}
	return f.Company != nil || f.FirstName != nil || f.LastName != nil || f.Phone != nil || f.TaxExemptCategory != nil || f.StoreCredit != nil ||
		f.Companies != nil || f.Names != nil || f.Phones != nil || f.RegistrationIPAddresses != nil || f.NameParts != nil
}

// IsEmpty reports whether the filter selects all customers.
func (f CustomerFilter) IsEmpty() bool { return reflect.ValueOf(f).IsZero() }
