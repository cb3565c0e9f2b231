package fault

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// selects reports whether a request matches.
func (a *armed) selects(r Request, body *lazyBody) bool {
	rule := a.rule
	switch {
	case rule.Operation != "" && rule.Operation != r.Operation,
		rule.Method != "" && rule.Method != r.Method,
		rule.Path != "" && !matchPath(rule.Path, r.Path),
		!matchValues(rule.Match.Query, func(name string) []string { return r.HTTP.URL.Query()[name] }),
		!matchValues(rule.Match.Header, func(name string) []string { return r.HTTP.Header.Values(name) }):
		return false
	}
	return rule.Match.Body == nil || body.includes(a.part)
}

// matchPath reports whether a path matches a pattern in which a star stands for any
// characters.
func matchPath(pattern, path string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == path
	}
	rest, ok := strings.CutPrefix(path, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
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
		return ok && sameNumber(number, part)
	}
	return value == part
}

func sameNumber(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return a == b || errX == nil && errY == nil && x == y
}
