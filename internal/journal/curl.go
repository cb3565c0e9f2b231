package journal

import (
	"net/http"
	"slices"
	"strings"
)

// Curl returns a command that sends a request again to an origin, such as
// http://127.0.0.1:8080. The shell fills in the token.
func (e *Entry) Curl(origin string) string {
	var b strings.Builder
	if e.Request.Body.Cut {
		b.WriteString("# The body is not whole: the journal has only its beginning.\n")
	}
	if strings.Contains(e.Request.Body.Text, `"***"`) || strings.Contains(e.Query, "=***") {
		b.WriteString("# *** stands for secrets, which the journal does not keep.\n")
	}
	b.WriteString("curl")
	switch e.Method {
	case http.MethodGet:
	case http.MethodHead:
		b.WriteString(" --head")
	default:
		b.WriteString(" -X " + quote(e.Method))
	}
	address := origin + e.Path
	if e.Query != "" {
		address += "?" + e.Query
	}
	b.WriteString(" " + quote(address))
	for _, h := range sortedHeaders(e.Request.Header) {
		b.WriteString(" \\\n  -H " + h)
	}
	if e.Request.Body.Text != "" {
		b.WriteString(" \\\n  --data-binary " + quote(e.Request.Body.Text))
	}
	return b.String() + "\n"
}

// sortedHeaders returns the headers of a command, quoted. Those that curl sends itself, and
// those that are about a connection, are left out.
func sortedHeaders(list []Header) (quoted []string) {
	for _, h := range list {
		switch h.Name {
		case "X-Auth-Token":
			quoted = append(quoted, `"X-Auth-Token: $TOKEN"`)
		case "Accept-Encoding", "Connection", "Content-Length", "User-Agent", "Expect", "Transfer-Encoding":
		default:
			quoted = append(quoted, quote(h.Name+": "+h.Value))
		}
	}
	slices.Sort(quoted)
	return quoted
}

// quote quotes a word for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
