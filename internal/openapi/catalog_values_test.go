package openapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// markup is text that a server must keep as it is.
const markup = `<p onclick=\"x()\">&amp; \u00e9 <script>alert('1')</script>`

// valuesOf returns two values that conform to a schema, at its bounds where it has any.
func valuesOf(t *testing.T, s *openapi3.Schema, name string) [2]string {
	t.Helper()
	s = plain(s)
	switch {
	case s.Const != nil:
		return [2]string{jsonOf(s.Const), jsonOf(s.Const)}
	case len(s.Enum) > 0:
		return [2]string{jsonOf(s.Enum[len(s.Enum)-1-min(1, len(s.Enum)-1)]), jsonOf(s.Enum[0])}
	case s.Type.Includes("boolean"):
		return [2]string{"true", "false"}
	case s.Type.Includes("integer"), s.Type.Includes("number"):
		return [2]string{bound(s.Max, "7"), bound(s.Min, "0")}
	case s.Format == "date-time":
		return [2]string{`"2027-01-31T12:00:00Z"`, `"2026-12-31T23:59:59Z"`}
	case s.Type.Includes("string"):
		return textsOf(s, name)
	case s.Items != nil:
		values := valuesOf(t, s.Items.Value, name)
		return [2]string{"[" + values[0] + "]", "[" + values[1] + "]"}
	case s.Type.Includes("object"):
		return objectsOf(t, s)
	}
	t.Fatalf("no values for the schema of %s", name)
	return [2]string{}
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func bound(at *float64, unbounded string) string {
	if at == nil {
		return unbounded
	}
	return strconv.FormatFloat(*at, 'f', -1, 64)
}

// textsOf returns a text of the greatest length, and one with markup if it fits.
func textsOf(s *openapi3.Schema, name string) [2]string {
	longest := uint64(300)
	if s.MaxLength != nil {
		longest = *s.MaxLength
	}
	first := `"` + strings.Repeat("é", int(longest)) + `"`
	switch {
	case s.MinLength > 0: // names, which are unique
		return [2]string{first, `"<b>` + name + ` {n}</b>"`}
	case longest > uint64(len(markup)):
		return [2]string{first, `"` + markup + `"`}
	}
	return [2]string{first, `""`}
}

func objectsOf(t *testing.T, s *openapi3.Schema) [2]string {
	t.Helper()
	var objects [2]string
	for i := range objects {
		var members []string
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if name != "id" && !strings.Contains(s.Properties[name].Value.Description, "Ignored") {
				members = append(members, jsonOf(name)+":"+valuesOf(t, s.Properties[name].Value, name)[i])
			}
		}
		objects[i] = "{" + strings.Join(members, ",") + "}"
	}
	return objects
}

// wrongValues returns values that do not conform to a schema: of other types, and just
// beyond its bounds.
func wrongValues(s *openapi3.Schema) (wrong []string) {
	s = plain(s)
	switch {
	case len(s.Enum) > 0:
		return []string{`"no such value"`, `7`, `{}`}
	case s.Type.Includes("boolean"):
		return []string{`7`, `"maybe"`, `{}`}
	case s.Type.Includes("integer"), s.Type.Includes("number"):
		wrong = []string{`"x"`, `{}`, `[]`}
		if s.Max != nil {
			wrong = append(wrong, strconv.FormatFloat(*s.Max+1, 'f', -1, 64))
		}
		if s.Min != nil {
			wrong = append(wrong, strconv.FormatFloat(*s.Min-1, 'f', -1, 64))
		}
		if s.Type.Includes("integer") {
			wrong = append(wrong, `1.5`)
		}
		return wrong
	case s.Type.Includes("string"):
		wrong = []string{`7`, `{}`, `["x"]`}
		if s.MaxLength != nil {
			wrong = append(wrong, `"`+strings.Repeat("é", int(*s.MaxLength)+1)+`"`)
		}
		if s.MinLength > 0 {
			wrong = append(wrong, `""`)
		}
		return wrong
	case s.Items != nil:
		wrong = []string{`7`, `"x"`, `{}`}
		if s.MaxItems != nil {
			wrong = append(wrong, tooMany(int(*s.MaxItems)))
		}
		for _, element := range wrongValues(s.Items.Value) {
			wrong = append(wrong, "["+element+"]")
		}
		return wrong
	}
	return []string{`7`, `"x"`, `[]`}
}

// tooMany returns an array with one number more than allowed, all different.
func tooMany(allowed int) string {
	var numbers []string
	for n := range allowed + 1 {
		numbers = append(numbers, strconv.Itoa(n+1))
	}
	return "[" + strings.Join(numbers, ",") + "]"
}
