// Package country has the countries of postal addresses, by English name, ISO 3166-1
// code and common other names.
package country

import (
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Country is a country or a territory with its own ISO code.
type Country struct {
	Name     string // English
	ISO2     string // ISO 3166-1 alpha-2; XK, which is in common use, for Kosovo
	ISO3     string // ISO 3166-1 alpha-3
	Variants []string
}

// notCountries are regions of golang.org/x/text that are not in ISO 3166-1.
var notCountries = map[string]bool{
	"AC": true, "CP": true, "DG": true, "EA": true, "EZ": true, "IC": true, "TA": true, "UN": true,
}

// names are the names in responses of the live service, where they differ from those of
// golang.org/x/text. Source: the list in the vendor's plug-in for WordPress. That list
// lacks six newer countries, which have the names of golang.org/x/text.
var names = map[string]string{
	"AG": "Antigua and Barbuda",
	"BA": "Bosnia and Herzegovina",
	"BN": "Brunei Darussalam",
	"BQ": "Bonaire, Sint Eustatius and Saba",
	"CD": "Congo, the Democratic Republic of the",
	"CG": "Congo",
	"CI": "Cote d'Ivoire",
	"CZ": "Czech Republic",
	"FK": "Falkland Islands (Malvinas)",
	"FM": "Micronesia, Federated States of",
	"GS": "South Georgia and the South Sandwich Islands",
	"HK": "Hong Kong",
	"HM": "Heard Island and Mcdonald Islands",
	"IR": "Iran, Islamic Republic of",
	"KN": "Saint Kitts and Nevis",
	"KP": "Korea, Democratic People's Republic of",
	"KR": "Korea, Republic of",
	"LA": "Lao People's Democratic Republic",
	"LC": "Saint Lucia",
	"LY": "Libyan Arab Jamahiriya",
	"MD": "Moldova, Republic of",
	"MK": "Macedonia, the Former Yugoslav Republic of",
	"MM": "Myanmar",
	"MO": "Macao",
	"PM": "Saint Pierre and Miquelon",
	"PN": "Pitcairn",
	"PS": "Palestinian Territory, Occupied",
	"RE": "Reunion",
	"RU": "Russian Federation",
	"SH": "Saint Helena",
	"SJ": "Svalbard and Jan Mayen",
	"ST": "Sao Tome and Principe",
	"SY": "Syrian Arab Republic",
	"SZ": "Swaziland",
	"TC": "Turks and Caicos Islands",
	"TT": "Trinidad and Tobago",
	"TZ": "Tanzania, United Republic of",
	"UM": "United States Minor Outlying Islands",
	"VA": "Holy See (Vatican City State)",
	"VC": "Saint Vincent and the Grenadines",
	"VG": "Virgin Islands, British",
	"VI": "Virgin Islands, U.S.",
	"VN": "Viet Nam",
	"WF": "Wallis and Futuna",
	"XK": "Republic of Kosovo",
}

// variants are other names in use: official long forms, older names, those of ISO 3166 and
// abbreviations. If names has a name for a country, the name of golang.org/x/text is a
// variant too.
var variants = map[string][]string{
	"AE": {"UAE"},
	"BO": {"Bolivia, Plurinational State of", "Plurinational State of Bolivia"},
	"CC": {"Cocos Islands"},
	"CD": {"Democratic Republic of the Congo", "DR Congo", "DRC"},
	"CG": {"Republic of the Congo"},
	"CI": {"Ivory Coast"},
	"CV": {"Cabo Verde"},
	"FM": {"Federated States of Micronesia"},
	"GB": {"UK", "U.K.", "Great Britain", "Britain", "United Kingdom of Great Britain and Northern Ireland", "England", "Scotland", "Wales", "Northern Ireland"},
	"HK": {"Hong Kong SAR"},
	"IR": {"Islamic Republic of Iran"},
	"KP": {"Democratic People's Republic of Korea"},
	"KR": {"Korea", "Republic of Korea"},
	"MD": {"Republic of Moldova"},
	"MF": {"Saint Martin (French part)"},
	"MK": {"Macedonia", "North Macedonia"},
	"MM": {"Burma"},
	"MO": {"Macau", "Macau SAR China"},
	"NL": {"Holland"},
	"PS": {"Palestine", "Palestine, State of", "State of Palestine"},
	"SH": {"Saint Helena, Ascension and Tristan da Cunha"},
	"SX": {"Sint Maarten (Dutch part)"},
	"SZ": {"Eswatini"},
	"TL": {"East Timor"},
	"TR": {"Türkiye"},
	"TW": {"Taiwan, Province of China"},
	"TZ": {"United Republic of Tanzania"},
	"US": {"United States of America", "U.S.", "U.S.A.", "America"},
	"VA": {"Holy See", "Vatican"},
	"VE": {"Venezuela, Bolivarian Republic of", "Bolivarian Republic of Venezuela"},
	"VI": {"US Virgin Islands"},
}

// directory has all countries, sorted by name, and their indexes by code and by key of
// name.
type directory struct {
	all            []Country
	byCode, byName map[string]int
}

// theDirectory is built on first use, since it takes tens of milliseconds that would
// delay the start of the process.
var theDirectory = sync.OnceValue(func() directory {
	all := list()
	byCode, byName := index(all)
	return directory{all, byCode, byName}
})

// Lookup finds a country by name, variant or code. It ignores case and surrounding space;
// in names it also ignores accents, punctuation, "the", and the differences between "&"
// and "and", and between "St." and "Saint".
func Lookup(name string) (Country, bool) {
	if len(name) > maxName {
		return Country{}, false
	}
	d := theDirectory()
	i, ok := d.byCode[strings.ToUpper(strings.TrimSpace(name))]
	if !ok {
		i, ok = d.byName[key(name)]
	}
	if !ok {
		return Country{}, false
	}
	return d.all[i], true
}

func list() []Country {
	var countries []Country
	english := display.English.Regions()
	for first := 'A'; first <= 'Z'; first++ {
		for second := 'A'; second <= 'Z'; second++ {
			code := string([]rune{first, second})
			region, err := language.ParseRegion(code)
			if err != nil || !region.IsCountry() || region.Canonicalize() != region || notCountries[code] {
				continue
			}
			c := Country{Name: english.Name(region), ISO2: code, ISO3: region.ISO3(), Variants: variants[code]}
			if c.Name == "" { // a code that is not in use any more
				continue
			}
			if name, ok := names[code]; ok {
				if key(name) != key(c.Name) && !slices.Contains(c.Variants, c.Name) {
					c.Variants = append(c.Variants, c.Name)
				}
				c.Name = name
			}
			countries = append(countries, c)
		}
	}
	sort.Slice(countries, func(i, j int) bool { return key(countries[i].Name) < key(countries[j].Name) })
	return countries
}

// index maps codes and keys of names to positions. The maps are separate because codes
// are not normalized like names: "&" is not Andorra (AND), and "Saint" is not São Tomé
// (ST).
func index(countries []Country) (byCode, byName map[string]int) {
	byCode, byName = make(map[string]int, 2*len(countries)), make(map[string]int, 2*len(countries))
	for i, c := range countries {
		byCode[c.ISO2], byCode[c.ISO3] = i, i
		byName[key(c.Name)] = i
		for _, name := range c.Variants {
			byName[key(name)] = i
		}
	}
	return byCode, byName
}

// maxName is how many bytes a name may have. It bounds the cost of a look-up.
const maxName = 255

// key normalizes a name.
func key(name string) string {
	stripped, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn))), cases.Fold().String(name))
	if err != nil {
		return ""
	}
	words := strings.FieldsFunc(strings.ReplaceAll(stripped, "&", " and "), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' && r != '.'
	})
	kept := words[:0]
	for _, w := range words {
		w = strings.NewReplacer(".", "", "'", "", "’", "").Replace(w)
		switch w {
		case "saint":
			w = "st"
		case "the", "":
			continue
		}
		kept = append(kept, w)
	}
	return strings.Join(kept, " ")
}
