package testca_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/testca"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// openOrCreate returns the CA of a folder, which must be new or not.
func openOrCreate(t *testing.T, dir string, now time.Time, wantNew bool, hosts ...string) *testca.CA {
	t.Helper()
	ca, isNew, err := testca.OpenOrCreate(dir, hosts, now)
	if err != nil || isNew != wantNew {
		t.Fatalf("new: %v, error %v", isNew, err)
	}
	return ca
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "ca")
	if _, err := testca.CertFile(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a CA: %v", err)
	}
	ca := openOrCreate(t, dir, noon, true)
	for path, want := range map[string]fs.FileMode{dir: 0o700, ca.KeyFile(): 0o600, ca.CertFile(): 0o644} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v, want %v (%v)", path, info.Mode(), want, err)
		}
	}
	if got, err := testca.CertFile(dir); got != filepath.Join(dir, "ca.pem") || err != nil {
		t.Errorf("the certificate is in %s (%v)", got, err)
	}
	if text := readFile(t, ca.CertFile()); strings.Count(text, "-----BEGIN ") != 1 || strings.Contains(text, "PRIVATE") {
		t.Errorf("the file for clients has more than the certificate:\n%s", text)
	}
	if mode, open := ca.OpenToOthers(); open {
		t.Errorf("the key is open to others: %v", mode)
	}
	if files, err := os.ReadDir(dir); len(files) != 2 || err != nil {
		t.Errorf("files are left behind: %v (%v)", files, err)
	}
	if err := os.Chmod(ca.KeyFile(), 0o640); err != nil {
		t.Fatal(err)
	}
	if mode, open := ca.OpenToOthers(); !open || mode != 0o640 {
		t.Errorf("the mode %v is open to others: %v", mode, open)
	}
}

// A folder that exists keeps its mode: a container shares it with clients.
func TestModeOfAnExistingFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	openOrCreate(t, dir, noon, true)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the mode is %v (%v)", info.Mode(), err)
	}
}

func TestReuseUntilTheEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := openOrCreate(t, dir, noon, true, "web")
	files := readFile(t, first.KeyFile()) + readFile(t, first.CertFile())
	second := openOrCreate(t, dir, first.Ends().Add(-time.Second), false)
	if got := readFile(t, first.KeyFile()) + readFile(t, first.CertFile()); got != files || !second.Ends().Equal(first.Ends()) {
		t.Error("the CA has changed")
	}
	third := openOrCreate(t, dir, first.Ends(), true, "more")
	if !third.Ends().After(first.Ends()) || !slices.Equal(third.Hosts(), []string{testca.Host, "localhost", "web", "more"}) {
		t.Errorf("the next CA ends at %s and has the names %v", third.Ends(), third.Hosts())
	}
	if !strings.HasSuffix(readFile(t, third.KeyFile()), readFile(t, third.CertFile())) {
		t.Error("the files have different certificates")
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, hosts := range [][]string{{"web"}, {"web"}, nil} {
		before, _ := os.ReadFile(filepath.Join(dir, "ca.pem")) // none the first time
		ca, err := testca.Replace(dir, hosts, noon)
		if err != nil {
			t.Fatal(err)
		}
		if after := readFile(t, ca.CertFile()); after == string(before) || !strings.HasSuffix(readFile(t, ca.KeyFile()), after) || len(ca.Hosts()) != 2+len(hosts) {
			t.Errorf("the CA is not replaced by one for %v", hosts)
		}
	}
}

// Several servers that start at the same time share one CA.
func TestCreateTogether(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ca")
	var running sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 8 {
		running.Go(func() {
			ca, isNew, err := testca.OpenOrCreate(dir, nil, noon)
			if err != nil {
				t.Error(err)
				return
			}
			issued, err := testca.NewIssuer(ca, func() time.Time { return noon }).GetCertificate(nil)
			if err != nil {
				t.Error(err)
				return
			}
			roots := x509.NewCertPool()
			text, err := os.ReadFile(ca.CertFile())
			if err != nil || !roots.AppendCertsFromPEM(text) {
				t.Errorf("no certificate to trust (%v)", err)
			}
			if _, err := issued.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: noon}); err != nil {
				t.Errorf("a server has a certificate of another CA: %v", err)
			}
			if isNew {
				mu.Lock()
				made++
				mu.Unlock()
			}
		})
	}
	running.Wait()
	if made != 1 {
		t.Errorf("%d processes created a CA", made)
	}
}

