package webhook

import (
	"net/netip"
	"strings"
	"testing"

	"cohort.example/cohort"
)

func TestPublicAddresses(t *testing.T) {
	tests := []struct {
		what   string
		list   string
		public bool
	}{
		{"public", "8.8.8.8 1.1.1.1 100.128.0.1 172.32.0.1 2606:4700::1111 2a00::1", true},
		{"public IPv4 in IPv6", "::ffff:8.8.8.8 64:ff9b::8.8.8.8", true},
		{"this host", "0.0.0.0 0.1.2.3 ::", false},
		{"loopback", "127.0.0.1 127.8.8.8 ::1", false},
		{"private", "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 fc00::1 fd00:ec2::254 fec0::1", false},
		{"CGNAT", "100.64.0.1 100.100.100.200 100.127.255.255", false},
		{"link-local and metadata", "169.254.169.254 fe80::1 168.63.129.16 192.0.0.192", false},
		{"IPv6 with a zone", "fe80::1%eth0 2606:4700::1111%eth0", false},
		{"multicast and broadcast", "224.0.0.1 239.1.1.1 255.255.255.255 240.0.0.1 ff02::1", false},
		{"documentation and tests", "192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 2001:db8::1 3fff::1 100::1", false},
		{"IPv4-mapped", "::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1", false},
		{"IPv4-compatible and translated", "::127.0.0.1 ::8.8.8.8 ::ffff:0:127.0.0.1", false},
		{"NAT64", "64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::8.8.8.8", false},
		{"6to4 and Teredo", "2002:7f00:1:: 2002:808:808:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 192.88.99.1", false},
	}
	service, private := rules{}, rules{private: true}
	for _, test := range tests {
		for text := range strings.FieldsSeq(test.list) {
			address := netip.MustParseAddr(text)
			dial := netip.AddrPortFrom(address, 443).String()
			if err := service.control("tcp", dial, nil); (err == nil) != test.public {
				t.Errorf("%s: dialing %s: %v", test.what, text, err)
			}
			if err := private.control("tcp", dial, nil); err != nil {
				t.Errorf("%s: dialing %s with AllowPrivate: %v", test.what, text, err)
			}
		}
	}
	if err := service.control("tcp", "8.8.8.8:22", nil); cohort.KindOf(err) != cohort.KindInvalid {
		t.Errorf("dialing port 22: %v", err)
	}
}

func TestNoProxy(t *testing.T) {
	if newTransport(Options{}, rules{}, Timeout).Proxy != nil {
		t.Error("the transport asks for a proxy, which dials without the checks")
	}
}

func TestCheckDestination(t *testing.T) {
	const all, dev, private, never = "all", "dev", "private", "never" // who accepts it
	tests := []struct{ url, by string }{
		{"https://hooks.example.com", all},
		{"https://hooks.example.com:443/a/path?token=x", all},
		{"https://xn--bcher-kva.example/", all},
		{"https://a_b.example.com/", all},
		{"https://8.8.8.8/", all},
		{"https://[2606:4700::1111]/", all},
		{"https://hooks.example.com:8443/", dev},
		{"http://hooks.example.com/", dev},
		{"http://localhost:3000/", dev},
		{"http://[::1]:3000/", dev},
		{"https://127.0.0.1/", private},
		{"https://localhost/", private},
		{"https://api.LocalHost/", private},
		{"https://intranet/", private},
		{"https://10.0.0.1/", private},
		{"https://169.254.169.254/latest/", private},
		{"https://[::1]/", private},
		{"https://[::ffff:10.0.0.1]/", private},
		{"https://[fe80::1%25eth0]/", private},
		{"https://[64:ff9b::7f00:1]/", private},
		{"", never},
		{"hooks.example.com", never},
		{"//hooks.example.com/", never},
		{"/path", never},
		{"https:hooks.example.com", never},
		{"https:///path", never},
		{"https://:443/", never},
		{"ftp://hooks.example.com/", never},
		{"file:///etc/passwd", never},
		{"https://user@hooks.example.com/", never},
		{"https://user:password@hooks.example.com/", never},
		{"https://8.8.8.8@127.0.0.1/", never},
		{"https://hooks.example.com/#a", never},
		{"https://hooks.example.com/#", never},
		{"https://hooks.example.com:/", never},
		{"https://hooks.example.com:0/", never},
		{"https://hooks.example.com:70000/", never},
		{"https://hooks.example.com:443:443/", never},
		{"https://hooks.example.com./", never},
		{"https://localhost./", never},
		{"https://bücher.example/", never},
		{"https://127。0。0。1/", never},
		{"https://a b.example/", never},
		{"https://a\n.example/", never},
		{"https://127.1/", never},
		{"https://2130706433/", never},
		{"https://0x7f000001/", never},
		{"https://0x7f.1/", never},
		{"https://0177.0.0.1/", never},
		{"https://127.0.0.01/", never},
		{"https://1.2.3.4.5/", never},
		{"https://[127.0.0.1]/", never},
		{"https://[::1/", never},
		{"https://" + strings.Repeat("a", 64) + ".example/", never},
		{"https://hooks.example.com/" + strings.Repeat("a", MaxDestination), never},
	}
	senders := map[string]*Sender{all: New(Options{}), private: New(Options{AllowPrivate: true}), dev: New(Options{Dev: true})}
	accepts := map[string]map[string]bool{
		all: {all: true, private: true, dev: true}, private: {private: true, dev: true}, dev: {dev: true},
	}
	for _, test := range tests {
		for name, sender := range senders {
			err := sender.CheckDestination(test.url)
			if want := accepts[test.by][name]; (err == nil) != want {
				t.Errorf("%.60q for %s: %v, want it accepted: %t", test.url, name, err, want)
			}
			if err != nil && cohort.KindOf(err) != cohort.KindInvalid {
				t.Errorf("%.60q: %v is no KindInvalid", test.url, err)
			}
		}
	}
}
