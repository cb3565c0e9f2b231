package cohorttest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/testca"
)

// StartTLS is [Start] with HTTPS and HTTP/2. The certificate is valid for 127.0.0.1,
// localhost and api.bigcommerce.com. Only [Server.Client] and clients with
// [Server.CertPool] trust it.
func StartTLS(t testing.TB) *Server {
	t.Helper()
	pair, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(h *httptest.Server) {
		h.EnableHTTP2 = true
		h.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
		h.StartTLS()
	})
	s.client = newClient(s.http.Listener.Addr().String(), s.CertPool())
	t.Cleanup(s.client.CloseIdleConnections) // before the server waits for them
	return s
}

// CertPool returns a pool with the certificate of a server that [StartTLS] has started,
// for a client with a TLS configuration of its own. A server without TLS has none: nil.
func (s *Server) CertPool() *x509.CertPool {
	if s.http.TLS == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(s.http.TLS.Certificates[0].Leaf)
	return pool
}

// newClient returns a client that trusts the pool, and connects to addr for the vendor's
// host.
func newClient(addr string, pool *x509.CertPool) *http.Client {
	dialer := &net.Dialer{}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, wanted string) (net.Conn, error) {
			if host, _, err := net.SplitHostPort(wanted); err == nil && host == testca.Host {
				wanted = addr
			}
			return dialer.DialContext(ctx, network, wanted)
		},
	}}
}

// certificate is the certificate of the process. Nothing else knows its key, so a client
// that trusts it trusts only these tests.
var certificate = sync.OnceValues(func() (tls.Certificate, error) { return newCertificate(time.Now()) })

// newCertificate makes a key and a certificate that it has signed.
func newCertificate(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "cohorttest"},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost", testca.Host}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
