package testca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"sync"
	"time"
)

// leafLife is how long the certificate of a server is valid, or shorter if the CA ends.
const leafLife = 7 * 24 * time.Hour

// Issuer issues the certificate of a server, for all names of a CA, and a new one before
// it ends. The certificates and their keys are in memory only.
type Issuer struct {
	ca      *CA
	now     func() time.Time
	mu      sync.Mutex
	current *tls.Certificate // nil: none yet
	renew   time.Time        // the time from which a new one is issued
}

// NewIssuer returns an issuer for a CA. now is the clock; nil is that of the system.
func NewIssuer(ca *CA, now func() time.Time) *Issuer {
	if now == nil {
		now = time.Now
	}
	return &Issuer{ca: ca, now: now}
}

// GetCertificate is for tls.Config.GetCertificate. The error says that the CA has ended.
func (i *Issuer) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.now()
	if i.current != nil && now.Before(i.renew) {
		return i.current, nil
	}
	issued, err := i.ca.issue(now)
	if err != nil {
		return nil, err
	}
	i.current, i.renew = issued, now.Add(issued.Leaf.NotAfter.Sub(now)*2/3)
	return issued, nil
}

// issue signs a new certificate for all names of the CA.
func (ca *CA) issue(now time.Time) (*tls.Certificate, error) {
	if !now.Before(ca.Ends()) {
		return nil, fmt.Errorf("the CA in %s has ended; start the server again, which makes a new one", ca.dir)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ends := now.Add(leafLife)
	if ends.After(ca.Ends()) {
		ends = ca.Ends()
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{organization}, CommonName: "Cohort test server"},
		NotBefore: now.Add(-clockSkew), NotAfter: ends,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              ca.Hosts(),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, &key.PublicKey, ca.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
