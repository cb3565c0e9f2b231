package api_test

import (
	"runtime"
	"strings"
	"testing"

	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
)

func parseValue(t *testing.T, text string) api.Value {
	t.Helper()
	o, err := api.ParseObject([]byte(`{"v":` + text + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return o[0].Value
}

// types has which methods of a Value accept it.
type types struct{ Null, Bool, Text, Number, Array, Object bool }

func TestValueTypes(t *testing.T) {
	tests := map[string]types{
		"null":     {Null: true},
		"true":     {Bool: true},
		"false":    {Bool: true},
		`"true"`:   {Text: true, Number: true}, // a string may contain a number; the caller checks
		`"\u0031"`: {Text: true, Number: true},
		"0":        {Number: true},
		"-1.5e3":   {Number: true},
		"[]":       {Array: true},
		"[null]":   {Array: true},
		"{}":       {Object: true},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			v := parseValue(t, text)
			got := types{Null: v.IsNull()}
			_, got.Bool = v.Bool()
			_, got.Text = v.Text()
			_, got.Number = v.Number()
			_, got.Array = v.Array()
			_, got.Object = v.Object()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestValueBool(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "false": false} {
		if got, ok := parseValue(t, text).Bool(); got != want || !ok {
			t.Errorf("%s: got %v, %v", text, got, ok)
		}
	}
}

func TestValueText(t *testing.T) {
	tests := map[string]string{
		`""`:                         "",
		`"a b"`:                      "a b",
		`"é😀"`:                       "é😀",
		`"\"\\\/\b\f\n\r\t"`:         "\"\\/\b\f\n\r\t",
		`"\u00e9\uD83D\ude00\u0000"`: "é😀\x00",
		`"\ufffd"`:                   "\ufffd", // sent explicitly, so not an error
		"\"\u2028\x7f\"":             "\u2028\x7f",
	}
	for text, want := range tests {
		if got, ok := parseValue(t, text).Text(); got != want || !ok {
			t.Errorf("%s: got %q, %v, want %q", text, got, ok, want)
		}
	}
}

func TestValueInt(t *testing.T) {
	tests := []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true},
		{"-7", -7, true},
		{`"12"`, 12, true},
		{`"\u0031"`, 1, true},
		{"9223372036854775807", 1<<63 - 1, true},
		{"-9223372036854775808", -1 << 63, true},
		{"9223372036854775808", 0, false},
		{"1.0", 0, false},
		{"1e3", 0, false},
		{`"+1"`, 0, false},
		{`" 1"`, 0, false},
		{`""`, 0, false},
		{`"0x1"`, 0, false},
		{`"1_000"`, 0, false},
		{`"١"`, 0, false},
		{"true", 0, false},
		{"null", 0, false},
		{"[1]", 0, false},
	}
	for _, tt := range tests {
		got, ok := parseValue(t, tt.text).Int()
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s: got %d, %v, want %d, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func TestValueString(t *testing.T) {
	long := strings.Repeat("é", 65)
	tests := map[string]string{
		`"abc"`:                `abc`,
		`"a\nb"`:               "a\nb",
		`1.50`:                 `1.50`,
		`{"a": [1, null]}`:     `{"a": [1, null]}`,
		`"` + long[:128] + `"`: long[:128],
		`"` + long + `"`:       long[:128] + "…",
	}
	for text, want := range tests {
		if got := parseValue(t, text).String(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// A short text that is kept must not keep the long body that contained it.
func TestTextDoesNotRetainBody(t *testing.T) {
	const bodies, size = 32, 1 << 20
	var kept []string
	before := liveBytes()
	for range bodies {
		o, err := api.ParseObject([]byte(`{"name":"x"` + strings.Repeat(" ", size) + `}`))
		if err != nil {
			t.Fatal(err)
		}
		name, _ := o[0].Value.Text()
		kept = append(kept, name)
	}
	if grown := liveBytes() - before; grown > bodies*size/2 {
		t.Errorf("%d texts of one letter retain %d bytes", bodies, grown)
	}
	runtime.KeepAlive(kept)
}

func liveBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
