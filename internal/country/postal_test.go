package country_test

import (
	"os"
	"strings"
	"testing"

	"cohort.example/cohort/internal/country"
)

func TestByCode(t *testing.T) {
	for code, want := range map[string]string{
		"US": "US", "us": "US", "Xk": "XK",
		"": "", "USA": "", "U": "", " U": "", "ZZ": "", "é": "", "U.": "", "United States": "",
	} {
		if c, ok := country.ByCode(code); ok != (want != "") || c.ISO2 != want {
			t.Errorf("ByCode(%q): %q, want %q", code, c.ISO2, want)
		}
	}
	for _, c := range country.All() {
		if found, ok := country.ByCode(c.ISO2); !ok || found.Name != c.Name {
			t.Errorf("ByCode(%q): %q", c.ISO2, found.Name)
		}
	}
}

func TestHasState(t *testing.T) {
	for code, states := range map[string]map[string]bool{
		"US": {
			"Texas": true, "texas": true, "NEW YORK": true, "District of Columbia": true, "Armed Forces Pacific": true,
			"TX": false, "tx": false, "NY": false, "": false, " ": false, "Texxas": false, "Ontario": false,
			strings.Repeat("x", 1<<20): false,
		},
		"CA": {
			"Quebec": true, "Québec": true, "Newfoundland & Labrador": true, "Yukon": true, "Yukon Territory": true,
			"QC": false, "ON": false, "": false, "Texas": false,
		},
		"AU": {"New South Wales": true, "Victoria": true, "NSW": false, "VIC": false, "": false},
		"DE": {"Bayern": true, "Bavaria": true, "": false, " ": false},
		"GB": {"": true, " ": true, "Kent": true},
		"XK": {"": true},
	} {
		c, _ := country.ByCode(code)
		for state, want := range states {
			if got := c.HasState(state); got != want {
				t.Errorf("%s, %.40q: %v, want %v", code, state, got, want)
			}
		}
	}
}

func TestHasPostalCode(t *testing.T) {
	for code, want := range map[string]bool{"US": false, "DE": false, "GB": false, "AE": true, "HK": true, "IE": true, "PA": true} {
		c, _ := country.ByCode(code)
		if got := c.HasPostalCode(" "); got != want {
			t.Errorf("%s without a postal code: %v, want %v", code, got, want)
		}
		if !c.HasPostalCode("1") {
			t.Errorf("%s refuses a postal code", code)
		}
	}
}

// TestDocumentedNeeds compares two lists in docs/countries.md with the code.
func TestDocumentedNeeds(t *testing.T) {
	const file = "../../docs/countries.md"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for what, has := range map[string]func(country.Country) bool{
		"- A state: ":       func(c country.Country) bool { return c.HasState("") },
		"- A postal code: ": func(c country.Country) bool { return c.HasPostalCode("") },
	} {
		var needing []string
		for _, c := range country.All() {
			if !has(c) {
				needing = append(needing, c.Name)
			}
		}
		if line := what + strings.Join(needing, "; ") + "."; !strings.Contains(string(data), line+"\n") {
			t.Errorf("%s does not have the line\n%s", file, line)
		}
	}
}
