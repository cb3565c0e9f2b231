package server

import (
	"mime"
	"strconv"
	"strings"
)

// acceptsJSON reports whether the values of an Accept header let the answer be
// application/json. Of the ranges that match it the most exact one decides, as
// HTTP has it. No header, or an empty one, accepts everything.
func acceptsJSON(values []string) bool {
	if len(values) == 0 || len(values) == 1 && (values[0] == "*/*" || values[0] == "application/json") {
		return true // what nearly all clients send need not be taken apart
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

// jsonRanges ranks the media ranges that application/json is in.
var jsonRanges = map[string]int{"*/*": 0, "application/*": 1, "application/json": 2}

func quality(params map[string]string) float64 {
	q, err := strconv.ParseFloat(params["q"], 64)
	if err != nil {
		return 1
	}
	return q
}