// The file for clients is written again if it is missing or has the CA before, as after a
// crash. Certificates that the user has added stay.
func TestCertificateFileIsRepaired(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := openOrCreate(t, dir, noon, true)
	want := readFile(t, ca.CertFile())
	older := readFile(t, openOrCreate(t, t.TempDir(), noon.Add(-time.Hour), true).CertFile())
	for name, c := range map[string]struct{ content, want string }{
		"an older one": {older, want}, "more roots": {want + older, want + older},
	} {
		if err := os.WriteFile(ca.CertFile(), []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		openOrCreate(t, dir, noon, false)
		if got := readFile(t, ca.CertFile()); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
	if err := os.Remove(ca.CertFile()); err != nil {
		t.Fatal(err)
	}
	openOrCreate(t, dir, noon, false)
	if got := readFile(t, ca.CertFile()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// foreignCA returns the file of a key with a certificate that is not from this package, and
// the PEM of that key and of the certificate.
func foreignCA(t *testing.T, change func(*x509.Certificate)) (both, key, certificate []byte) {
	t.Helper()
	text := []byte(readFile(t, openOrCreate(t, t.TempDir(), noon, true).KeyFile()))
	keyBlock, rest := pem.Decode(text)
	certBlock, _ := pem.Decode(rest)
	private, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	template, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, template.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	key, certificate = pem.EncodeToMemory(keyBlock), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return slices.Concat(key, certificate), key, certificate
}

// Files that are broken, or that another program has made, are never used, never replaced, and named in
// the error.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	own, ownKey, ownCert := foreignCA(t, func(*x509.Certificate) {})
	company, _, companyCert := foreignCA(t, func(c *x509.Certificate) { c.RawSubject, c.Subject.Organization = nil, []string{"Example"} })
	anyName, _, _ := foreignCA(t, func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains, c.PermittedIPRanges = false, nil, nil
	})
	anyAddress, _, _ := foreignCA(t, func(c *x509.Certificate) { c.PermittedIPRanges = nil })
	noCA, _, _ := foreignCA(t, func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero, c.MaxPathLen = false, false, -1 })
	_, otherKey, _ := foreignCA(t, func(*x509.Certificate) {})
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	rsaDER, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	for name, c := range map[string]struct {
		key, cert []byte // nil: no file
		message   string
	}{
		"nothing in it":                 {[]byte{}, ownCert, "has no private key in PEM"},
		"text":                          {[]byte("hello"), ownCert, "has no private key in PEM"},
		"the certificate only":          {ownCert, ownCert, "has no private key in PEM"},
		"a broken key":                  {block("PRIVATE KEY", []byte("x")), ownCert, "key cannot be read"},
		"an RSA key":                    {slices.Concat(block("PRIVATE KEY", rsaDER), ownCert), ownCert, "not an ECDSA key"},
		"a key without its certificate": {ownKey, ownCert, "has no certificate in PEM"},
		"half of it":                    {own[:len(own)-20], ownCert, "has no certificate in PEM"},
		"a broken certificate":          {slices.Concat(ownKey, block("CERTIFICATE", []byte("x"))), ownCert, "certificate cannot be read"},
		"the key of another one":        {slices.Concat(otherKey, ownCert), ownCert, "not that of its certificate"},
		"too long":                      {bytes.Repeat([]byte("x"), 64<<10+1), ownCert, "longer than"},
		"a company's CA":                {company, companyCert, "another program"},
		"a CA for any name":             {anyName, nil, "name constraints"},
		"a CA for any address":          {anyAddress, nil, "name constraints"},
		"no CA":                         {noCA, nil, "not that of a CA"},
		"another program's ca.pem":      {own, companyCert, "another program"},
		"a ca.pem that is text":         {own, []byte("hello"), "has no certificate in PEM"},
		"a ca.pem that is too long":     {own, bytes.Repeat([]byte("x"), 64<<10+1), "longer than"},
		"a ca.pem without a key":        {nil, companyCert, "has no key beside it"},
	} {
		dir := t.TempDir()
		for file, content := range map[string][]byte{"ca-key.pem": c.key, "ca.pem": c.cert} {
			if content == nil {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, openErr := testca.CertFile(dir)
		_, _, createErr := testca.OpenOrCreate(dir, nil, noon)
		_, replaceErr := testca.Replace(dir, nil, noon)
		for use, err := range map[string]error{"use": openErr, "create": createErr, "replace": replaceErr} {
			if c.key == nil && use == "use" {
				continue // there is none
			}
			if err == nil || !strings.Contains(err.Error(), c.message) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%s, %s: error %v, want one with %q and the path", name, use, err, c.message)
			}
		}
		for file, content := range map[string][]byte{"ca-key.pem": c.key, "ca.pem": c.cert} {
			if got, err := os.ReadFile(filepath.Join(dir, file)); (err == nil) != (content != nil) || !bytes.Equal(got, content) {
				t.Errorf("%s: %s has changed (%v)", name, file, err)
			}
		}
	}
}

func TestDefaultDir(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	t.Setenv("HOME", config)
	want, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	ca := openOrCreate(t, "", noon, true)
	if got, err := testca.CertFile(""); got != filepath.Join(want, "cohort", "ca", "ca.pem") || got != ca.CertFile() || err != nil {
		t.Errorf("the certificate is in %s (%v)", got, err)
	}
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", "")
	if _, _, err := testca.OpenOrCreate("", nil, noon); err == nil || !strings.HasPrefix(err.Error(), "there is no folder for the CA, which COHORT_CA_DIR can name: ") {
		t.Errorf("without HOME: %v", err)
	}
}

// The path is absolute, since clients run in other folders.
func TestRelativeFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if ca := openOrCreate(t, "ca", noon, true); !filepath.IsAbs(ca.CertFile()) {
		t.Errorf("the certificate is in %s", ca.CertFile())
	}
}

func TestFolderThatCannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := testca.OpenOrCreate(filepath.Join(file, "ca"), nil, noon); err == nil {
		t.Error("a CA below a file")
	}
}
