package api

import (
	"net"
	"net/netip"
	"strings"
)

// IsLoopback reports whether a Host header names the local machine, with or
// without a port.
func IsLoopback(host string) bool {
	name := HostName(host)
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap().IsLoopback()
}

// HostName returns the name or the address in a Host header, without the port.
func HostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		return strings.TrimSuffix(inner, "]")
	}
	return host
}
