package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// noon is the time at which these tests verify certificates.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// certificate writes a new certificate for 127.0.0.1, and its key, to files.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             noon.Add(-time.Hour),
		NotAfter:              noon.Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", cert), write("key.pem", "PRIVATE KEY", private)
}

func TestServeHTTPS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	content, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(content)
	s := serve(t, "--dev", "--db", newDB(t), "--tls-cert", cert, "--tls-key", key)
	plain := s.client
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Time: func() time.Time { return noon }}}
	defer transport.CloseIdleConnections()
	s.client = &http.Client{Transport: transport}

	if !strings.HasPrefix(s.url, "https://") {
		t.Errorf("the log has the URL %s, want https", s.url)
	}
	if a := s.get(t, "/stores/demo/v2/time", "demo-token"); a.status != 200 {
		t.Errorf("over HTTPS: %d %s", a.status, a.body)
	}
	// The certificate is self-signed, so curl needs -k.
	if line := "curl -i -k -H 'X-Auth-Token: demo-token'"; !strings.Contains(s.out.String(), line) || !strings.Contains(s.out.String(), " "+s.url+"/stores/demo/") {
		t.Errorf("the greeting has no %s for %s:\n%s", line, s.url, s.out)
	}
	// A request over plain HTTP must fail, so that no client sends its token unencrypted.
	res, err := plain.Get(strings.Replace(s.url, "https:", "http:", 1) + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, res); a.status != 400 {
		t.Errorf("plain HTTP on the same port: %d %s", a.status, a.body)
	}
}

func TestServeHTTPSWithoutAUsableCertificate(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	_, otherKey := certificate(t)
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for _, c := range []struct{ name, cert, key string }{
		{"no certificate file", missing, key},
		{"no key file", cert, missing},
		{"the wrong key", cert, otherKey},
		{"a key for a certificate", key, key},
	} {
		db := newDB(t)
		s := start(t, "--addr", "127.0.0.1:0", "--db", db, "--tls-cert", c.cert, "--tls-key", c.key)
		if status := s.wait(); status != 1 || !strings.HasPrefix(s.err.String(), "cohort: ") || strings.Count(s.err.String(), "\n") != 1 {
			t.Errorf("%s: exit status %d: %s", c.name, status, s.err)
		}
		if _, err := os.Stat(strings.TrimPrefix(db, "sqlite:")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: there is a database (%v)", c.name, err)
		}
	}
}
