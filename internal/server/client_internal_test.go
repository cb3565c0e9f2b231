package server

import (
	"net/http"
	"strings"
	"testing"
)

func TestClient(t *testing.T) {
	t.Parallel()
	const list = "10.0.0.0/8, 192.0.2.7,2001:db8::/32"
	proxies, err := ParseTrustedProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no header", "10.0.0.1:99", nil, "10.0.0.1"},
		{"from an untrusted peer", "198.51.100.1:99", []string{"203.0.113.9"}, "198.51.100.1"},
		{"from a proxy", "10.0.0.1:99", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a forged entry", "10.0.0.1:99", []string{"127.0.0.1, 203.0.113.9"}, "203.0.113.9"},
		{"a forged header line", "10.0.0.1:99", []string{"127.0.0.1", "203.0.113.9"}, "203.0.113.9"},
		{"two proxies", "192.0.2.7:99", []string{"203.0.113.9, 10.3.4.5"}, "203.0.113.9"},
		{"two proxies in two lines", "192.0.2.7:99", []string{"203.0.113.9", "10.3.4.5"}, "203.0.113.9"},
		{"with a port", "10.0.0.1:99", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv6", "[2001:db8::1]:99", []string{"2001:4860::1"}, "2001:4860::1"},
		{"IPv6 with a port", "[2001:db8::1]:99", []string{"[2001:4860::1]:80"}, "2001:4860::1"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:99", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"an invalid entry", "10.0.0.1:99", []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		{"an empty entry", "10.0.0.1:99", []string{"203.0.113.9,"}, "10.0.0.1"},
		{"an empty header", "10.0.0.1:99", []string{""}, "10.0.0.1"},
		{"proxies only", "10.0.0.1:99", []string{"10.0.0.2, 10.0.0.3"}, "10.0.0.1"},
		{"maxForwarded entries", "10.0.0.1:99", []string{"203.0.113.9" + strings.Repeat(",10.0.0.2", maxForwarded-1)}, "203.0.113.9"},
		{"more than maxForwarded entries", "10.0.0.1:99", []string{"203.0.113.9" + strings.Repeat(",10.0.0.2", maxForwarded)}, "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{}}
		if tt.forwarded != nil {
			r.Header["X-Forwarded-For"] = tt.forwarded
		}
		if got := proxies.client(r).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	r := &http.Request{RemoteAddr: "10.0.0.1:99", Header: http.Header{"X-Forwarded-For": {"203.0.113.9"}}}
	if got := (TrustedProxies)(nil).client(r).String(); got != "10.0.0.1" {
		t.Errorf("without trusted proxies: %s, want the peer", got)
	}
	for _, bad := range []string{"10.0.0.0/33", "proxy.example.com", "10.0.0.1,,", strings.Repeat("10.0.0.1,", maxTrustedProxies) + "10.0.0.1"} {
		if _, err := ParseTrustedProxies(bad); err == nil {
			t.Errorf("%.40q is accepted", bad)
		}
	}
}
