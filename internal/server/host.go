package server

import (
	"net/http"
	"slices"
	"strings"

	"cohort.example/cohort/internal/api"
)

// rejectHost rejects a request whose Host header does not name this machine, if the
// server is for this machine only. It reports whether it has responded. This
// prevents DNS rebinding: a web page whose host name resolves to 127.0.0.1 can send
// requests to this server from a browser, but with its own host name. The names that
// the server stands in for are accepted too, but not for the control API and the MCP server,
// which the vendor does not have.
//
// The status is 403 and not 421, because 421 invites the client to retry on another
// connection.
func (s *Server) rejectHost(w http.ResponseWriter, r *http.Request) bool {
	if !s.loopbackOnly || api.IsLoopback(r.Host) {
		return false
	}
	standsIn := slices.Contains(s.hosts, strings.ToLower(api.HostName(r.Host)))
	text := "This server answers only requests to localhost, 127.0.0.1 or [::1], because it was started with --dev."
	switch {
	case !standsIn:
	case isControl(r):
		text = "The control API has no other names than localhost, 127.0.0.1 and [::1], because the server was started with --dev."
	case strings.TrimSuffix(r.URL.Path, "/") == mcpPath:
		text = "The MCP server has no other names than localhost, 127.0.0.1 and [::1], because the server was started with --dev."
	default:
		return false
	}
	api.WriteText(w, http.StatusForbidden, text)
	return true
}

// strictTransport makes browsers use TLS only, for a year. It does not include
// subdomains, which may belong to other services. Responses to localhost do not have it,
// because it would be for all ports, and so for other servers of a developer.
var strictTransport = []string{"max-age=31536000"}
