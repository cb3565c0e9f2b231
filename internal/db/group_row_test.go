package db

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// sameDecimal compares the representation too: 1 and 1.0 differ.
var sameDecimal = cmp.Comparer(func(a, b decimal.Decimal) bool {
	return a.Exponent() == b.Exponent() && a.Coefficient().Cmp(b.Coefficient()) == 0
})

// decodeAsJSON is decodeGroup with encoding/json only.
func decodeAsJSON(access, rules string) (g cohort.Group, err error) {
	var a accessRow
	if err := json.Unmarshal([]byte(access), &a); err != nil {
		return g, err
	}
	g.CategoryAccess = cohort.CategoryAccess(a)
	var list []ruleRow
	err = json.Unmarshal([]byte(rules), &list)
	for _, r := range list {
		g.DiscountRules = append(g.DiscountRules, cohort.DiscountRule{Type: r.Type, TargetID: r.Target, Method: r.Method, Amount: r.Amount})
	}
	return g, err
}

var (
	numbersDrawn = rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64}))
	amountsDrawn = rapid.Custom(func(t *rapid.T) decimal.Decimal {
		if rapid.Bool().Draw(t, "large") {
			digits := rapid.StringMatching(`-?[0-9]{1,40}(\.[0-9]{1,20})?`).Draw(t, "digits")
			return decimal.RequireFromString(digits)
		}
		return decimal.New(numbersDrawn.Draw(t, "amount"), rapid.Int32Range(-12, 12).Draw(t, "exponent"))
	})
	rulesDrawn = rapid.Custom(func(t *rapid.T) cohort.DiscountRule {
		return cohort.DiscountRule{
			Type:     rapid.SampledFrom([]cohort.RuleType{cohort.RuleAll, cohort.RuleProduct, cohort.RuleCategory, cohort.RulePriceList, ""}).Draw(t, "type"),
			TargetID: numbersDrawn.Draw(t, "target"),
			Method:   rapid.SampledFrom([]cohort.Method{cohort.MethodPercent, cohort.MethodFixed, cohort.MethodPrice, ""}).Draw(t, "method"),
			Amount:   amountsDrawn.Draw(t, "amount"),
		}
	})
	groupsDrawn = rapid.Custom(func(t *rapid.T) cohort.Group {
		return cohort.Group{
			CategoryAccess: cohort.CategoryAccess{
				Type:       rapid.SampledFrom([]cohort.AccessType{cohort.AccessAll, cohort.AccessNone, cohort.AccessSpecific, ""}).Draw(t, "access"),
				Categories: rapid.SliceOfN(numbersDrawn, 0, 5).Draw(t, "categories"),
			},
			DiscountRules: rapid.SliceOfN(rulesDrawn, 0, 5).Draw(t, "rules"),
		}
	})
)

// TestEncodeGroup checks the exact texts, because stored rows have this form.
func TestEncodeGroup(t *testing.T) {
	amount := decimal.RequireFromString
	for _, tt := range []struct {
		group         cohort.Group
		access, rules string
	}{
		{cohort.Group{}, `{"type":""}`, `[]`},
		{
			cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}, DiscountRules: []cohort.DiscountRule{
				{Type: cohort.RulePriceList, TargetID: 7},
			}},
			`{"type":"all"}`, `[{"type":"price_list","target":7}]`,
		},
		{
			cohort.Group{
				CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{9, math.MaxInt64, 0, -1}},
				DiscountRules: []cohort.DiscountRule{
					{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: amount("5.50")},
					{Type: cohort.RuleProduct, TargetID: math.MaxInt64, Method: cohort.MethodFixed, Amount: amount("9999999999999999.9999")},
					{Type: cohort.RuleCategory, TargetID: -1, Method: cohort.MethodPrice, Amount: amount("0.0")},
					{Type: cohort.RuleCategory, TargetID: 1, Method: cohort.MethodPrice, Amount: amount("1e2")},
					{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: amount("-0.05")},
				},
			},
			`{"type":"specific","categories":[9,9223372036854775807,0,-1]}`,
			`[{"type":"all","method":"percent","amount":"5.5"},` +
				`{"type":"product","target":9223372036854775807,"method":"fixed","amount":"9999999999999999.9999"},` +
				`{"type":"category","target":-1,"method":"price"},` +
				`{"type":"category","target":1,"method":"price","amount":"100"},` +
				`{"type":"all","method":"percent","amount":"-0.05"}]`,
		},
	} {
		if access, rules := encodeGroup(tt.group); access != tt.access || rules != tt.rules {
			t.Errorf("encoded as\n%s %s, want\n%s %s", access, rules, tt.access, tt.rules)
		}
	}
}

