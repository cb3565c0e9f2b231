package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrettyJSON(t *testing.T) {
	long := strings.Repeat("x", prettyWidth)
	for text, want := range map[string]string{
		"":                     "",
		"not JSON":             "not JSON",
		`{"a": [1, 2.50]}`:     `{"a":[1,2.50]}`,
		`[]`:                   `[]`,
		`"` + long + `"`:       `"` + long + `"`,
		`["` + long + `",{}]`:  "[\n  \"" + long + "\",\n  {}\n]",
		`{"b":"` + long + `"}`: "{\n  \"b\": \"" + long + "\"\n}",
		`{"b":{"a":["` + long + `",1]},"a":{"z":1}}`: "{\n  \"b\": {\n    \"a\": [\n      \"" + long + "\",\n      1\n    ]\n  },\n  \"a\": {\"z\":1}\n}",
	} {
		got := prettyJSON(text)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		if json.Valid([]byte(text)) && !json.Valid([]byte(got)) {
			t.Errorf("%s is not JSON any more: %s", text, got)
		}
	}
}
