package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// TrustedProxies are the proxies whose word is taken for a client's address.
type TrustedProxies []netip.Prefix

// maxTrustedProxies bounds the list, which is gone through for each request.
const maxTrustedProxies = 64

// maxForwarded is how many entries of X-Forwarded-For are looked at, from the
// right. So many proxies do not stand in a row.
const maxForwarded = 16

// ParseTrustedProxies reads addresses and networks such as 10.0.0.0/8, with commas
// between.
func ParseTrustedProxies(list string) (proxies TrustedProxies, err error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	for word := range strings.SplitSeq(list, ",") {
		word = strings.TrimSpace(word)
		prefix, err := netip.ParsePrefix(word)
		if err != nil {
			addr, err := netip.ParseAddr(word)
			if err != nil {
				return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", word)
			}
			addr = addr.Unmap()
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		proxies = append(proxies, prefix)
	}
	if len(proxies) > maxTrustedProxies {
		return nil, fmt.Errorf("more than %d addresses and networks", maxTrustedProxies)
	}
	return proxies, nil
}

func (p TrustedProxies) contain(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// client returns the address of who sent a request. If that is a trusted proxy, it
// is the last address of X-Forwarded-For that is not one: what stands to the left
// of it, anybody may have written. If the header has no such address, or something
// else in the way, it is the proxy's. It is the zero Addr where there is no network.
func (p TrustedProxies) client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap()
	if len(p) == 0 || !p.contain(addr) {
		return addr
	}
	if found, ok := p.forwarded(r.Header["X-Forwarded-For"]); ok {
		return found
	}
	return addr
}

// forwarded looks for the address in the lines of the header, from the right.
func (p TrustedProxies) forwarded(lines []string) (netip.Addr, bool) {
	looked := 0
	for i := len(lines) - 1; i >= 0; i-- {
		rest, more := lines[i], true
		for more {
			var word string
			rest, word, more = cutLast(rest)
			if looked++; looked > maxForwarded {
				return netip.Addr{}, false
			}
			addr, ok := parseForwarded(word)
			if !ok || !p.contain(addr) {
				return addr, ok
			}
		}
	}
	return netip.Addr{}, false
}

// cutLast cuts a list behind its last comma.
func cutLast(list string) (rest, last string, more bool) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], list[i+1:], true
	}
	return "", list, false
}

// parseForwarded reads an address, which may have a port.
func parseForwarded(word string) (netip.Addr, bool) {
	word = strings.TrimSpace(word)
	if addr, err := netip.ParseAddr(word); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	withPort, err := netip.ParseAddrPort(word)
	return withPort.Addr().Unmap().WithZone(""), err == nil
}
