package server

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"cohort.example/cohort/internal/api"
)

// refuseHost answers a request whose Host header does not name this machine, if the
// server serves this machine only, and reports whether it did. A web page that has
// its own name lead to 127.0.0.1 reaches such a server from its visitor's browser,
// and sends that name.
//
// It is 403 and not 421, which invites a client to try again on another connection.
func (s *Server) refuseHost(w http.ResponseWriter, r *http.Request) bool {
	if !s.loopbackOnly || isLoopbackHost(r.Host) {
		return false
	}
	api.WriteText(w, http.StatusForbidden, "This server answers only requests to localhost, 127.0.0.1 or [::1], because it was started with --dev.")
	return true
}

// isLoopbackHost reports whether a Host header names the machine itself, with any
// port or none.
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

// strictTransport tells browsers and other clients that know it to come back over
// TLS only, for a year. Subdomains are somebody else's to decide.
var strictTransport = []string{"max-age=31536000"}
