package cohort_test

import (
	"encoding/json"
	"strings"
	"testing"

	"cohort.example/cohort"
)

// detailFields has a field of each kind.
var detailFields = []cohort.DetailField{
	{Name: "text", Kind: cohort.DetailText, Min: 1, Max: 5},
	{Name: "choice", Kind: cohort.DetailText, Choices: []string{"new", "used"}},
	{Name: "long", Kind: cohort.DetailText},
	{Name: "integer", Kind: cohort.DetailInteger, Min: -3, Max: 10},
	{Name: "any integer", Kind: cohort.DetailInteger},
	{Name: "number", Kind: cohort.DetailNumber, Max: 100},
	{Name: "nullable", Kind: cohort.DetailNumber, Nullable: true},
	{Name: "boolean", Kind: cohort.DetailBoolean},
	{Name: "time", Kind: cohort.DetailTime},
	{Name: "texts", Kind: cohort.DetailArray, Max: 3, Element: &cohort.DetailField{Kind: cohort.DetailText}},
	{Name: "integers", Kind: cohort.DetailArray, Max: 2, Element: &cohort.DetailField{Kind: cohort.DetailInteger}},
	{Name: "object", Kind: cohort.DetailObject, Fields: []cohort.DetailField{
		{Name: "url", Kind: cohort.DetailText, Required: true},
		{Name: "own", Kind: cohort.DetailBoolean, Default: "true"},
		{Name: "rest", Kind: cohort.DetailText},
	}},
	{Name: "any object", Kind: cohort.DetailObject, Max: 30},
	{Name: "short object", Kind: cohort.DetailObject, Max: 10, Fields: []cohort.DetailField{{Name: "a", Kind: cohort.DetailText}}},
}

func TestParseDetail(t *testing.T) {
	for _, tt := range []struct{ field, value, want string }{
		{"text", `"a<&>b"`, `"a<&>b"`},
		{"text", `"\u0041é"`, `"Aé"`},
		{"text", `""`, "empty"},
		{"text", `"123456"`, "longer than 5"},
		{"text", `"a\u0000"`, "not allowed"},
		{"text", `7`, "a string"},
		{"text", `null`, "not be null"},
		{"choice", `"used"`, `"used"`},
		{"choice", `"old"`, "one of: new, used"},
		{"long", `"` + strings.Repeat("é", 65_535) + `"`, `"` + strings.Repeat("é", 65_535) + `"`},
		{"long", `"` + strings.Repeat("é", 65_536) + `"`, "longer than 65535"},
		{"integer", `10`, `10`},
		{"integer", `"-3"`, `-3`},
		{"integer", `11`, "from -3 to 10"},
		{"integer", `1.5`, "whole number"},
		{"integer", `9223372036854775808`, "whole number"},
		{"any integer", `-9223372036854775808`, `-9223372036854775808`},
		{"number", `1.50`, `1.5`},
		{"number", `1e1`, `10`},
		{"number", `-0.1`, "from 0 to 100"},
		{"number", `100.1`, "from 0 to 100"},
		{"number", `1e999999999`, "a number"},
		{"number", `true`, "a number"},
		{"nullable", `null`, `null`},
		{"any object", `{ "b" : [1, {"<": null}], "a": 1.0 }`, `{"b":[1,{"<":null}],"a":1.0}`},
		{"any object", `{"colors":["\u0000"]}`, `{"colors":["\u0000"]}`},
		{"any object", `{}`, `{}`},
		{"any object", `[]`, "an object"},
		{"any object", `"{}"`, "an object"},
		{"any object", `{"a":"` + strings.Repeat("é", 12) + `"}`, "30 bytes"},
		{"any object", "{\"a\":\"\xff\"}", "not allowed"},
		{"short object", `{ "a" : "12" }`, `{"a":"12"}`},
		{"short object", `{"a":"123"}`, "10 bytes"},
		{"boolean", `false`, `false`},
		{"boolean", `0`, "true or false"},
		{"time", `"2026-01-31T14:00:00+02:00"`, `"2026-01-31T12:00:00Z"`},
		{"time", `"2026-01-31"`, "a date with time and zone"},
		{"texts", ` [ "a" , "b" ] `, `["a","b"]`},
		{"texts", `["a","b","c","d"]`, "at most 3 elements"},
		{"texts", `["` + strings.Repeat("x", 40_000) + `","` + strings.Repeat("x", 40_000) + `"]`, "at most 65535 characters together"},
		{"texts", `["a",3]`, "at 1: "},
		{"texts", `"a"`, "an array"},
		{"integers", `[1,"2"]`, `[1,2]`},
		{"object", `{"own":false,"url":"/x/"}`, `{"url":"/x/","own":false}`},
		{"object", `{"url":"/x/"}`, `{"url":"/x/","own":true}`},
		{"object", `{}`, "url: "},
		{"object", `{"url":"/x/","other":1}`, "other: "},
		{"object", `[]`, "an object"},
	} {
		for _, f := range detailFields {
			if f.Name != tt.field {
				continue
			}
			got, err := f.Parse([]byte(tt.value))
			switch {
			case json.Valid([]byte(tt.want)):
				if err != nil || string(got) != tt.want {
					t.Errorf("%s %.60s: %.60s, %v, want %.60s", tt.field, tt.value, got, err, tt.want)
				}
			case cohort.KindOf(err) != cohort.KindInvalid || !strings.Contains(err.Error(), tt.want):
				t.Errorf("%s %.60s: %.60s, %v, want an error with %q", tt.field, tt.value, got, err, tt.want)
			}
		}
	}
}

// A parsed value is JSON, and parses to itself.
func FuzzParseDetail(f *testing.F) {
	for _, seed := range []string{`"a"`, `1`, `-1.50`, `null`, `true`, `["a"]`, `[1]`, `{"url":"x"}`, `"2026-01-31T14:00:00+02:00"`, `[[]]`, `1e5`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !json.Valid([]byte(value)) {
			return
		}
		for _, field := range detailFields {
			parsed, err := field.Parse([]byte(value))
			if err != nil {
				if cohort.KindOf(err) != cohort.KindInvalid {
					t.Errorf("%s %s: %v", field.Name, value, err)
				}
				continue
			}
			again, err := field.Parse(parsed)
			if !json.Valid(parsed) || err != nil || string(again) != string(parsed) {
				t.Errorf("%s %s: %s, then %s, %v", field.Name, value, parsed, again, err)
			}
		}
	})
}

func TestMergeDetails(t *testing.T) {
	before := cohort.Details{"a": json.RawMessage("1"), "b": json.RawMessage("2")}
	after := before.Merge(cohort.Details{"b": json.RawMessage("3")})
	if string(after["a"]) != "1" || string(after["b"]) != "3" || string(before["b"]) != "2" {
		t.Errorf("%s and %s", before, after)
	}
}
