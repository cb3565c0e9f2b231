package api

import (
	"net/http"
	"slices"
	"strings"
)

// Condition is an If-Match header.
type Condition struct {
	any  bool     // "*": any representation that exists
	tags []string // strong ones
}

// IfMatch returns the If-Match header of a request, or nil if it has none. A malformed one
// is an HTTPError with status 400: the client relies on a condition that would never hold.
func (r *Request) IfMatch() (*Condition, error) {
	values := r.Header["If-Match"]
	if len(values) == 0 {
		return nil, nil
	}
	list := strings.Trim(strings.Join(values, ","), " \t,")
	if list == "*" {
		return &Condition{any: true}, nil
	}
	c := &Condition{}
	for list != "" {
		weak := strings.HasPrefix(list, "W/")
		tag, rest, ok := cutTag(strings.TrimPrefix(list, "W/"))
		if !ok {
			break
		}
		if !weak { // RFC 9110: the comparison is strong
			c.tags = append(c.tags, versionOf(tag))
		}
		list = rest
		if list == "" {
			return c, nil
		}
	}
	return nil, &HTTPError{Status: http.StatusBadRequest, Message: `The If-Match header must be * or a list of ETags in double quotes, separated by commas.`}
}

// cutTag returns the ETag at the beginning of a list, with its quotes, and the list after
// it.
func cutTag(list string) (tag, rest string, ok bool) {
	if !strings.HasPrefix(list, `"`) {
		return "", "", false
	}
	inner, rest, ok := strings.Cut(list[1:], `"`)
	if !ok || strings.ContainsFunc(inner, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return "", "", false
	}
	next := strings.TrimLeft(rest, " \t")
	if next != "" && next[0] != ',' {
		return "", "", false
	}
	return `"` + inner + `"`, strings.TrimLeft(next, " \t,"), true
}

// Holds reports whether the condition holds for a resource whose response has the body.
func (c *Condition) Holds(body []byte) bool {
	return c.any || slices.Contains(c.tags, NewDocument(body).etag[0])
}
