package api_test

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
)

// maxDepth is how many arrays and objects may contain a value.
const maxDepth = 32

// The test compares the exact text: a developer uses the byte position to find the
// error.
func TestParseObjectRejects(t *testing.T) {
	const notObject = "The request body must be a JSON object."
	syntax := func(what string) string { return "The request body is not valid JSON: " + what + "." }
	tests := []struct{ name, body, want string }{
		{"empty", "", "The request body is empty."},
		{"space", " \t\r\n", "The request body is empty."},
		{"array", "[]", notObject},
		{"string", ` "x"`, notObject},
		{"number", "-0.5e3", notObject},
		{"true", "true", notObject},
		{"null", "null\n", notObject},

		{"open object", "{", syntax("it ends early, at byte 2")},
		{"open array", `{"a":[1`, syntax("it ends early, at byte 8")},
		{"no value", `{"a":`, syntax("it ends early, at byte 6")},
		{"no colon at the end", `{"a"`, syntax("it ends early, at byte 5")},
		{"no member after comma at the end", `{"a":1,`, syntax("it ends early, at byte 8")},
		{"truncated number", `{"a":-`, syntax("it ends early, at byte 7")},
		{"truncated string", `{"a":"x`, syntax("a string has no end, at byte 8")},
		{"half a name", `{"a`, syntax("a string has no end, at byte 4")},

		{"two values", `{}{}`, syntax("unexpected '{' after the end of the value, at byte 3")},
		{"extra brace", `{"a":1}}`, syntax("unexpected '}' after the end of the value, at byte 8")},
		{"form body", "name=VIP", syntax("unexpected 'n' where a value should begin, at byte 1")},
		{"byte order mark", "\ufeff{}", syntax("unexpected byte 0xef where a value should begin, at byte 1")},
		{"form feed", "\f{}", syntax("unexpected byte 0x0c where a value should begin, at byte 1")},
		{"NUL", "{}\x00", syntax("unexpected byte 0x00 after the end of the value, at byte 3")},
		{"DEL", `{"a":` + "\x7f}", syntax("unexpected byte 0x7f where a value should begin, at byte 6")},

		{"member without quotes", `{a:1}`, syntax("unexpected 'a' where the name of a field should begin, at byte 2")},
		{"member in single quotes", `{'a':1}`, syntax("unexpected ''' where the name of a field should begin, at byte 2")},
		{"comma at the end of an object", `{"a":1,}`, syntax("unexpected '}' where the name of a field should begin, at byte 8")},
		{"comma at the start", `{,}`, syntax("unexpected ',' where the name of a field should begin, at byte 2")},
		{"no colon", `{"a" 1}`, syntax("unexpected '1' where ':' should be, at byte 6")},
		{"no comma", "{\"a\":1\n\"b\":2}", syntax(`unexpected '"' where ',' or '}' should be, at byte 8`)},
		{"comma at the end of an array", `{"a":[1,]}`, syntax("unexpected ']' where a value should begin, at byte 9")},
		{"wrong bracket", `{"a":[1}}`, syntax("unexpected '}' where ',' or ']' should be, at byte 8")},
		{"comment", `{/**/}`, syntax("unexpected '/' where the name of a field should begin, at byte 2")},

		{"truncated literal", `{"a":tru}`, syntax("unexpected 't' where a value should begin, at byte 6")},
		{"literal in capitals", `{"a":True}`, syntax("unexpected 'T' where a value should begin, at byte 6")},
		{"longer literal", `{"a":nullx}`, syntax("unexpected 'x' where ',' or '}' should be, at byte 10")},
		{"NaN", `{"a":NaN}`, syntax("unexpected 'N' where a value should begin, at byte 6")},

		{"leading zero", `{"a":01}`, syntax("unexpected '1' where ',' or '}' should be, at byte 7")},
		{"leading plus", `{"a":+1}`, syntax("unexpected '+' where a value should begin, at byte 6")},
		{"leading point", `{"a":.5}`, syntax("unexpected '.' where a value should begin, at byte 6")},
		{"trailing point", `{"a":5.}`, syntax("unexpected '}' in a number, at byte 8")},
		{"no exponent", `{"a":1e+}`, syntax("unexpected '}' in a number, at byte 9")},
		{"sign alone", `{"a":-x}`, syntax("unexpected 'x' in a number, at byte 7")},
		{"hexadecimal", `{"a":0x1}`, syntax("unexpected 'x' where ',' or '}' should be, at byte 7")},

		{"line break in a string", "{\"a\":\"x\ny\"}", syntax("a control character in a string is not escaped, at byte 8")},
		{"the last control character in a string", "{\"a\":\"\x1f\"}", syntax("a control character in a string is not escaped, at byte 7")},
		{"unknown escape", `{"a":"\x"}`, syntax("a string has an unknown escape, at byte 8")},
		{"short \\u escape", `{"a":"\u12"}`, syntax(`a \u escape needs four hexadecimal digits, at byte 8`)},
		{"not a digit in \\u", `{"a":"\u12g4"}`, syntax(`a \u escape needs four hexadecimal digits, at byte 8`)},
		{"sign in \\u", `{"a":"\u+123"}`, syntax(`a \u escape needs four hexadecimal digits, at byte 8`)},
		{"string that is not UTF-8", "{\"a\":\"x\xff\"}", syntax("a string is not UTF-8, at byte 8")},
		{"overlong UTF-8", "{\"a\":\"\xc0\xaf\"}", syntax("a string is not UTF-8, at byte 7")},
		{"surrogate as UTF-8", "{\"a\":\"\xed\xa0\x80\"}", syntax("a string is not UTF-8, at byte 7")},
		{"name that is not UTF-8", "{\"\xff\":1}", syntax("a string is not UTF-8, at byte 3")},
		{"byte that is not UTF-8 outside of strings", "{\xff}", syntax("unexpected byte 0xff where the name of a field should begin, at byte 2")},

		{"arrays too deep", `{"a":` + strings.Repeat("[", 40), syntax("values are nested more than 32 deep, at byte 38")},
		{"objects too deep", strings.Repeat(`{"a":`, 40), syntax("values are nested more than 32 deep, at byte 166")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := api.ParseObject([]byte(tt.body))
			want := &cohort.Error{Kind: cohort.KindInvalid, Message: tt.want}
			if diff := cmp.Diff(error(want), err); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseObjectHalfSurrogates(t *testing.T) {
	for _, s := range []string{`\ud800`, `\udc00`, `\ud800x`, `\ud800\n`, `\ud800\u0041`, `\ud800\ud800`, `\udc00\ud800`, `\uD83D\uDE0`, `\ud800\`} {
		t.Run(s, func(t *testing.T) {
			for _, body := range []string{`{"a":"` + s + `"}`, `{"` + s + `":1}`} {
				if o, err := api.ParseObject([]byte(body)); cohort.KindOf(err) != cohort.KindInvalid || err == nil {
					t.Errorf("%s: got %v, error %v", body, o, err)
				}
			}
		})
	}
}

func TestParseObjectDepth(t *testing.T) {
	// The object of the body is one of the containers around the value.
	body := func(containers int) []byte {
		return fmt.Appendf(nil, `{"a":%s1%s}`, strings.Repeat("[", containers-1), strings.Repeat("]", containers-1))
	}
	if _, err := api.ParseObject(body(maxDepth)); err != nil {
		t.Errorf("%d deep: %v", maxDepth, err)
	}
	if _, err := api.ParseObject(body(maxDepth + 1)); err == nil {
		t.Errorf("%d deep is accepted", maxDepth+1)
	}
}

func TestParseObjectOrderAndDuplicates(t *testing.T) {
	o, err := api.ParseObject([]byte(` { "b" : 1 , "a" : {"x":1,"x":2} , "b" : [ ] , "c":null, "\u0061": "last" } `))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range o {
		got = append(got, m.Name+"="+m.Value.String())
	}
	if diff := cmp.Diff([]string{"b=[ ]", "a=last", "c=null"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// White space around a value is not part of it, whatever the type.
func TestValuesHaveNoSurroundingSpace(t *testing.T) {
	for _, space := range []string{"", " ", "\t", "\n", "\r", "\r\n\t "} {
		body := strings.ReplaceAll(`_{_"n"_:_1_,_"t"_:_"x"_,_"w"_:_true_,_"a"_:_[_2_,_[_]_,_null_]_,_"o"_:_{_}_}_`, "_", space)
		o, err := api.ParseObject([]byte(body))
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		var got []string
		for _, m := range o {
			got = append(got, m.Name+"="+m.Value.String())
		}
		values, _ := o[3].Value.Array()
		for _, v := range values {
			got = append(got, v.String())
		}
		list := strings.ReplaceAll("[_2_,_[_]_,_null_]", "_", space)
		want := []string{"n=1", "t=x", "w=true", "a=" + list, "o={" + space + "}", "2", "[" + space + "]", "null"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", body, diff)
		}
	}
}

// Duplicate fields are found in small objects, which are searched, and in large ones,
// which are indexed.
func TestObjectDuplicatesAtAnySize(t *testing.T) {
	for _, fields := range []int{1, api.Usual - 1, api.Usual, api.Usual + 1, api.Usual + 2, 5000} {
		var body strings.Builder
		for round := range 3 {
			for i := range fields {
				fmt.Fprintf(&body, `,"f%d":[%d,"\\\"]}"]`, i, round)
			}
		}
		o, err := api.ParseObject([]byte("{" + body.String()[1:] + "}"))
		if err != nil || len(o) != fields {
			t.Fatalf("%d fields: got %d, error %v", fields, len(o), err)
		}
		for i, m := range o {
			if m.Name != fmt.Sprintf("f%d", i) || m.Value.String() != `[2,"\\\"]}"]` {
				t.Fatalf("%d fields: field %d is %s: %s", fields, i, m.Name, m.Value)
			}
		}
	}
}

func TestObject(t *testing.T) {
	o, err := api.ParseObject([]byte(`{"type":"all","n":1,"":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if !o.Has("type") || !o.Has("") || o.Has("Type") || o.Has("all") {
		t.Error("Has does not compare the exact name")
	}
	for name, want := range map[string]string{"type": "all", "n": "", "": "", "absent": ""} {
		if got := o.Text(name); got != want {
			t.Errorf("Text(%q) is %q, want %q", name, got, want)
		}
	}
	less := o.Without("type")
	if less.Has("type") || len(less) != 2 {
		t.Errorf("Without returned %v", less)
	}
	if !o.Has("type") || len(o) != 3 || len(o.Without("absent")) != 3 {
		t.Error("Without changed its receiver")
	}
}

// ParseValue accepts a body of any JSON type, with white space around it.
func TestParseValue(t *testing.T) {
	for body, is := range map[string]func(api.Value) bool{
		"null":         api.Value.IsNull,
		" true\n":      func(v api.Value) bool { b, ok := v.Bool(); return ok && b },
		"\t\"x\" ":     func(v api.Value) bool { return v.Is("x") },
		"-7":           func(v api.Value) bool { n, ok := v.Int(); return ok && n == -7 },
		" [1, {}]\r\n": func(v api.Value) bool { list, ok := v.Array(); return ok && len(list) == 2 },
		" {\"a\":1} ":  func(v api.Value) bool { o, ok := v.Object(); return ok && o.Has("a") },
	} {
		v, err := api.ParseValue([]byte(body))
		if err != nil || !is(v) {
			t.Errorf("%q is parsed as %s, error %v", body, v, err)
		}
	}
	for body, at := range map[string]string{
		"[1,]": "at byte 4.", "[1": "at byte 3.", "nul": "at byte", "1 2": "at byte 3.", "\"\xff\"": "at byte 2.", "01": "at byte 2.",
	} {
		_, err := api.ParseValue([]byte(body))
		if cohort.KindOf(err) != cohort.KindInvalid || !strings.Contains(err.Error(), at) {
			t.Errorf("%q: error %v, want an error %s", body, err, at)
		}
	}
	if _, err := api.ParseValue([]byte(" ")); cohort.KindOf(err) != cohort.KindInvalid {
		t.Errorf("an empty body: error %v", err)
	}
}
