package cohort_test

import (
	"reflect"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

var customer = cohort.Customer{FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com"}

// textRule describes the validation of one text field of a resource: the wire name, the
// field, and the allowed length in code points.
type textRule[N any] struct {
	field       string
	at          func(*N) *string
	least, most int
}

// checkTextRules checks that Validate of a resource enforces the rules of its texts.
func checkTextRules[N interface{ Validate() error }](t *testing.T, valid N, rules []textRule[N]) {
	t.Helper()
	// Four bytes, two UTF-16 units, one code point.
	const cart = "🛒"
	for _, r := range rules {
		t.Run(r.field, func(t *testing.T) {
			validate := func(text string) error {
				n := valid
				*r.at(&n) = text
				return n.Validate()
			}
			accepted := []string{strings.Repeat("x", r.least), strings.Repeat("x", r.most), strings.Repeat(cart, r.most), " ", "a\tb\x01"}
			for _, text := range accepted {
				if err := validate(text); err != nil {
					t.Errorf("%d bytes that begin with %.8q: %v", len(text), text, err)
				}
			}
			refused := []string{strings.Repeat("x", r.most+1), strings.Repeat(cart, r.most+1), "a\x00b", "\x00", "a\xffb", "a\xed\xa0\x80b"}
			if r.least > 0 {
				refused = append(refused, "")
			}
			for _, text := range refused {
				err := validate(text)
				wantInvalid(t, err, r.field)
				// The text may be personal data, and errors are logged.
				if text != "" && strings.Contains(err.Error(), text) {
					t.Errorf("the error quotes the text: %.80v", err)
				}
			}
		})
	}
}

func TestCustomerTexts(t *testing.T) {
	type c = cohort.Customer
	checkTextRules(t, customer, []textRule[c]{
		{"first_name", func(c *c) *string { return &c.FirstName }, 1, 100},
		{"last_name", func(c *c) *string { return &c.LastName }, 1, 100},
		{"company", func(c *c) *string { return &c.Company }, 0, 255},
		{"phone", func(c *c) *string { return &c.Phone }, 0, 50},
		{"registration_ip_address", func(c *c) *string { return &c.RegistrationIPAddress }, 0, 255},
		{"notes", func(c *c) *string { return &c.Notes }, 0, 65_535},
		{"tax_exempt_category", func(c *c) *string { return &c.TaxExemptCategory }, 0, 255},
	})
}

// longEmail returns an address of n code points.
func longEmail(letter string, n int) string {
	const domain = "@example.com"
	return strings.Repeat(letter, n-len(domain)) + domain
}

func TestCustomerEmail(t *testing.T) {
	for _, email := range []string{
		"a@b",
		"ada@example.com",
		"Ada.Lovelace+news@EXAMPLE.co.uk",
		"o'hara!#$%&*/=?^_`{|}~-@example.com",
		"ada@[192.0.2.1]",
		"jörg@example.com",
		"ada@bücher.example",
		"アダ@例え.jp",
		"e\u0301@example.com",
		longEmail("x", 250),
		longEmail("ü", 250), // 488 bytes
	} {
		c := customer
		c.Email = email
		if err := c.Validate(); err != nil {
			t.Errorf("%.40q: %v", email, err)
		}
	}
	for name, email := range map[string]string{
		"empty":                   "",
		"a space":                 " ",
		"no @":                    "ada",
		"no @ but a domain":       "ada.example.com",
		"nothing before the @":    "@example.com",
		"nothing behind the @":    "ada@",
		"two @":                   "ada@home@example.com",
		"a space inside":          "ada lovelace@example.com",
		"a space behind the @":    "ada@ example.com",
		"a space in front":        " ada@example.com",
		"a space at the end":      "ada@example.com ",
		"a tab":                   "ada\t@example.com",
		"a line break at the end": "ada@example.com\n",
		"a second header":         "ada@example.com\r\nBcc: all@example.com",
		"two dots":                "ada..lovelace@example.com",
		"a dot in front":          ".ada@example.com",
		"a dot before the @":      "ada.@example.com",
		"a dot at the end":        "ada@example.com.",
		"an empty label":          "ada@example..com",
		"a display name":          "Ada <ada@example.com>",
		"angle brackets":          "<ada@example.com>",
		"a quoted local part":     `"ada"@example.com`,
		"a quoted space":          `"ada lovelace"@example.com`,
		"a comment behind":        "ada@example.com (Ada)",
		"a comment in front":      "(Ada) ada@example.com",
		"two addresses":           "ada@example.com, bob@example.com",
		"a group of addresses":    "all: ada@example.com;",
		"NUL":                     "ada\x00@example.com",
		"a control character":     "ada\x7f@example.com",
		"a no-break space":        "ada\u00a0lovelace@example.com",
		"a line separator":        "ada\u2028@example.com",
		"a space without width":   "ada\u200b@example.com",
		"an order of writing":     "ada\u202e@example.com",
		"not UTF-8":               "ada\xff@example.com",
		"251 letters":             longEmail("x", 251),
		"251 other letters":       longEmail("ü", 251),
	} {
		t.Run("reject "+name, func(t *testing.T) {
			c := customer
			c.Email = email
			wantInvalid(t, c.Validate(), "email")
		})
	}
}

func TestCustomerStoreCredit(t *testing.T) {
	for text, valid := range map[string]bool{
		"0": true, "-0": true, "0.0001": true, "12.5": true, "1.23450": true, "1.23450000000": true, "1e15": true,
		"9999999999999999.9999": true, // 16 digits before the decimal point
		"10000000000000000":     false,
		"1e16":                  false,
		"1e64":                  false,
		"0.00001":               false,
		"1.23456":               false,
		"1e-64":                 false,
		"-0.0001":               false,
		"-1":                    false,
		"-1e20":                 false,
	} {
		t.Run(text, func(t *testing.T) {
			c := customer
			c.StoreCredit = decimal.RequireFromString(text)
			if err := c.Validate(); !valid {
				wantInvalid(t, err, "store_credit")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCustomerGroupID(t *testing.T) {
	for id, valid := range map[int64]bool{-1: false, -1 << 63: false, 0: true, 1: true, 1<<63 - 1: true} {
		c := customer
		c.GroupID = id
		if err := c.Validate(); !valid {
			wantInvalid(t, err, "customer_group_id")
		} else if err != nil {
			t.Errorf("group %d: %v", id, err)
		}
	}
}

func TestCustomerChannels(t *testing.T) {
	many := make([]int64, 101)
	for i := range many {
		many[i] = int64(i) + 1
	}
	for name, tt := range map[string]struct {
		ids   []int64
		valid bool
	}{
		"all channels": {nil, true}, "no channel": {[]int64{}, false}, "one": {[]int64{1}, true}, "100": {many[:100], true},
		"101": {many, false}, "zero": {[]int64{1, 0}, false}, "below zero": {[]int64{-1}, false},
	} {
		c := customer
		c.ChannelIDs = tt.ids
		if err := c.Validate(); !tt.valid {
			wantInvalid(t, err, "channel_ids")
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCustomerUpdateApply(t *testing.T) {
	// The password is not part of a customer.
	checkApply(t, cohort.CustomerUpdate.Apply, cohort.CustomerUpdate.IsEmpty, "Password")
}

// checkApply checks for every field of an update that Apply sets the resource's field of
// the same name and no other, and that IsEmpty considers it.
func checkApply[U, N any](t *testing.T, apply func(U, N) N, isEmpty func(U) bool, apart ...string) {
	t.Helper()
	var none U
	if !isEmpty(none) {
		t.Error("IsEmpty is false for an empty update")
	}
	for field := range reflect.TypeFor[U]().Fields() {
		t.Run(field.Name, func(t *testing.T) {
			var update U
			value := someValue(t, field.Type.Elem())
			reflect.ValueOf(&update).Elem().FieldByName(field.Name).Set(value)
			if isEmpty(update) {
				t.Error("IsEmpty is true")
			}
			var want, zero N
			if len(apart) == 0 || apart[0] != field.Name {
				reflect.ValueOf(&want).Elem().FieldByName(field.Name).Set(value.Elem())
			}
			if diff := cmp.Diff(want, apply(update, zero)); diff != "" {
				t.Errorf("applied to the zero value (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, apply(none, want)); diff != "" {
				t.Errorf("an empty update changes it (-before +after):\n%s", diff)
			}
		})
	}
}

// someValue returns a pointer to a non-zero value of the type.
func someValue(t *testing.T, kind reflect.Type) reflect.Value {
	t.Helper()
	v := reflect.New(kind)
	switch e := v.Elem(); {
	case kind == reflect.TypeFor[decimal.Decimal]():
		e.Set(reflect.ValueOf(decimal.NewFromInt(7)))
	case kind == reflect.TypeFor[[]int64]():
		e.Set(reflect.ValueOf([]int64{7}))
	case kind.Kind() == reflect.String:
		e.SetString("seven")
	case kind.Kind() == reflect.Int64:
		e.SetInt(7)
	case kind.Kind() == reflect.Bool:
		e.SetBool(true)
	default:
		t.Fatalf("someValue has no value of type %v", kind)
	}
	return v
}

func TestValidatePassword(t *testing.T) {
	for _, p := range []string{"x", " ", "a\x01b", strings.Repeat("x", 255), strings.Repeat("🔑", 255)} {
		if err := cohort.ValidatePassword(p); err != nil {
			t.Errorf("%.8q: %v", p, err)
		}
	}
	for _, p := range []string{"", "a\x00b", "a\xffb", strings.Repeat("x", 256), strings.Repeat("🔑", 256)} {
		err := cohort.ValidatePassword(p)
		wantInvalid(t, err, "password")
		if p != "" && strings.Contains(err.Error(), p) {
			t.Errorf("the error quotes the password: %.80v", err)
		}
	}
}
