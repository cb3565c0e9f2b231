// Package testca is a certificate authority (CA) for tests of clients that have the
// vendor's host name compiled in. Its key cannot sign for other names: the names that it
// may sign for are in its certificate, as critical name constraints, and clients check
// them.
package testca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// Host is the vendor's host name. Every CA may sign for it, and for this machine:
// localhost, 127.0.0.0/8 and ::1.
const Host = "api.bigcommerce.com"

const (
	// Life is how long a CA is valid.
	Life = 90 * 24 * time.Hour
	// clockSkew is how far behind the clock of a client may be.
	clockSkew = time.Hour
	// maxHosts is how many names a CA can have besides its own.
	maxHosts = 20
	// maxHost is the length of a host name, in bytes.
	maxHost = 253
	// maxLabel is the length of a part of a host name, in bytes.
	maxLabel = 63
)

// CA is a certificate authority for tests.
type CA struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	dir         string // with the files; see Open
}

// newCA makes a CA for the vendor's name, this machine, and further host names.
func newCA(hosts []string, now time.Time) (*CA, error) {
	names, err := permitted(hosts)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{organization}, CommonName: "Cohort test CA " + now.UTC().Format(time.DateOnly)},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(Life),
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         names,
		PermittedIPRanges:           loopback,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &CA{certificate: certificate, key: key}, err
}

// organization is in the subject of every CA, and tells it from those of others.
const organization = "Cohort"

// loopback are the addresses that a CA may sign for.
var loopback = []*net.IPNet{
	{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
	{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
}

// permitted returns the host names that a CA may sign for, those of every CA first.
func permitted(hosts []string) ([]string, error) {
	names := []string{Host, "localhost"}
	for _, host := range hosts {
		host = strings.ToLower(host)
		if !isHost(host) {
			return nil, fmt.Errorf("%q is not a host name", host)
		}
		if !slices.Contains(names, host) {
			names = append(names, host)
		}
	}
	if len(names) > maxHosts+2 {
		return nil, fmt.Errorf("a CA can have %d names besides its own, not %d", maxHosts, len(names)-2)
	}
	return names, nil
}

// isHost reports whether a text in lower case is a host name: labels of letters, digits,
// hyphens and underscores. Names of containers have underscores.
func isHost(name string) bool {
	if len(name) > maxHost || net.ParseIP(name) != nil {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabel || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// Hosts returns the host names that the CA may sign for. A name includes the names below
// it, as it does in every certificate with name constraints.
func (ca *CA) Hosts() []string { return ca.certificate.PermittedDNSDomains }

// Lacks returns those of some host names that the CA may not sign for.
func (ca *CA) Lacks(hosts []string) (lacking []string) {
	for _, host := range hosts {
		if !slices.Contains(ca.Hosts(), strings.ToLower(host)) {
			lacking = append(lacking, host)
		}
	}
	return lacking
}

// Ends returns the time at which the CA, and each certificate that it has signed, is no
// longer valid.
func (ca *CA) Ends() time.Time { return ca.certificate.NotAfter }

// encode returns the file of the key, which has the certificate too, and that of the
// certificate. Both are PEM.
func (ca *CA) encode() (keyFile, certFile []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(ca.key)
	if err != nil {
		return nil, nil, err
	}
	certFile = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.certificate.Raw})
	keyFile = slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), certFile)
	return keyFile, certFile, nil
}

// decode returns the CA in the file of a key.
func decode(keyFile []byte) (*CA, error) {
	ca := &CA{}
	block, rest := pem.Decode(keyFile)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("it has no private key in PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("its key cannot be read: %w", err)
	}
	var isECDSA bool
	if ca.key, isECDSA = key.(*ecdsa.PrivateKey); !isECDSA {
		return nil, errors.New("its key is not an ECDSA key")
	}
	if ca.certificate, err = decodeCertificate(rest); err != nil {
		return nil, err
	}
	if !ca.key.PublicKey.Equal(ca.certificate.PublicKey) {
		return nil, errors.New("its key is not that of its certificate")
	}
	return ca, checkOwn(ca.certificate)
}

func decodeCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("it has no certificate in PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("its certificate cannot be read: %w", err)
	}
	return certificate, nil
}

// checkOwn checks that a certificate is one that newCA makes. Above all, the CA must not
// be one that clients trust for other names.
func checkOwn(c *x509.Certificate) error {
	switch {
	case !slices.Equal(c.Subject.Organization, []string{organization}):
		return errors.New("another program has made its certificate")
	case !c.IsCA || c.CheckSignatureFrom(c) != nil:
		return errors.New("its certificate is not that of a CA")
	case !c.PermittedDNSDomainsCritical || !slices.Contains(c.PermittedDNSDomains, Host) || !slices.EqualFunc(c.PermittedIPRanges, loopback, sameNetwork):
		return errors.New("its certificate does not have the name constraints of a CA for tests")
	}
	return nil
}

func sameNetwork(a, b *net.IPNet) bool { return a.IP.Equal(b.IP) && bytes.Equal(a.Mask, b.Mask) }
