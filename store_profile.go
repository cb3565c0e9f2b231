package cohort

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Maximum lengths of the texts of a store's profile, in Unicode code points. The vendor
// gives none.
const (
	maxStoreName    = 255
	maxStoreAddress = 1000
	maxDomain       = 253 // of a host name, by RFC 1035
	maxLanguage     = 35  // of a language tag, by RFC 5646
)

// StoreProfile is what a store tells about itself. An empty text stands for the default in
// [Store.FullProfile].
type StoreProfile struct {
	Name     string
	Domain   string // the host name of the storefront, in lower case
	Timezone string // a name of the IANA database, such as America/Chicago
	// Email is the address of the administrator, and the one that shoppers see.
	Email               string
	FirstName, LastName string // the primary contact
	Phone               string
	Address             string // as it is displayed; it may have several lines
	AddressType         StoreAddressType
	Country             string // the English name
	Language            string // the tag of the default language, such as en or en-us
	LanguageSelection   LanguageSelection
}

// StoreAddressType is the kind of place at a store's address.
type StoreAddressType string

// The kinds of places. Source: the vendor's reference.
const (
	StoreHomeOffice       StoreAddressType = "Home Office"
	StoreCommercialOffice StoreAddressType = "Commercial Office"
	StoreRetail           StoreAddressType = "Retail"
	StoreWarehouse        StoreAddressType = "Warehouse"
)

// LanguageSelection is what determines the language that a shopper sees.
type LanguageSelection string

// The ways to select a language. Source: the vendor's reference.
const (
	LanguageOfBrowser LanguageSelection = "browser"
	LanguageOfStore   LanguageSelection = "default_shopper_language"
)

// FullProfile returns the profile with its defaults: the hash as the name, a host name
// that never resolves (RFC 2606), and the defaults of the vendor's reference. Phone and
// address have none.
func (s Store) FullProfile() StoreProfile {
	p := s.Profile
	p.Name = cmp.Or(p.Name, s.Hash)
	p.Domain = cmp.Or(p.Domain, s.DefaultDomain())
	p.Timezone = cmp.Or(p.Timezone, "UTC")
	p.Email = cmp.Or(p.Email, "admin@"+p.Domain)
	p.FirstName = cmp.Or(p.FirstName, "Store")
	p.LastName = cmp.Or(p.LastName, "Owner")
	p.AddressType = cmp.Or(p.AddressType, StoreHomeOffice)
	p.Country = cmp.Or(p.Country, "United States")
	p.Language = cmp.Or(p.Language, "en")
	p.LanguageSelection = cmp.Or(p.LanguageSelection, LanguageOfStore)
	return p
}

// DefaultDomain returns the host name of a store that has not set one.
func (s Store) DefaultDomain() string { return "store-" + s.Hash + ".example" }

// Number returns the store's number for clients, which is another identifier than its
// hash. It depends on the Key only, so it is the same on every node, in every copy of the
// database and at any time, and a recreated store has another one. It has 53 bits, which
// every JSON parser reads exactly; two of 10 000 stores have the same one with a
// probability of 6e-9.
func (s Store) Number() int64 {
	const bits = 53
	digest := s.digest("store_id")
	return int64(binary.BigEndian.Uint64(digest[:]) >> (64 - bits))
}

