package api_test

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
)

// maxParams is the maximum number of distinct parameters.
const maxParams = 100

// manyParams returns a query with n distinct parameters.
func manyParams(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&p" + strconv.Itoa(i))
	}
	return b.String()
}

func TestParseQuery(t *testing.T) {
	tests := []struct {
		name, raw string
		want      []api.Param
	}{
		{"empty", "", []api.Param{}},
		{"only separators", "&&&", []api.Param{}},
		{"order as sent", "b=1&a=2", []api.Param{{"b", "1"}, {"a", "2"}}},
		{"duplicates: the last value at the first position", "a=1&b=2&a=3&a=", []api.Param{{"a", ""}, {"b", "2"}}},
		{"duplicates by decoded name", "name:like=1&name%3Alike=2", []api.Param{{"name:like", "2"}}},
		{"escapes", "name=A%26B+%2B%C3%A9", []api.Param{{"name", "A&B +é"}}},
		{"no value", "a&b=", []api.Param{{"a", ""}, {"b", ""}}},
		{"no name", "=1", []api.Param{{"", "1"}}},
		{"equals in the value", "a=b=c", []api.Param{{"a", "b=c"}}},
		{"a semicolon is not a separator", "a=1;b=2", []api.Param{{"a", "1;b=2"}}},
		{"brackets", "id[]=1", []api.Param{{"id[]", "1"}}},
		{"plain UTF-8", "name=straße", []api.Param{{"name", "straße"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := api.ParseQuery(tt.raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseQueryRejects(t *testing.T) {
	const text = "The query string is not valid: it has an escape that cannot be read, text that is not UTF-8, or a zero character."
	tests := []struct{ name, raw, want string }{
		{"truncated escape", "a=%4", text},
		{"escape that is not hexadecimal", "a=%zz", text},
		{"bad escape in a name", "%=1", text},
		{"bad escape in a duplicate that is replaced", "a=%&a=1", text},
		{"value that is not UTF-8", "a=%ff", text},
		{"name that is not UTF-8", "\xff=1", text},
		{"half of a surrogate pair", "a=%ED%A0%80", text},
		{"zero character", "a=b%00", text},
		{"too many parameters", manyParams(maxParams + 1), "The query string has too many parameters."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := api.ParseQuery(tt.raw)
			want := &cohort.Error{Kind: cohort.KindInvalid, Message: tt.want}
			if diff := cmp.Diff(error(want), err); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseQueryCountsDifferentParameters(t *testing.T) {
	for name, raw := range map[string]string{
		"the maximum":             manyParams(maxParams),
		"the maximum, each twice": manyParams(maxParams) + manyParams(maxParams),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := api.ParseQuery(raw); err != nil || len(got) != maxParams {
				t.Errorf("got %d, error %v", len(got), err)
			}
		})
	}
}

// FuzzParseQuery compares the parser with net/url, which differs in two ways: it
// rejects semicolons, and it accepts text that is not UTF-8 or contains U+0000.
func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{
		"", "page=1&limit=50", "name%3Alike=%C3%A9&is_default=true", "a=1&b=2&a=3", "a=%zz", "a=%ff", "&&=&a", "a=1;b=2",
		"+=+&%2B=%2B", manyParams(maxParams), manyParams(maxParams + 1), "date_created:min=2018-09-05T13:43:54+01:00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := api.ParseQuery(raw)
		if err != nil && cohort.KindOf(err) != cohort.KindInvalid {
			t.Fatalf("%q: the error is not KindInvalid: %v", raw, err)
		}
		if len(got) > maxParams {
			t.Fatalf("%q: %d parameters", raw, len(got))
		}
		if strings.Contains(raw, ";") || strings.Count(raw, "&") > 1000 { // net/url has a limit of its own
			return
		}
		want, urlErr := url.ParseQuery(raw)
		if ok := urlErr == nil && allText(want) && len(want) <= maxParams; ok != (err == nil) {
			t.Fatalf("%q: error %v, but from net/url %v", raw, err, urlErr)
		}
		if err == nil {
			compareQuery(t, raw, want, got)
		}
	})
}

func allText(values url.Values) bool {
	for name, all := range values {
		isNot := func(s string) bool { return !utf8.ValidString(s) || strings.ContainsRune(s, 0) }
		if isNot(name) || slices.ContainsFunc(all, isNot) {
			return false
		}
	}
	return true
}

func compareQuery(t *testing.T, raw string, want url.Values, got []api.Param) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%q: got %q, net/url has %q", raw, got, want)
	}
	for _, p := range got {
		all := want[p.Name]
		if len(all) == 0 || all[len(all)-1] != p.Value {
			t.Fatalf("%q: %q is %q, net/url has %q", raw, p.Name, p.Value, all)
		}
	}
	if order := firstNames(raw); !slices.EqualFunc(got, order, func(p api.Param, name string) bool { return p.Name == name }) {
		t.Fatalf("%q: the order is %q, sent %q", raw, got, order)
	}
}

// firstNames returns each name of a valid query once, in the order sent.
func firstNames(raw string) []string {
	var names []string
	for pair := range strings.FieldsFuncSeq(raw, func(r rune) bool { return r == '&' }) {
		rawName, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(rawName); err == nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
