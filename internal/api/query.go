package api

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"cohort.example/cohort"
)

// Param is one parameter of a query string.
type Param struct{ Name, Value string }

// maxParams is the maximum number of distinct parameters. It bounds the work for
// one query string; the longest list of filters has 14.
const maxParams = 100

// ParseQuery returns the parameters of a query string in the order in which they
// were sent. Of parameters with the same name it returns the last value, at the
// position of the first. It returns KindInvalid for malformed escapes, for text
// that is not UTF-8 or contains U+0000, and for too many parameters.
func ParseQuery(raw string) ([]Param, error) {
	params := []Param{}
	indexes := map[string]int{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		p, ok := parseParam(pair)
		if !ok {
			return nil, &cohort.Error{Kind: cohort.KindInvalid, Message: "The query string is not valid: it has an escape that cannot be read, text that is not UTF-8, or a zero character."}
		}
		if i, repeated := indexes[p.Name]; repeated {
			params[i].Value = p.Value
			continue
		}
		if len(params) == maxParams {
			return nil, &cohort.Error{Kind: cohort.KindInvalid, Message: "The query string has too many parameters."}
		}
		indexes[p.Name] = len(params)
		params = append(params, p)
	}
	return params, nil
}

func parseParam(pair string) (Param, bool) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(rawName)
	if err != nil {
		return Param{}, false
	}
	value, err := url.QueryUnescape(rawValue)
	if err != nil {
		return Param{}, false
	}
	return Param{name, value}, isText(name) && isText(value)
}

// isText reports whether every database accepts the text. PostgreSQL rejects
// U+0000.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
