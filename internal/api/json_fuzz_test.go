package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// FuzzParseObject compares the parser with encoding/json. If the parser accepts a
// body, encoding/json accepts it with the same values. If the parser rejects a body,
// encoding/json rejects it too, or it has a property that only the API rejects.
func FuzzParseObject(f *testing.F) {
	for _, s := range []string{
		`{}`, ` {"a" : 1 , "b":[true,false,null,"x",-1.5e+3,{"c":{}}]}` + "\n", `{"a":1,"a":{"b":2},"a":{"c":3}}`,
		`{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `{"\u0061":1,"a":2}`, "{\"a\":\"\xff\"}", "\ufeff{}", `{"a":01}`,
		`{"a":[1,]}`, `[{}]`, `null`, ``, `{"a":"\`, `{"a":"\u12`, `{"":0e0}`, "{\"\u2028\":\"\x7f\"}",
		`{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`,
		`{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`,
		`{"a":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`,
		`{"name":"VIP","category_access":{"type":"specific","categories":[1,"2"]},"discount_rules":[{"type":"all","method":"percent","amount":"5.0000"}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := api.ParseObject(body)
		if err != nil {
			checkRejection(t, body, err)
			return
		}
		if !utf8.Valid(body) {
			t.Fatalf("%q is not UTF-8 but is accepted", body)
		}
		// cmp.Diff takes twice as long with every level of nesting.
		if want, got := decodeStandard(t, body), decodeObject(t, got); !reflect.DeepEqual(want, got) {
			t.Fatalf("%q: encoding/json has\n%#v, the parser has\n%#v", body, want, got)
		}
	})
}

var atByte = regexp.MustCompile(`at byte ([0-9]+)\.$`)

func checkRejection(t *testing.T, body []byte, err error) {
	t.Helper()
	if cohort.KindOf(err) != cohort.KindInvalid {
		t.Fatalf("%q: the error is not KindInvalid: %v", body, err)
	}
	if m := atByte.FindStringSubmatch(err.Error()); m != nil {
		if n, convErr := strconv.Atoi(m[1]); convErr != nil || n < 1 || n > len(body)+1 {
			t.Fatalf("%q: the byte is out of range: %v", body, err)
		}
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Fatalf("%q: the message is not printable ASCII: %q", body, err)
	}
	if json.Valid(body) && utf8.Valid(body) && isObject(body) && depth(body) <= maxDepth && wholeEscapes.Match(body) {
		t.Fatalf("%q is valid but is rejected: %v", body, err)
	}
}

func isObject(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
}

// depth returns the largest number of containers around a value of valid JSON.
func depth(body []byte) int {
	dec := json.NewDecoder(bytes.NewReader(body))
	open, deepest := 0, 0
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return deepest
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			open--
			continue
		}
		deepest = max(deepest, open)
		if token == json.Delim('{') || token == json.Delim('[') {
			open++
		}
	}
}

// wholeEscapes matches valid JSON in which every escaped surrogate is part of a pair.
var wholeEscapes = regexp.MustCompile(`^(?:[^\\]|\\[^u]|\\u(?:[^dD].|[dD][0-7])..|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*$`)

func decodeStandard(t *testing.T, body []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%q is accepted, but encoding/json rejects it: %v", body, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Fatalf("%q is accepted with data after the value", body)
	}
	return v
}

func decodeObject(t *testing.T, o api.Object) any {
	t.Helper()
	m := map[string]any{}
	for _, member := range o {
		if _, repeated := m[member.Name]; repeated {
			t.Fatalf("the field %q is duplicated", member.Name)
		}
		m[member.Name] = decodeValue(t, member.Value)
	}
	return m
}

func decodeValue(t *testing.T, v api.Value) any {
	t.Helper()
	if s := v.String(); !utf8.ValidString(s) || utf8.RuneCountInString(s) > 65 {
		t.Fatalf("%q is too long for an error text", s)
	}
	if v.IsNull() {
		return nil
	}
	if b, ok := v.Bool(); ok {
		return b
	}
	if s, ok := v.Text(); ok {
		return s
	}
	if n, ok := v.Number(); ok {
		return json.Number(n)
	}
	if values, ok := v.Array(); ok {
		all := []any{}
		for _, v := range values {
			all = append(all, decodeValue(t, v))
		}
		return all
	}
	o, ok := v.Object()
	if !ok {
		t.Fatalf("%s has no type", v)
	}
	return decodeObject(t, o)
}
