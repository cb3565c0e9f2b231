package db

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// encodeDetails returns the stored form of details: an object with the names in order, or
// "" for none. Unlike json.Marshal it keeps the values as they are.
func encodeDetails(d cohort.Details) string {
	if len(d) == 0 {
		return ""
	}
	var b strings.Builder
	separator := "{"
	for _, name := range slices.Sorted(maps.Keys(d)) {
		b.WriteString(separator + strconv.Quote(name) + ":" + string(d[name]))
		separator = ","
	}
	b.WriteByte('}')
	return b.String()
}

func decodeDetails(text string) (d cohort.Details, err error) {
	if text == "" {
		return nil, nil
	}
	return d, json.Unmarshal([]byte(text), &d)
}
