package console

import (
	"net/http"
	"slices"
	"strings"

	"cohort.example/cohort/internal/api"
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
	if !c.AnyHost && !api.IsLoopback(r.Host) && !slices.Contains(c.Hosts, strings.ToLower(api.HostName(r.Host))) {
		return &statusError{http.StatusMisdirectedRequest, "The console has no host with this name."}
	}
	if err := c.origin.Check(r); err != nil {
		return &statusError{http.StatusForbidden, "The console does not take requests of pages of other sites."}
	}
	return nil
}
