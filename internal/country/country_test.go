package country_test

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"cohort.example/cohort/internal/country"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
)

var update = flag.Bool("update", false, "rewrite the table in docs/countries.md")

// isoCodes are the codes of ISO 3166-1.
const isoCodes = `
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU
MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW`

func TestAllCountries(t *testing.T) {
	want := append(strings.Fields(isoCodes), "XK")
	slices.Sort(want)
	if len(want) != 249+1 {
		t.Fatalf("isoCodes has %d codes with XK, want 249 of ISO 3166-1 and XK", len(want))
	}
	var got []string
	for _, c := range country.All() {
		got = append(got, c.ISO2)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestCountriesAreComplete(t *testing.T) {
	alpha2, alpha3 := regexp.MustCompile(`^[A-Z]{2}$`), regexp.MustCompile(`^[A-Z]{3}$`)
	seen := map[string]string{}
	for _, c := range country.All() {
		if c.Name == "" || c.Name != strings.TrimSpace(c.Name) || len(c.Name) > 255 {
			t.Errorf("%s has the name %q", c.ISO2, c.Name)
		}
		if !alpha2.MatchString(c.ISO2) || !alpha3.MatchString(c.ISO3) {
			t.Errorf("%s has the codes %q and %q", c.Name, c.ISO2, c.ISO3)
		}
		for _, name := range append([]string{c.Name, c.ISO2, c.ISO3}, c.Variants...) {
			if other, ok := seen[name]; ok {
				t.Errorf("%s and %s both have the name %q", other, c.ISO2, name)
			}
			seen[name] = c.ISO2
		}
	}
}

// Lookup finds each country by every spelling of its names, so no two countries share a
// spelling.
func TestSpellings(t *testing.T) {
	spellings := map[string]func(string) string{
		"as it is":       func(s string) string { return s },
		"capitals":       strings.ToUpper,
		"small letters":  strings.ToLower,
		"decomposed":     norm.NFD.String,
		"no accents":     withoutAccents,
		"space around":   func(s string) string { return " \t" + s + "\u00a0 " },
		"double spaces":  func(s string) string { return strings.ReplaceAll(s, " ", "  ") },
		"in brackets":    func(s string) string { return "(" + s + ")" },
		"no commas":      func(s string) string { return strings.ReplaceAll(s, ",", "") },
		"no hyphens":     func(s string) string { return strings.ReplaceAll(s, "-", " ") },
		"no full stops":  func(s string) string { return strings.ReplaceAll(s, ".", "") },
		"no brackets":    strings.NewReplacer("(", "", ")", "").Replace,
		"apostrophe '":   func(s string) string { return strings.ReplaceAll(s, "’", "'") },
		"apostrophe ’":   func(s string) string { return strings.ReplaceAll(s, "'", "’") },
		"no apostrophes": strings.NewReplacer("'", "", "’", "").Replace,
		"and for &":      func(s string) string { return strings.ReplaceAll(s, "&", "and") },
		"& for and":      func(s string) string { return strings.ReplaceAll(s, " and ", " & ") },
		"Saint for St.":  func(s string) string { return strings.ReplaceAll(s, "St. ", "Saint ") },
		"St. for Saint":  func(s string) string { return strings.ReplaceAll(s, "Saint ", "St. ") },
		"St for Saint":   strings.NewReplacer("Saint ", "St ", "St. ", "St ").Replace,
		"the before":     func(s string) string { return "The " + s },
		"the after":      func(s string) string { return s + ", the" },
	}
	for what, spell := range spellings {
		t.Run(what, func(t *testing.T) {
			for _, c := range country.All() {
				for _, name := range append([]string{c.Name}, c.Variants...) {
					expect(t, spell(name), c.ISO2)
				}
			}
		})
	}
}

// Countries have the names of the live service, as recorded in the vendor's plug-in for
// WordPress, where they differ from those of golang.org/x/text.
func TestRecordedNames(t *testing.T) {
	for code, name := range map[string]string{
		"AG": "Antigua and Barbuda", "BA": "Bosnia and Herzegovina", "BN": "Brunei Darussalam", "BQ": "Bonaire, Sint Eustatius and Saba",
		"CD": "Congo, the Democratic Republic of the", "CG": "Congo", "CI": "Cote d'Ivoire", "CZ": "Czech Republic",
		"FK": "Falkland Islands (Malvinas)", "FM": "Micronesia, Federated States of", "GS": "South Georgia and the South Sandwich Islands",
		"HM": "Heard Island and Mcdonald Islands", "IR": "Iran, Islamic Republic of", "KN": "Saint Kitts and Nevis",
		"KP": "Korea, Democratic People's Republic of", "KR": "Korea, Republic of", "LA": "Lao People's Democratic Republic",
		"LC": "Saint Lucia", "LY": "Libyan Arab Jamahiriya", "MD": "Moldova, Republic of", "MK": "Macedonia, the Former Yugoslav Republic of", "MO": "Macao",
		"PM": "Saint Pierre and Miquelon", "PN": "Pitcairn", "PS": "Palestinian Territory, Occupied", "RE": "Reunion", "RU": "Russian Federation", "SH": "Saint Helena",
		"SJ": "Svalbard and Jan Mayen", "ST": "Sao Tome and Principe", "SY": "Syrian Arab Republic", "SZ": "Swaziland",
		"TC": "Turks and Caicos Islands", "TT": "Trinidad and Tobago", "TZ": "Tanzania, United Republic of",
		"UM": "United States Minor Outlying Islands", "VA": "Holy See (Vatican City State)", "VC": "Saint Vincent and the Grenadines",
		"VG": "Virgin Islands, British", "VI": "Virgin Islands, U.S.", "VN": "Viet Nam", "WF": "Wallis and Futuna", "XK": "Republic of Kosovo",
	} {
		if c, _ := country.Lookup(name); c.ISO2 != code || c.Name != name {
			t.Errorf("Lookup(%q): name %q, code %q, want the same name and %q", name, c.Name, c.ISO2, code)
		}
	}
}

// Lookup ignores case and surrounding space of codes.
func TestCodes(t *testing.T) {
	for _, c := range country.All() {
		for _, code := range []string{c.ISO2, c.ISO3} {
			expect(t, code, c.ISO2)
			expect(t, strings.ToLower(code), c.ISO2)
			expect(t, " "+code+" ", c.ISO2)
		}
	}
}

func TestCommonNames(t *testing.T) {
	for name, code := range map[string]string{
		"USA": "US", "U.S.A.": "US", "us": "US", "the United States of America": "US",
		"UK": "GB", "U.K.": "GB", "GBR": "GB", "Great Britain": "GB", "Scotland": "GB",
		"Holland": "NL", "The Netherlands": "NL", "TÜRKİYE": "TR", "türkiye": "TR",
		"Ivory Coast": "CI", "Czechia": "CZ", "Burma": "MM", "Macedonia": "MK", "Kosovo": "XK",
		"Congo-Brazzaville": "CG", "Congo (Kinshasa)": "CD", "Réunion": "RE", "Aland Islands": "AX",
	} {
		expect(t, name, code)
	}
}

func TestUnknownCountries(t *testing.T) {
	for _, name := range []string{
		"", " ", "the", "-", "()", "´", "Atlantis", "Francee", "Fr ance", "United", "Kingdom", "Guinea Ecuatorial", "Schweiz", "Deutschland", "Türkei",
		"Europe", "European Union", "EU", "Earth", "Texas",
		"&", "Saint", "St.", "A.N.D.", "D.E.", "90210 US", "Canada 1", // codes and names with additional text
		"XX", "ZZ", "QO", "UN", "AC", "CP", "DG", "EA", "EZ", "IC", "TA", // regions that are not countries
		"SU", "YU", "DD", "ZR", "TP", "AN", "CS", // codes of former countries
		"840", "276", // numeric codes
		"FRANCE\x00GERMANY", "France, Germany",
	} {
		expect(t, name, "")
	}
}

func TestNamesThatAreTooLong(t *testing.T) {
	for _, name := range []string{
		strings.Repeat("a", 256), strings.Repeat("é", 128), strings.Repeat("the ", 64) + "France",
		"France" + strings.Repeat(" ", 250), strings.Repeat("a", 1<<20), "e" + strings.Repeat("\u0301", 1<<10),
	} {
		expect(t, name, "")
	}
	// The longest name.
	expect(t, "France"+strings.Repeat(" ", 249), "FR")
}

// expect looks up a name. An empty code means that it must not be found.
func expect(t *testing.T, name, code string) {
	t.Helper()
	c, ok := country.Lookup(name)
	if ok != (code != "") || c.ISO2 != code {
		t.Errorf("Lookup(%.80q): %q, want %q", name, c.ISO2, code)
	}
}

func withoutAccents(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// TestDocumentedCountries compares the table in docs/countries.md with the code.
func TestDocumentedCountries(t *testing.T) {
	const file = "../../docs/countries.md"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const header = "| Country | Alpha-2 | Alpha-3 | Other names |\n|---|---|---|---|\n"
	text, table, ok := strings.Cut(string(data), header)
	if !ok {
		t.Fatalf("%s has no table with the header\n%s", file, header)
	}
	var want strings.Builder
	for _, c := range country.All() {
		want.WriteString("| " + strings.Join([]string{c.Name, c.ISO2, c.ISO3, strings.Join(c.Variants, "; ")}, " | ") + " |\n")
	}
	if *update {
		if err := os.WriteFile(file, []byte(text+header+want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(table, "\n"), strings.Split(want.String(), "\n")); diff != "" {
		t.Errorf("%s differs from the code; go test ./internal/country -update rewrites it (-file +code):\n%s", file, diff)
	}
}

func FuzzLookup(f *testing.F) {
	for _, c := range country.All() {
		f.Add(c.Name)
		f.Add(c.ISO3)
		for _, v := range c.Variants {
			f.Add(v)
		}
	}
	for _, s := range []string{"", "&", "the", "St", "TÜRKİYE", "Côte d\u2019Ivoire", "e\u0301\u0302", "\xff", "ﬁji", "Peru\u00df"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		c, ok := country.Lookup(name)
		if again, okAgain := country.Lookup(name); ok != okAgain || again.ISO2 != c.ISO2 {
			t.Fatalf("Lookup(%q): %q, and then %q", name, c.ISO2, again.ISO2)
		}
		if !ok {
			if c.ISO2 != "" || c.Name != "" {
				t.Fatalf("Lookup(%q): not found, but %+v", name, c)
			}
			return
		}
		if len(name) > 255 {
			t.Fatalf("a name of %d bytes was found: %s", len(name), c.ISO2)
		}
		// The name and the code of the country lead back to it.
		expect(t, c.Name, c.ISO2)
		expect(t, c.ISO2, c.ISO2)
		for _, same := range []string{strings.ToLower(name), strings.ToUpper(name), norm.NFC.String(name), norm.NFD.String(name), " " + name} {
			if len(same) <= 255 {
				expect(t, same, c.ISO2)
			}
		}
	})
}
