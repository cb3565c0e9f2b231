package webhook

import (
	"net/netip"
	"slices"
	"syscall"
)

// notPublic is why a destination is refused. It does not say to which address its name
// leads: that may be one that only this network knows.
const notPublic = "The destination must be a public address."

// special are networks of IPv4 that are not public (the registry of special-purpose
// addresses of IANA), and the address at which Azure has its metadata.
var special = parsePrefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32",
)

// Only globalUnicast is public of IPv6, without special6. The latter have Teredo and 6to4,
// which lead to any address of IPv4.
var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	special6      = parsePrefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

// nat64 leads to the address of IPv4 in its last four bytes. Networks without IPv4 reach
// public addresses by it.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func parsePrefixes(texts ...string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, text := range texts {
		prefixes = append(prefixes, netip.MustParsePrefix(text))
	}
	return prefixes
}

// isPublic reports whether an address is one of the internet.
func isPublic(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		last := a.As16()
		a = netip.AddrFrom4([4]byte(last[12:]))
	}
	isIn := func(p netip.Prefix) bool { return p.Contains(a) }
	if a.Is4() {
		return !slices.ContainsFunc(special, isIn)
	}
	return globalUnicast.Contains(a) && !slices.ContainsFunc(special6, isIn)
}

func (r rules) checkAddress(a netip.Addr) error {
	if !r.private && !isPublic(a) {
		return invalid(notPublic)
	}
	return nil
}

// control checks the very address that is dialed, each time. A check of the name before
// would not do: it may lead elsewhere when it is looked up again.
func (r rules) control(_, address string, _ syscall.RawConn) error {
	dialed, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !r.dev && dialed.Port() != securePort {
		return invalid("The port of the destination must be 443.")
	}
	return r.checkAddress(dialed.Addr())
}
