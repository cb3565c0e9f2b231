package server

import (
	"mime"
	"strconv"
	"strings"
)

// acceptsJSON reports whether the values of an Accept header allow
// application/json. The most specific matching media range decides (RFC 9110). A
// missing or empty header accepts everything.
func acceptsJSON(values []string) bool {
	if len(values) == 0 || len(values) == 1 && (values[0] == "*/*" || values[0] == "application/json") {
		return true // fast path for what nearly all clients send
	}
	header := strings.Join(values, ",")
	if strings.TrimSpace(header) == "" {
		return true
	}
	best, accepted := -1, false
	for item := range strings.SplitSeq(header, ",") {
		mediaRange, params, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		if rank, ok := jsonRanges[mediaRange]; ok && rank > best {
			best, accepted = rank, quality(params) > 0
		}
	}
	return accepted
}

// jsonRanges are the media ranges that contain application/json, by specificity.
var jsonRanges = map[string]int{"*/*": 0, "application/*": 1, "application/json": 2}

func quality(params map[string]string) float64 {
	q, err := strconv.ParseFloat(params["q"], 64)
	if err != nil {
		return 1
	}
	return q
}
