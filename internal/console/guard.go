package console

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// policy allows nothing from outside of this server, and no script or style inside a page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// setHeaders sets the headers of all responses.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// admit checks where a request comes from. A page of another site has another origin, and
// a page whose host name resolves to this machine has another host (DNS rebinding).
func (c *Console) admit(r *http.Request) error {
	if !c.AnyHost && !isLoopback(hostName(r.Host)) && !slices.Contains(c.Hosts, strings.ToLower(hostName(r.Host))) {
		return &statusError{http.StatusMisdirectedRequest, "The console has no host with this name."}
	}
	if err := c.origin.Check(r); err != nil {
		return &statusError{http.StatusForbidden, "The console does not take requests of pages of other sites."}
	}
	return nil
}

// hostName returns the name or the address in a Host header, without the port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// isLoopback reports whether a name or an address is that of this machine.
func isLoopback(name string) bool {
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap().IsLoopback()
}
