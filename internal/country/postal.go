package country

import (
	"slices"
	"strings"
	"sync"
)

// withStates are the codes of the countries whose addresses need a state. Source: the
// vendor's plug-in for WordPress lists states for these and for no others.
var withStates = []string{"AE", "AR", "AT", "AU", "CA", "CH", "DE", "ES", "ID", "IE", "IN", "MM", "MX", "MY", "US", "ZA"}

// states are the names of the states of three countries. Addresses there need one of
// them. Source: the plug-in, with the current name of the Yukon beside the one that it has.
// Its lists of the other countries are not used to refuse a name: they are from 2018, and
// some of their names are misspelt or out of date.
var states = map[string][]string{
	"AU": {
		"Australian Capital Territory", "New South Wales", "Northern Territory", "Queensland", "South Australia",
		"Tasmania", "Victoria", "Western Australia",
	},
	"CA": {
		"Alberta", "British Columbia", "Manitoba", "New Brunswick", "Newfoundland and Labrador", "Northwest Territories",
		"Nova Scotia", "Nunavut", "Ontario", "Prince Edward Island", "Quebec", "Saskatchewan", "Yukon", "Yukon Territory",
	},
	"US": {
		"Alabama", "Alaska", "American Samoa", "Arizona", "Arkansas", "Armed Forces Africa", "Armed Forces Americas",
		"Armed Forces Canada", "Armed Forces Europe", "Armed Forces Middle East", "Armed Forces Pacific", "California",
		"Colorado", "Connecticut", "Delaware", "District of Columbia", "Federated States of Micronesia", "Florida",
		"Georgia", "Guam", "Hawaii", "Idaho", "Illinois", "Indiana", "Iowa", "Kansas", "Kentucky", "Louisiana", "Maine",
		"Marshall Islands", "Maryland", "Massachusetts", "Michigan", "Minnesota", "Mississippi", "Missouri", "Montana",
		"Nebraska", "Nevada", "New Hampshire", "New Jersey", "New Mexico", "New York", "North Carolina", "North Dakota",
		"Northern Mariana Islands", "Ohio", "Oklahoma", "Oregon", "Palau", "Pennsylvania", "Puerto Rico", "Rhode Island",
		"South Carolina", "South Dakota", "Tennessee", "Texas", "Utah", "Vermont", "Virgin Islands", "Virginia",
		"Washington", "West Virginia", "Wisconsin", "Wyoming",
	},
}

// withPostalCodes are the codes of the countries whose addresses need a postal code.
// Source: the countries for which Google's address metadata (libaddressinput) requires
// one.
var withPostalCodes = []string{
	"AS", "AT", "AU", "AX", "BE", "BL", "BR", "CA", "CH", "CN", "CZ", "DE", "DK", "EE", "ES", "FI", "FK", "FM", "FR",
	"GB", "GF", "GG", "GL", "GP", "GR", "GS", "GU", "HU", "IM", "IN", "IO", "IT", "JE", "JP", "KR", "LI", "LT", "LU",
	"LV", "MF", "MH", "MP", "MQ", "MX", "MY", "NC", "NL", "NO", "NZ", "PF", "PL", "PM", "PN", "PR", "PT", "PW", "RE",
	"RO", "RU", "SE", "SG", "SH", "SJ", "SK", "SM", "TC", "TR", "TW", "UA", "US", "VI", "WF", "YT", "ZA",
}

// stateKeys has the keys of the names in states, by country.
var stateKeys = sync.OnceValue(func() map[string]map[string]bool {
	keys := make(map[string]map[string]bool, len(states))
	for code, names := range states {
		keys[code] = make(map[string]bool, len(names))
		for _, name := range names {
			keys[code][key(name)] = true
		}
	}
	return keys
})

// ByCode finds a country by its ISO 3166-1 alpha-2 code, in any case.
func ByCode(code string) (Country, bool) {
	if len(code) != 2 {
		return Country{}, false
	}
	c, ok := Lookup(code)
	if !ok || !strings.EqualFold(c.ISO2, code) {
		return Country{}, false
	}
	return c, true
}

// HasState reports whether an address in the country may have this state. Where the
// names of all states are known, the state must be one of them; case, accents and
// punctuation do not matter, and codes such as TX are not names. In other countries with
// states it must not be blank, and in countries without states it may be.
func (c Country) HasState(state string) bool {
	if keys := stateKeys()[c.ISO2]; keys != nil {
		return len(state) <= maxName && keys[key(state)]
	}
	return strings.TrimSpace(state) != "" || !slices.Contains(withStates, c.ISO2)
}

// HasPostalCode reports whether an address in the country may have this postal code,
// which must not be blank in a country that needs one. The form of the code is not
// checked.
func (c Country) HasPostalCode(code string) bool {
	return strings.TrimSpace(code) != "" || !slices.Contains(withPostalCodes, c.ISO2)
}
