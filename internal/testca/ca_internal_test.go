package testca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// noon is the time at which these tests create CAs.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func mustCA(t *testing.T, hosts ...string) *CA {
	t.Helper()
	ca, err := newCA(hosts, noon)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// sign signs a certificate of any kind with the key of a CA, as a thief of the key would.
func sign(t *testing.T, parent *x509.Certificate, key *ecdsa.PrivateKey, template x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.NotBefore, template.NotAfter = parent.NotBefore, parent.NotAfter
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, &own.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, own
}

// verify verifies a certificate as a client that trusts the CA.
func verify(ca *CA, leaf *x509.Certificate, name string, between ...*x509.Certificate) error {
	o := x509.VerifyOptions{DNSName: name, CurrentTime: noon, Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	o.Roots.AddCert(ca.certificate)
	for _, c := range between {
		o.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(o)
	return err
}

// The key of a CA is of no use for other names than those of tests.
func TestNameConstraints(t *testing.T) {
	t.Parallel()
	ca := mustCA(t, "Shop_1", "web.test")
	for name, want := range map[string]bool{
		"api.bigcommerce.com": true, "localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"shop_1": true, "web.test": true, "a.web.test": true, // names below are included
		"example.com": false, "bigcommerce.com": false, "login.bigcommerce.com": false, "test": false, "xapi.bigcommerce.com": false,
		"192.0.2.1": false, "128.0.0.1": false, "::2": false, "::ffff:192.0.2.1": false,
	} {
		template := x509.Certificate{DNSNames: []string{name}}
		if ip := net.ParseIP(name); ip != nil {
			template = x509.Certificate{IPAddresses: []net.IP{ip}}
		}
		leaf, _ := sign(t, ca.certificate, ca.key, template)
		if err := verify(ca, leaf, name); (err == nil) != want {
			t.Errorf("a certificate for %s: %v", name, err)
		}
	}
	mixed, _ := sign(t, ca.certificate, ca.key, x509.Certificate{DNSNames: []string{Host, "example.com"}})
	if err := verify(ca, mixed, Host); err == nil {
		t.Error("a certificate for one permitted name and another one is accepted")
	}
}

// A certificate of the CA cannot sign others, and is for servers only.
func TestCertificatesOfTheCASignNothing(t *testing.T) {
	t.Parallel()
	ca := mustCA(t)
	between, key := sign(t, ca.certificate, ca.key, x509.Certificate{BasicConstraintsValid: true, IsCA: true})
	leaf, _ := sign(t, between, key, x509.Certificate{DNSNames: []string{Host}})
	if err := verify(ca, leaf, Host, between); err == nil {
		t.Error("an intermediate CA is accepted")
	}
	client, _ := sign(t, ca.certificate, ca.key, x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	roots := x509.NewCertPool()
	roots.AddCert(ca.certificate)
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := client.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: noon, KeyUsages: usages}); err == nil {
		t.Error("a certificate for clients is accepted")
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	ca := mustCA(t)
	if got := ca.Ends().Sub(noon); got != 90*24*time.Hour {
		t.Errorf("a CA is valid for %s", got)
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	ca := mustCA(t, "Web", "web", "localhost", "xn--bcher-kva.example")
	if want := []string{Host, "localhost", "web", "xn--bcher-kva.example"}; !slices.Equal(ca.Hosts(), want) {
		t.Errorf("got %v, want %v", ca.Hosts(), want)
	}
	if got := ca.Lacks([]string{"WEB", "other"}); !slices.Equal(got, []string{"other"}) {
		t.Errorf("the CA lacks %v", got)
	}
	many := make([]string, 21)
	for i := range many {
		many[i] = "host" + strings.Repeat("x", i)
	}
	for name, hosts := range map[string][]string{
		"nothing": {""}, "a space": {"a b"}, "a wildcard": {"*.test"}, "an address": {"10.0.0.1"}, "an IPv6 address": {"::1"},
		"a port": {"web:443"}, "a dot at the end": {"web."}, "a long label": {strings.Repeat("a", 64)}, "a long name": {strings.Repeat("a.", 127) + "ab"},
		"other letters": {"bücher.example"}, "too many": many,
	} {
		if _, err := newCA(hosts, noon); err == nil {
			t.Errorf("%s: a CA for %q", name, hosts)
		}
	}
	if _, err := newCA(many[:20], noon); err != nil {
		t.Errorf("20 names: %v", err)
	}
}

// A server that runs for months always has a valid certificate, until the CA ends.
func TestIssuer(t *testing.T) {
	t.Parallel()
	ca := mustCA(t, "web")
	now := noon
	issuer := NewIssuer(ca, func() time.Time { return now })
	serials := map[string]bool{}
	for ; now.Before(ca.Ends()); now = now.Add(6 * time.Hour) {
		c, err := issuer.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		serials[c.Leaf.SerialNumber.String()] = true
		for _, name := range []string{Host, "localhost", "web", "127.0.0.1", "::1"} {
			o := x509.VerifyOptions{DNSName: name, CurrentTime: now, Roots: x509.NewCertPool()}
			o.Roots.AddCert(ca.certificate)
			if _, err := c.Leaf.Verify(o); err != nil {
				t.Fatalf("%s after %s: %v", name, now.Sub(noon), err)
			}
		}
		if life := c.Leaf.NotAfter.Sub(c.Leaf.NotBefore); life > leafLife+clockSkew {
			t.Errorf("a certificate is valid for %s", life)
		}
	}
	if n := len(serials); n < 13 || n > 40 {
		t.Errorf("%d certificates in %s", n, Life)
	}
	if _, err := issuer.GetCertificate(nil); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("after the end of the CA: %v", err)
	}
}