// TestEncodeGroupAsJSON checks that encodeGroup writes what encoding/json does.
func TestEncodeGroupAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := groupsDrawn.Draw(t, "group")
		list := make([]ruleRow, len(g.DiscountRules))
		for i, r := range g.DiscountRules {
			list[i] = ruleRow{r.Type, r.TargetID, r.Method, r.Amount}
		}
		access, rules := encodeGroup(g)
		if want := mustMarshal(accessRow(g.CategoryAccess)); access != want {
			t.Fatalf("access %s, want %s", access, want)
		}
		if want := mustMarshal(list); rules != want {
			t.Fatalf("rules %s, want %s", rules, want)
		}
		if text := rapid.String().Draw(t, "text"); jsonText(text) != mustMarshal(text) {
			t.Fatalf("text %s, want %s", jsonText(text), mustMarshal(text))
		}
	})
}

// TestGroupRowRoundTrip checks that the parser reads what encodeGroup writes,
// without falling back to encoding/json, and with the same result.
func TestGroupRowRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := groupsDrawn.Draw(t, "group")
		access, rules := encodeGroup(g)
		want, err := decodeAsJSON(access, rules)
		if err != nil {
			t.Fatal(err)
		}
		var got cohort.Group
		var accessOK, rulesOK bool
		got.CategoryAccess, accessOK = readAccess(access)
		got.DiscountRules, rulesOK = readRules(rules)
		if !accessOK || !rulesOK {
			t.Fatalf("parsed %s: %v, parsed %s: %v", access, accessOK, rules, rulesOK)
		}
		if diff := cmp.Diff(want, got, sameDecimal); diff != "" {
			t.Fatalf("%s, %s (-JSON +got):\n%s", access, rules, diff)
		}
		// The amounts are equal to the original ones, whatever their representation.
		if diff := cmp.Diff(g, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s, %s (-encoded +decoded):\n%s", access, rules, diff)
		}
	})
}

// otherForms are valid JSON that encodeGroup does not write.
var otherForms = []struct{ access, rules string }{
	{`{ "type": "all" }`, ` [ ] `},
	{"{\"type\":\"all\"}\n", "[]\n"},
	{`{"categories":[1,2],"type":"specific"}`, `[{"amount":"5","method":"percent","type":"all"}]`},
	{`{"type":"specific","categories":[ 1, 2 ]}`, `[{"type":"all", "method":"percent","amount":"5"}]`},
	{`{"type":"specific","categories":[]}`, `null`},
	{`{"type":"specific","categories":null}`, `[null]`},
	{`{"type":"specific","categories":[0,-1,-0]}`, `[{"type":"product","target":-0}]`},
	{`{"type":"\u0061ll"}`, `[{"type":"\u0061ll","method":"perc\u0065nt","amount":"5"}]`},
	{`{"type":"a\"b\\c"}`, `[{"type":"a\"b","method":"c\\d"}]`},
	{`{"type":"all","future":[{"x":"y"}]}`, `[{"type":"all","future":1,"method":"percent","amount":"5"},{"type":"all"}]`},
	{`{"type":"all","type":"none"}`, `[{"type":"all","target":1,"target":2}]`},
	{`{"TYPE":"all"}`, `[{"Type":"all","AMOUNT":"5"}]`},
	{`{}`, `[{}]`},
	{`null`, `[{"type":"all","amount":5}]`},
	{`{"type":"all"}`, `[{"type":"all","amount":-1.50}]`},
	{`{"type":"all"}`, `[{"type":"all","amount":"1e3"},{"type":"all","amount":"-0.0"}]`},
	{`{"type":"<&>"}`, `[{"type":"ü🛒","method":"\ud83d\uded2"}]`},
}

func TestDecodeGroupInOtherForms(t *testing.T) {
	for _, form := range otherForms {
		want, err := decodeAsJSON(form.access, form.rules)
		if err != nil {
			t.Fatalf("%s, %s: %v", form.access, form.rules, err)
		}
		var got cohort.Group
		err = decodeGroup(&got, form.access, form.rules)
		if diff := cmp.Diff(want, got, sameDecimal, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%s, %s: error %v (-JSON +got):\n%s", form.access, form.rules, err, diff)
		}
	}
}

