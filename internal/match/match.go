// Package match has what the rules of faults and the criteria of the journal share: how a
// request matches what a client has written.
package match

import (
	"encoding/json"
	"strings"
)

// Path reports whether a path matches a pattern in which a star stands for any characters.
func Path(pattern, path string) bool {
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

// Numbers reports whether two numbers of JSON have the same value, such as 1 and 1.0.
func Numbers(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return a == b || errX == nil && errY == nil && x == y
}
