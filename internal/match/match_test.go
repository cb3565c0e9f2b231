package match_test

import (
	"encoding/json"
	"testing"

	"cohort.example/cohort/internal/match"
)

func TestPath(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"/v2/time", "/v2/time", true},
		{"/v2/time", "/v2/times", false},
		{"", "", true},
		{"*", "", true},
		{"*", "/v2/time", true},
		{"/v2/customers/*", "/v2/customers/7/addresses", true},
		{"/v2/customers/*", "/v2/customers", false},
		{"/v2/*/addresses", "/v2/customers/7/addresses", true},
		{"/v2/*/addresses", "/v2/customers/7", false},
		{"*customers*addresses*", "/v2/customers/7/addresses/8", true},
		{"*addresses*customers*", "/v2/customers/7/addresses/8", false},
		{"/a*a", "/a", false}, // a character counts once
	} {
		if got := match.Path(tt.pattern, tt.path); got != tt.want {
			t.Errorf("%q, %q: %v", tt.pattern, tt.path, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		a, b json.Number
		want bool
	}{
		{"1", "1.0", true}, {"100", "1e2", true}, {"1", "2", false}, {"1e999", "1e999", true}, {"1e999", "1e998", false},
	} {
		if got := match.Numbers(tt.a, tt.b); got != tt.want {
			t.Errorf("%s, %s: %v", tt.a, tt.b, got)
		}
	}
}
