package api_test

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
)

// maxDepth is how many arrays and objects may stand around a value.
const maxDepth = 32

// TestParseObjectRefuses holds the exact text, because a person who sees it
// goes looking at that byte.
func TestParseObjectRefuses(t *testing.T) {
	const notObject = "The request body must be a JSON object."
	syntax := func(what string) string { return "The request body is not valid JSON: " + what + "." }
	tests := []struct{ name, body, want string }{
		{"nothing", "", "The request body is empty."},
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
		{"half a number", `{"a":-`, syntax("it ends early, at byte 7")},
		{"half a string", `{"a":"x`, syntax("a string has no end, at byte 8")},
		{"half a name", `{"a`, syntax("a string has no end, at byte 4")},

		{"two values", `{}{}`, syntax("unexpected '{' after the end of the value, at byte 3")},
		{"a brace too many", `{"a":1}}`, syntax("unexpected '}' after the end of the value, at byte 8")},
		{"form body", "name=VIP", syntax("unexpected 'n' where a value should begin, at byte 1")},
		{"byte order mark", "\ufeff{}", syntax("unexpected byte 0xef where a value should begin, at byte 1")},
		{"form feed is no space", "\f{}", syntax("unexpected byte 0x0c where a value should begin, at byte 1")},
		{"NUL", "{}\x00", syntax("unexpected byte 0x00 after the end of the value, at byte 3")},
		{"DEL cannot be shown", `{"a":` + "\x7f}", syntax("unexpected byte 0x7f where a value should begin, at byte 6")},

		{"member without quotes", `{a:1}`, syntax("unexpected 'a' where the name of a field should begin, at byte 2")},
		{"member in single quotes", `{'a':1}`, syntax("unexpected ''' where the name of a field should begin, at byte 2")},
		{"comma at the end of an object", `{"a":1,}`, syntax("unexpected '}' where the name of a field should begin, at byte 8")},
		{"comma at the start", `{,}`, syntax("unexpected ',' where the name of a field should begin, at byte 2")},
		{"no colon", `{"a" 1}`, syntax("unexpected '1' where ':' should be, at byte 6")},
		{"no comma", "{\"a\":1\n\"b\":2}", syntax(`unexpected '"' where ',' or '}' should be, at byte 8`)},
		{"comma at the end of an array", `{"a":[1,]}`, syntax("unexpected ']' where a value should begin, at byte 9")},
		{"wrong bracket", `{"a":[1}}`, syntax("unexpected '}' where ',' or ']' should be, at byte 8")},
		{"comment", `{/**/}`, syntax("unexpected '/' where the name of a field should begin, at byte 2")},

		{"half a literal", `{"a":tru}`, syntax("unexpected 't' where a value should begin, at byte 6")},
		{"literal in capitals", `{"a":True}`, syntax("unexpected 'T' where a value should begin, at byte 6")},
		{"longer literal", `{"a":nullx}`, syntax("unexpected 'x' where ',' or '}' should be, at byte 10")},
		{"NaN", `{"a":NaN}`, syntax("unexpected 'N' where a value should begin, at byte 6")},

		{"zero in front", `{"a":01}`, syntax("unexpected '1' where ',' or '}' should be, at byte 7")},
		{"plus in front", `{"a":+1}`, syntax("unexpected '+' where a value should begin, at byte 6")},
		{"point in front", `{"a":.5}`, syntax("unexpected '.' where a value should begin, at byte 6")},
		{"point at the end", `{"a":5.}`, syntax("unexpected '}' in a number, at byte 8")},
		{"no exponent", `{"a":1e+}`, syntax("unexpected '}' in a number, at byte 9")},
		{"sign alone", `{"a":-x}`, syntax("unexpected 'x' in a number, at byte 7")},
		{"hexadecimal", `{"a":0x1}`, syntax("unexpected 'x' where ',' or '}' should be, at byte 7")},

		{"line end in a string", "{\"a\":\"x\ny\"}", syntax("a control character in a string is not escaped, at byte 8")},
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

func TestParseObjectKeepsOrderAndTheLastOfRepeats(t *testing.T) {
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

// TestValuesWithoutSpace: the space around a value, of whatever kind, is no part
// of it.
func TestValuesWithoutSpace(t *testing.T) {
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

// TestObjectOfAnySize: repeats are found among few fields and among many.
func TestObjectOfAnySize(t *testing.T) {
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
				t.Fatalf("%d fields: number %d is %s: %s", fields, i, m.Name, m.Value)
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
		t.Error("Has does not go by the exact name")
	}
	for name, want := range map[string]string{"type": "all", "n": "", "": "", "absent": ""} {
		if got := o.Text(name); got != want {
			t.Errorf("Text(%q) is %q, want %q", name, got, want)
		}
	}
	less := o.Without("type")
	if less.Has("type") || len(less) != 2 {
		t.Errorf("Without left %v", less)
	}
	if !o.Has("type") || len(o) != 3 || len(o.Without("absent")) != 3 {
		t.Error("Without changed the object that it was called on")
	}
}