// AccountUUID returns the UUID of the store's account, in the form of a random one. Like
// Number it depends on the Key only.
func (s Store) AccountUUID() string {
	b := s.digest("account_uuid")
	b[6] = b[6]&0x0f | 0x40 // version 4
	b[8] = b[8]&0x3f | 0x80 // the variant of RFC 9562
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// digest returns a hash of the store's key that is different for each purpose.
func (s Store) digest(purpose string) [sha256.Size]byte {
	return sha256.Sum256([]byte(purpose + " " + cmp.Or(s.Key, s.Hash)))
}

// Normalized returns the profile in its stored form: texts of one line trimmed, and the
// domain in lower case.
func (p StoreProfile) Normalized() StoreProfile {
	for _, text := range []*string{&p.Name, &p.Domain, &p.Timezone, &p.Email, &p.FirstName, &p.LastName, &p.Phone, &p.Country, &p.Language} {
		*text = strings.TrimSpace(*text)
	}
	p.Domain = strings.ToLower(p.Domain)
	return p
}

// Validate checks a normalized profile. It returns a KindInvalid error that names the
// first invalid field. It does not check that the country exists.
func (p StoreProfile) Validate() error {
	for _, check := range []error{
		checkLine("name", p.Name, maxStoreName),
		checkDomain(p.Domain),
		checkTimezone(p.Timezone),
		p.checkEmail(),
		checkLine("first_name", p.FirstName, maxPersonName),
		checkLine("last_name", p.LastName, maxPersonName),
		checkLine("phone", p.Phone, maxPhone),
		checkStoreAddress(p.Address),
		p.AddressType.validate(),
		checkLine("country", p.Country, maxText),
		checkLanguage(p.Language),
		p.LanguageSelection.validate(),
	} {
		if check != nil {
			return check
		}
	}
	return nil
}

// checkLine checks an optional text that the command line prints in one line.
func checkLine(field, s string, most int) error {
	if err := checkText(field, s, 0, most); err != nil {
		return err
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return Invalid(field, "The value contains a character that is not allowed.")
	}
	return nil
}

// checkStoreAddress is checkLine for a text that may have several lines.
func checkStoreAddress(s string) error {
	if err := checkText("address", s, 0, maxStoreAddress); err != nil {
		return err
	}
	return checkLine("address", strings.NewReplacer("\r", "", "\n", "", "\t", "").Replace(s), maxStoreAddress)
}

// hostName matches labels of letters, digits and inner hyphens, at least two of them, or
// localhost.
var hostName = regexp.MustCompile(`^(localhost|([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$`)

func checkDomain(domain string) error {
	if domain != "" && (len(domain) > maxDomain || !hostName.MatchString(domain)) {
		return Invalid("domain", "A domain is a host name such as shop.example.com, without a scheme, port or path.")
	}
	return nil
}

func (p StoreProfile) checkEmail() error {
	if p.Email == "" {
		return nil
	}
	return checkEmail(p.Email)
}

func (t StoreAddressType) validate() error {
	switch t {
	case "", StoreHomeOffice, StoreCommercialOffice, StoreRetail, StoreWarehouse:
		return nil
	}
	return Invalid("address_type", "The type must be Home Office, Commercial Office, Retail or Warehouse.")
}

// languageTag matches the form of the tags of RFC 5646.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

func checkLanguage(tag string) error {
	if tag != "" && (len(tag) > maxLanguage || !languageTag.MatchString(tag)) {
		return Invalid("language", "A language is a tag such as en or en-us.")
	}
	return nil
}

func (l LanguageSelection) validate() error {
	switch l {
	case "", LanguageOfBrowser, LanguageOfStore:
		return nil
	}
	return Invalid("language_selection", "The method must be browser or default_shopper_language.")
}

// StoreProfileUpdate is a partial update of a profile; nil fields are unchanged.
type StoreProfileUpdate struct {
	Name              *string
	Domain            *string
	Timezone          *string
	Email             *string
	FirstName         *string
	LastName          *string
	Phone             *string
	Address           *string
	AddressType       *StoreAddressType
	Country           *string
	Language          *string
	LanguageSelection *LanguageSelection
}

// Apply returns p with the update applied, normalized.
func (u StoreProfileUpdate) Apply(p StoreProfile) StoreProfile {
	set(&p.Name, u.Name)
	set(&p.Domain, u.Domain)
	set(&p.Timezone, u.Timezone)
	set(&p.Email, u.Email)
	set(&p.FirstName, u.FirstName)
	set(&p.LastName, u.LastName)
	set(&p.Phone, u.Phone)
	set(&p.Address, u.Address)
	set(&p.AddressType, u.AddressType)
	set(&p.Country, u.Country)
	set(&p.Language, u.Language)
	set(&p.LanguageSelection, u.LanguageSelection)
	return p.Normalized()
}
