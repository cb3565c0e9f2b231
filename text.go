package cohort

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkText checks the length of a text in code points, and that both databases can store
// it. Its errors do not quote the text, which may be personal data.
func checkText(field, s string, least, most int) error {
	n := utf8.RuneCountInString(s)
	switch {
	case n < least:
		return Invalid(field, "The value must not be empty.")
	case n > most:
		return Invalid(field, fmt.Sprintf("The value must not be longer than %d characters.", most))
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0): // PostgreSQL cannot store U+0000
		return Invalid(field, "The value contains a character that is not allowed.")
	}
	return nil
}