// TestGroupRowEscapes checks types that JSON has to escape.
func TestGroupRowEscapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~é🛒]{0,8}`).Draw(t, "text")
		want := cohort.Group{
			CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessType(text)},
			DiscountRules:  []cohort.DiscountRule{{Type: cohort.RuleType(text), Method: cohort.Method(text)}},
		}
		access, rules := encodeGroup(want)
		var got cohort.Group
		err := decodeGroup(&got, access, rules)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("error %v (-want +got):\n%s", err, diff)
		}
	})
}

// brokenTexts are truncated, have extra characters, or have values of the wrong
// type.
var brokenTexts = []string{
	"", " ", "{", "[", "}", `{"type"`, `{"type":`, `{"type":"`, `{"type":"all`, `{"type":"all"`, `{"type":"all"}}`, `{"type":"all"}x`,
	`{"type":"all",}`, `{"type":5}`, `{"type":"all","categories":[}`, `{"type":"all","categories":[1,]}`, `{"type":"all","categories":[1}`,
	`{"type":"all","categories":["1"]}`, `{"type":"all","categories":[9223372036854775808]}`, `{"type":"all","categories":[1.5]}`,
	`{"type":"all","categories":[--1]}`, `{"type":"all","categories":[1-]}`, `{"type":"all","categories":1}`,
	`[{]`, `[{}`, `[{"type":"all"}`, `[{"type":"all"},]`, `[{"type":"all"}{"type":"all"}]`, `[{"type":"all"}],`, `[{"type":"all","target":}]`,
	`[{"type":"all","target":"1"}]`, `[{"type":"all","target":9223372036854775808}]`, `[{"type":"all","amount":""}]`,
	`[{"type":"all","amount":"x"}]`, `[{"type":"all","amount":"5}]`, `[{"type":"all","amount":"1","amount":"x"}]`, `[5]`, `"all"`, "true",
}

func TestDecodeGroupError(t *testing.T) {
	for _, text := range brokenTexts {
		for column, texts := range map[string][2]string{"category_access": {text, "[]"}, "discount_rules": {`{"type":"all"}`, text}} {
			g := cohort.Group{ID: 4711}
			err := decodeGroup(&g, texts[0], texts[1])
			if err == nil || !strings.Contains(err.Error(), column+" of group 4711") {
				t.Errorf("%s %s: got %+v, error %v", column, text, g, err)
			}
		}
	}
}

// FuzzDecodeGroup compares decodeGroup with encoding/json. The parser accepts a
// little more, such as leading zeros; a group that it accepts must survive
// another round trip.
func FuzzDecodeGroup(f *testing.F) {
	for _, form := range otherForms {
		f.Add(form.access, form.rules)
	}
	for _, text := range brokenTexts {
		f.Add(text, text)
	}
	f.Add(`{"type":"specific","categories":[1,-2]}`, `[{"type":"all","method":"percent","amount":"5"},{"type":"product","target":7,"method":"price","amount":"-0.05"}]`)
	f.Fuzz(func(t *testing.T, access, rules string) {
		want, wantErr := decodeAsJSON(access, rules)
		got := cohort.Group{ID: 4711}
		err := decodeGroup(&got, access, rules)
		switch {
		case err != nil && (wantErr == nil || !strings.Contains(err.Error(), "of group 4711")):
			t.Fatalf("%q, %q: error %v, JSON says %v", access, rules, err, wantErr)
		case err != nil, !utf8.ValidString(access + rules): // encoding/json replaces invalid UTF-8
			return
		case wantErr != nil:
			if !strings.ContainsFunc(access+rules, isControl) { // no type contains control characters
				checkRoundTrip(t, got)
			}
			return
		}
		got.ID = 0
		if diff := cmp.Diff(want, got, sameDecimal, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q, %q (-JSON +got):\n%s", access, rules, diff)
		}
	})
}

func isControl(r rune) bool { return !unicode.IsPrint(r) }

// checkRoundTrip fails unless a group is the same after encoding and decoding.
func checkRoundTrip(t *testing.T, want cohort.Group) {
	t.Helper()
	for _, r := range want.DiscountRules {
		if e := r.Amount.Exponent(); e > 100 || e < -100 {
			return // its text would be very long
		}
	}
	access, rules := encodeGroup(want)
	got := cohort.Group{ID: want.ID}
	err := decodeGroup(&got, access, rules)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Fatalf("%s, %s: error %v (-want +got):\n%s", access, rules, err, diff)
	}
}

// BenchmarkDecodeGroup decodes the JSON columns of a group with four categories
// and three rules, and compares with encoding/json.
func BenchmarkDecodeGroup(b *testing.B) {
	access, rules := encodeGroup(cohort.Group{
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{18, 19, 20, 21}},
		DiscountRules: []cohort.DiscountRule{
			{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.RequireFromString("5")},
			{Type: cohort.RuleCategory, TargetID: 18, Method: cohort.MethodPrice, Amount: decimal.RequireFromString("2.50")},
			{Type: cohort.RuleProduct, TargetID: 1077, Method: cohort.MethodFixed, Amount: decimal.RequireFromString("9.99")},
		},
	})
	b.Run("parser", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var got cohort.Group
			if err := decodeGroup(&got, access, rules); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeAsJSON(access, rules); err != nil {
				b.Fatal(err)
			}
		}
	})
}
