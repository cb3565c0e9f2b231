package webhook

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// MaxDestination is the length of a destination, in bytes.
const MaxDestination = 2048

// maxHost is the length of a host name, in bytes.
const maxHost = 253

// securePort is the only port without Dev.
const securePort = 443

// rules say to which destinations messages may be sent.
type rules struct {
	dev     bool // http, and all ports
	private bool // addresses that are not public
}

func invalid(reason string) error { return cohort.Invalid("destination", reason) }

// parse parses a destination, or returns KindInvalid.
func (r rules) parse(destination string) (*url.URL, error) {
	if len(destination) > MaxDestination {
		return nil, invalid(fmt.Sprintf("The destination must have at most %d bytes.", MaxDestination))
	}
	u, err := url.Parse(destination)
	if err != nil { // its text repeats the URL, which may have a secret
		return nil, invalid("The destination must be a URL.")
	}
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !r.dev):
		return nil, invalid("The destination must be an https URL.")
	case u.User != nil:
		return nil, invalid("The destination must not have a user or a password.")
	case u.Fragment != "" || strings.HasSuffix(destination, "#"):
		return nil, invalid("The destination must not have a fragment.")
	}
	if err := r.checkPort(u); err != nil {
		return nil, err
	}
	return u, r.checkHost(u.Hostname())
}

func (r rules) checkPort(u *url.URL) error {
	text := u.Port()
	if text == "" && strings.HasSuffix(u.Host, ":") {
		return invalid("The destination has a colon without a port.")
	}
	if text == "" {
		return nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return invalid("The port of the destination must be from 1 to 65535.")
	}
	if !r.dev && port != securePort {
		return invalid("The port of the destination must be 443.")
	}
	return nil
}

func (r rules) checkHost(host string) error {
	if address, err := netip.ParseAddr(host); err == nil {
		return r.checkAddress(address)
	}
	if !isHostName(host) {
		return invalid("The destination must have a host, as a name in ASCII or as an address.")
	}
	lower := strings.ToLower(host)
	if !r.private && (!strings.Contains(lower, ".") || strings.HasSuffix(lower, ".localhost")) {
		return invalid(notPublic)
	}
	return nil
}

// isHostName reports whether a text is the name of a host. The last part of a name is no
// number: C libraries read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses. A dot at the end
// would make a second name for the same host.
func isHostName(host string) bool {
	labels := strings.Split(host, ".")
	for _, label := range labels {
		isOther := func(c rune) bool {
			return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_'
		}
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, isOther) {
			return false
		}
	}
	last := strings.ToLower(labels[len(labels)-1])
	isNumber := strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x")
	return len(host) <= maxHost && !isNumber
}
