package cli

import (
	"regexp"
	"strings"
)

// posixQuote returns a text in quotes for the shells of POSIX.
func posixQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// shellQuote quotes a word for a shell, if it needs that.
func shellQuote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+=,"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// fishQuote returns a text in quotes for fish, in which a backslash escapes itself and
// quotes.
func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// powershellQuotes are the characters that end a quoted text in PowerShell. Two of one stand
// for it.
var powershellQuotes = regexp.MustCompile(`['‘’‚‛]`)

// powershellQuote returns a text in quotes for PowerShell.
func powershellQuote(text string) string {
	return "'" + powershellQuotes.ReplaceAllString(text, "$0$0") + "'"
}
