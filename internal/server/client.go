package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// TrustedProxies are the proxies whose X-Forwarded-For header is trusted.
type TrustedProxies []netip.Prefix

// maxTrustedProxies bounds the list, which is searched linearly for each request.
const maxTrustedProxies = 64

// maxForwarded is how many entries of X-Forwarded-For are read, from the right. It
// is more than any chain of proxies has.
const maxForwarded = 16

// ParseTrustedProxies parses a comma-separated list of addresses and networks such
// as 10.0.0.0/8.
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

// Client returns the client address of a request, for other handlers than a Server.
func (p TrustedProxies) Client(r *http.Request) netip.Addr { return p.client(r) }

// client returns the client address of a request. If the peer is a trusted proxy,
// that is the last address of X-Forwarded-For that is not a trusted proxy; the
// entries to its left can be forged. If the header has no such address, or an
// invalid entry before it, the client address is the proxy's. Without a network
// connection it is the zero Addr.
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

// forwarded searches the lines of X-Forwarded-For for the client address, from the
// right.
func (p TrustedProxies) forwarded(lines []string) (netip.Addr, bool) {
	read := 0
	for i := len(lines) - 1; i >= 0; i-- {
		rest, more := lines[i], true
		for more {
			var word string
			rest, word, more = cutLast(rest)
			if read++; read > maxForwarded {
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

// cutLast cuts a list at its last comma.
func cutLast(list string) (rest, last string, more bool) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], list[i+1:], true
	}
	return "", list, false
}

// parseForwarded parses an address with or without a port.
func parseForwarded(word string) (netip.Addr, bool) {
	word = strings.TrimSpace(word)
	if addr, err := netip.ParseAddr(word); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	withPort, err := netip.ParseAddrPort(word)
	return withPort.Addr().Unmap().WithZone(""), err == nil
}
