// Package numeral writes counts for people.
package numeral

import (
	"strconv"
	"strings"
)

// Number returns a count with a comma before each three digits, such as "2,000".
func Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	start := len(digits) % 3
	if n < 0 {
		start = (len(digits)-1)%3 + 1
	}
	parts := []string{}
	if start > 0 {
		parts = append(parts, digits[:start])
	}
	for i := start; i < len(digits); i += 3 {
		parts = append(parts, digits[i:i+3])
	}
	return strings.Replace(strings.Join(parts, ","), "-,", "-", 1)
}

// Plural returns a count with its noun, such as "1 member" and "2,000 members".
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Bytes returns a number of bytes with the unit that suits it, such as "1 byte" and "1.5 MiB".
func Bytes(n int64) string {
	value, unit := float64(n), ""
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, next
	}
	if unit == "" {
		return Plural(n, "byte", "bytes")
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + unit
}
