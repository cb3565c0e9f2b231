package fault

import (
	"bytes"
	"encoding/json"
	"slices"

	"cohort.example/cohort/internal/match"
)

// selects reports whether a request matches.
func (a *armed) selects(r Request, body *lazyBody) bool {
	rule := a.rule
	switch {
	case rule.Operation != "" && rule.Operation != r.Operation,
		rule.Method != "" && rule.Method != r.Method,
		rule.Path != "" && !match.Path(rule.Path, r.Path),
		!matchValues(rule.Match.Query, func(name string) []string { return r.HTTP.URL.Query()[name] }),
		!matchValues(rule.Match.Header, func(name string) []string { return r.HTTP.Header.Values(name) }):
		return false
	}
	return rule.Match.Body == nil || body.includes(a.part)
}

// matchValues reports whether each name has the wanted value among its values.
func matchValues(want map[string]string, values func(name string) []string) bool {
	for name, value := range want {
		if !slices.Contains(values(name), value) {
			return false
		}
	}
	return true
}

// decode decodes JSON and keeps numbers as they are written.
func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return v, d.Decode(&v)
}

// lazyBody is the body of a request, decoded when the first rule looks at it.
type lazyBody struct {
	text    []byte
	value   any
	err     error
	decoded bool
}

// includes reports whether the body is JSON that includes a part.
func (b *lazyBody) includes(part any) bool {
	if !b.decoded {
		b.value, b.err = decode(b.text)
		b.decoded = true
	}
	return b.err == nil && includes(b.value, part)
}

// includes reports whether a value that was decoded from JSON includes another: objects may
// have further members, an array has the same number of elements, and each includes the
// other's. Numbers are equal if their values are.
func includes(value, part any) bool {
	switch part := part.(type) {
	case map[string]any:
		object, ok := value.(map[string]any)
		if !ok {
			return false
		}
		for name, wanted := range part {
			if member, has := object[name]; !has || !includes(member, wanted) {
				return false
			}
		}
		return true
	case []any:
		list, ok := value.([]any)
		if !ok || len(list) != len(part) {
			return false
		}
		for i := range part {
			if !includes(list[i], part[i]) {
				return false
			}
		}
		return true
	case json.Number:
		number, ok := value.(json.Number)
		return ok && match.Numbers(number, part)
	}
	return value == part
}
