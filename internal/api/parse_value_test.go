package api_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// ParseValue takes any JSON value for a body, with white space around it.
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
			t.Errorf("%q is read as %s, error %v", body, v, err)
		}
	}
	for body, at := range map[string]string{
		"[1,]": "at byte 4.", "[1": "at byte 3.", "nul": "at byte", "1 2": "at byte 3.", "\"\xff\"": "at byte 2.", "01": "at byte 2.",
	} {
		_, err := api.ParseValue([]byte(body))
		if cohort.KindOf(err) != cohort.KindInvalid || !strings.Contains(err.Error(), at) {
			t.Errorf("%q: error %v, want one %s", body, err, at)
		}
	}
	if _, err := api.ParseValue([]byte(" ")); cohort.KindOf(err) != cohort.KindInvalid {
		t.Errorf("an empty body: error %v", err)
	}
}
