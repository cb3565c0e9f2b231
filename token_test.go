package cohort_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
)

func TestNewToken(t *testing.T) {
	// The SHA-256 of "abc", from FIPS 180-2.
	const hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	got := cohort.NewToken("abc")
	if got.Hash != hash || got.ID != hash[:16] {
		t.Errorf("got the hash %s and the id %s", got.Hash, got.ID)
	}
	if h := cohort.HashTokenSecret("abc"); h != hash {
		t.Errorf("HashTokenSecret: got %s", h)
	}
}

func TestNewTokenSecret(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9]{26}$`)
	seen := map[string]bool{}
	for range 1000 {
		s := cohort.NewTokenSecret()
		if !form.MatchString(s) || seen[s] {
			t.Fatalf("%q has the wrong form or is a repeat", s)
		}
		seen[s] = true
	}
}

// Of all pairs of scopes, a scope allows itself, and a modify scope allows its read-only
// scope. No other pair is allowed.
func TestTokenAllows(t *testing.T) {
	implied := map[[2]cohort.Scope]bool{
		{cohort.ScopeCustomers, cohort.ScopeCustomersRead}:     true,
		{cohort.ScopeProducts, cohort.ScopeProductsRead}:       true,
		{cohort.ScopeInformation, cohort.ScopeInformationRead}: true,
		{cohort.ScopeChannels, cohort.ScopeChannelsRead}:       true,
	}
	for _, has := range cohort.Scopes() {
		token := cohort.Token{Scopes: []cohort.Scope{has}}
		for _, need := range cohort.Scopes() {
			want := has == need || implied[[2]cohort.Scope{has, need}]
			if got := token.Allows(need); got != want {
				t.Errorf("a token with %s allows %s: %v, want %v", has, need, got, want)
			}
		}
		if !token.Allows("") {
			t.Errorf("a token with %s does not allow the empty scope", has)
		}
		if token.Allows("store_v2_orders") {
			t.Errorf("a token with %s allows a scope that does not exist", has)
		}
	}
	both := cohort.Token{Scopes: []cohort.Scope{cohort.ScopeProductsRead, cohort.ScopeCustomers}}
	if !both.Allows(cohort.ScopeProductsRead) || !both.Allows(cohort.ScopeCustomersRead) || both.Allows(cohort.ScopeProducts) {
		t.Error("a token with several scopes does not allow exactly these")
	}
}

func TestTokenValidate(t *testing.T) {
	read := []cohort.Scope{cohort.ScopeCustomersRead}
	tests := []struct {
		name  string
		token cohort.Token
		field string // the invalid one; "": valid
	}{
		{"every scope", cohort.Token{Scopes: cohort.Scopes()}, ""},
		{"no scope", cohort.Token{}, "scope"},
		{"unknown scope", cohort.Token{Scopes: append(read, "store_v2_orders")}, "scope"},
		{"empty scope", cohort.Token{Scopes: []cohort.Scope{""}}, "scope"},
		{"scope with a space", cohort.Token{Scopes: []cohort.Scope{"store_v2_customers store_v2_products"}}, "scope"},
		{"name of 255 characters", cohort.Token{Scopes: read, Name: strings.Repeat("é", 255)}, ""},
		{"name of 256 characters", cohort.Token{Scopes: read, Name: strings.Repeat("é", 256)}, "name"},
		// PostgreSQL cannot store these texts.
		{"name with NUL", cohort.Token{Scopes: read, Name: "a\x00b"}, "name"},
		{"name that is not UTF-8", cohort.Token{Scopes: read, Name: "a\xffb"}, "name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.token.Validate()
			if tt.field != "" {
				wantInvalid(t, err, tt.field)
			} else if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Every scope has words of its own, and those of modify scopes say so.
func TestScopeWords(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range cohort.Scopes() {
		words := s.Words()
		verb := "change "
		if strings.HasSuffix(string(s), "_read_only") {
			verb = "read "
		}
		if !strings.HasPrefix(words, verb) || seen[words] {
			t.Errorf("%s: %q", s, words)
		}
		seen[words] = true
	}
	if got := cohort.Scope("store_v2_orders").Words(); got != "store_v2_orders" {
		t.Errorf("an unknown scope: %q", got)
	}
}

func TestCheckPresetSecret(t *testing.T) {
	for name, secret := range map[string]string{
		"shortest": "0123456789abcdef", "longest": strings.Repeat("~!", 127) + "x", "own form": cohort.NewTokenSecret(),
	} {
		if err := cohort.CheckPresetSecret(secret); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, secret := range map[string]string{
		"empty": "", "short": "0123456789abcde", "long": strings.Repeat("x", 256), "space": "0123456789 abcdef", "line": "0123456789abcdef\n",
		"control": "0123456789abcde\x7f", "not ASCII": "0123456789abcdefé", "not UTF-8": "0123456789abcdef\xff",
	} {
		err := cohort.CheckPresetSecret(secret)
		wantInvalid(t, err, "secret")
		if secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error has the secret: %v", name, err)
		}
	}
}

func TestTokenExpired(t *testing.T) {
	at := time.Date(2027, time.January, 31, 0, 0, 0, 0, time.UTC)
	k := cohort.Token{DateExpires: at}
	if k.Expired(at.Add(-1)) || !k.Expired(at) || (cohort.Token{}).Expired(at) {
		t.Error("a token does not expire at its expiry, or one without an expiry does")
	}
}
