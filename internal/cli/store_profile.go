package cli

import (
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// profileFlags are what clients read first about a store. An empty text restores the
// default.
type profileFlags struct {
	Name      *string `placeholder:"NAME" help:"The name that clients see (the hash)."`
	Domain    *string `placeholder:"HOST" help:"The host name of the storefront (store-HASH.example)."`
	Timezone  *string `placeholder:"ZONE" help:"The time zone, a name of the IANA database such as America/Chicago (UTC)."`
	Email     *string `placeholder:"ADDRESS" help:"The email address of the administrator (admin@ and the domain)."`
	FirstName *string `placeholder:"NAME" help:"The first name of the primary contact (Store)."`
	LastName  *string `placeholder:"NAME" help:"The last name of the primary contact (Owner)."`
}

func (f profileFlags) update() cohort.StoreProfileUpdate {
	return cohort.StoreProfileUpdate{
		Name: f.Name, Domain: f.Domain, Timezone: f.Timezone, Email: f.Email, FirstName: f.FirstName, LastName: f.LastName,
	}
}

// profileJSON is a store's profile as --json prints it, with the defaults.
type profileJSON struct {
	Number    int64  `json:"store_id"`
	Name      string `json:"name"`
	Domain    string `json:"domain"`
	Timezone  string `json:"timezone"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Phone     string `json:"phone"`
	Address   string `json:"address"`
	Country   string `json:"country"`
	Language  string `json:"language"`
}

func newProfileJSON(st cohort.Store) profileJSON {
	p := st.FullProfile()
	return profileJSON{
		st.Number(), p.Name, p.Domain, p.Timezone, p.Email, p.FirstName, p.LastName, p.Phone, p.Address, p.Country, p.Language,
	}
}

// profileRows prints the profile of a store with the defaults, a line each.
func (t table) profileRows(st cohort.Store) {
	p := st.FullProfile()
	t.row("STORE ID", strconv.FormatInt(st.Number(), 10))
	t.row("NAME", p.Name)
	t.row("DOMAIN", p.Domain)
	t.row("TIME ZONE", p.Timezone)
	t.row("EMAIL", p.Email)
	t.row("CONTACT", p.FirstName+" "+p.LastName)
	if p.Phone != "" {
		t.row("PHONE", p.Phone)
	}
	if p.Address != "" {
		t.row("ADDRESS", strings.Join(strings.Fields(p.Address), " "))
	}
	t.row("COUNTRY", p.Country)
	t.row("LANGUAGE", p.Language)
}
