package server

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"cohort.example/cohort/internal/api"
)

// rejectHost rejects a request whose Host header does not name this machine, if the
// server is for this machine only. It reports whether it has responded. This
// prevents DNS rebinding: a web page whose host name resolves to 127.0.0.1 can send
// requests to this server from a browser, but with its own host name.
//
// The status is 403 and not 421, because 421 invites the client to retry on another
// connection.
func (s *Server) rejectHost(w http.ResponseWriter, r *http.Request) bool {
	if !s.loopbackOnly || isLoopbackHost(r.Host) {
		return false
	}
	api.WriteText(w, http.StatusForbidden, "This server answers only requests to localhost, 127.0.0.1 or [::1], because it was started with --dev.")
	return true
}

// isLoopbackHost reports whether a Host header names the local machine, with or
// without a port.
func isLoopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		name = strings.TrimSuffix(inner, "]")
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap().IsLoopback()
}

// strictTransport makes browsers use TLS only, for a year. It does not include
// subdomains, which may belong to other services.
var strictTransport = []string{"max-age=31536000"}
