package api_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"cohort.example/cohort/internal/api"
)

// FuzzAppendText compares the encoder of strings with encoding/json, byte for byte,
// also for bytes that are not UTF-8.
func FuzzAppendText(f *testing.F) {
	for _, s := range []string{
		"", "Wholesale", `"`, `\`, "\x00\x01\x07\b\t\n\v\f\r\x1f \x7f", "<script>&amp;</script>", "Straße", "日本語", "😀",
		"\u2027\u2028\u2029\u202a", "a\u2028b\u2029c", "\ufffd", "\xff", "a\xffb", "\xc3", "\xe2\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "é\"\xe2\x80\xa8\"",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		const before = "before"
		got := string(api.AppendText([]byte(before), s))
		if got != before+want.String()[:want.Len()-1] {
			t.Errorf("%q is encoded as %s, by encoding/json as %s", s, got[len(before):], want.String())
		}
	})
}
