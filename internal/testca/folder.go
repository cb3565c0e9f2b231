package testca

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// The files of a CA. The file of the key has the certificate too, so that one step
// creates or replaces the CA. The other file is a copy for clients, without the key.
const (
	keyName  = "ca-key.pem"
	certName = "ca.pem"
)

// maxFile is how many bytes of a file are read.
const maxFile = 64 << 10

// DefaultDir returns the folder of the user's CA, cohort/ca in the folder for
// configuration files. The error says that the environment does not tell that folder, as
// in a container without HOME.
func DefaultDir() (string, error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the CA, which COHORT_CA_DIR can name: %w", err)
	}
	return filepath.Join(config, "cohort", "ca"), nil
}

// TrustVariables are the environment variables from which clients learn whose
// certificates to trust: Go on Linux, OpenSSL and Ruby; curl; Python's requests; Node. The
// value of each is the path of a file, as of CertFile.
var TrustVariables = []string{"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"}

// CertFile returns the path of the certificate of a folder's CA, which clients have to
// trust. The folder "" is that of DefaultDir. The error is fs.ErrNotExist if the folder
// has no CA. CertFile does not check whether the CA has ended.
func CertFile(dir string) (string, error) {
	ca, err := Open(dir)
	if err != nil {
		return "", err
	}
	return ca.CertFile(), nil
}

// Open returns the CA of a folder; "" is that of DefaultDir. The error is fs.ErrNotExist
// if the folder has none. The CA may have ended. Open writes the file of the certificate
// again if it is missing.
func Open(dir string) (*CA, error) {
	dir, err := folder(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, keyName)
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	ca, err := decode(text)
	if err != nil {
		return nil, notOurs(path, err)
	}
	ca.dir = dir
	return ca, ca.publish()
}

// OpenOrCreate returns the CA of a folder, and whether it is new. If the folder has none,
// OpenOrCreate creates one that may sign for further host names. If it has ended, a new
// one with its names and the further ones takes its place.
func OpenOrCreate(dir string, hosts []string, now time.Time) (ca *CA, isNew bool, err error) {
	ca, err = Open(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return create(dir, hosts, now, os.Link)
	case err != nil:
		return nil, false, err
	case now.Before(ca.Ends()):
		return ca, false, nil
	}
	return create(dir, slices.Concat(ca.Hosts(), hosts), now, os.Rename)
}

// Replace replaces the CA of a folder by a new one, which may sign for further host names.
// If two processes replace it at the same time, one of them returns a CA that the files
// no longer have. The error says so if the files are not from this package.
func Replace(dir string, hosts []string, now time.Time) (*CA, error) {
	place := os.Rename
	if _, err := Open(dir); errors.Is(err, fs.ErrNotExist) {
		place = os.Link
	} else if err != nil {
		return nil, err
	}
	ca, _, err := create(dir, hosts, now, place)
	return ca, err
}

// create creates a CA. place gives the file of the key its name: os.Link fails if the
// name is taken, and then the CA that another process has created meanwhile is returned.
func create(dir string, hosts []string, now time.Time, place func(from, to string) error) (ca *CA, isNew bool, err error) {
	if ca, err = newCA(hosts, now); err != nil {
		return nil, false, err
	}
	if ca.dir, err = folder(dir); err != nil {
		return nil, false, err
	}
	keyFile, _, err := ca.encode()
	if err != nil {
		return nil, false, err
	}
	if err := os.MkdirAll(ca.dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("cannot create the folder of the CA: %w", err)
	}
	if err := ca.checkAlone(); err != nil {
		return nil, false, err
	}
	err = write(ca.KeyFile(), keyFile, 0o600, place)
	if errors.Is(err, fs.ErrExist) {
		ca, err = Open(dir)
		return ca, false, err
	}
	if err != nil {
		return nil, false, fmt.Errorf("cannot write the CA: %w", err)
	}
	return ca, true, ca.publish()
}

// checkAlone checks that the folder has no certificate without a key, which another program
// would have made. It looks for the key last, because create writes it first.
func (ca *CA) checkAlone() error {
	if _, err := os.Lstat(ca.CertFile()); err != nil {
		return nil
	}
	if _, err := os.Lstat(ca.KeyFile()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has no key beside it: move it away, or use another folder", ca.CertFile())
	}
	return nil
}

// publish writes the certificate to its file, unless the file has it. Certificates after
// it stay there: the user has added them.
func (ca *CA) publish() error {
	_, want, err := ca.encode()
	if err != nil {
		return err
	}
	got, err := read(ca.CertFile())
	switch {
	case err == nil && bytes.HasPrefix(got, want):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil: // of the CA before this one
		certificate, err := decodeCertificate(got)
		if err == nil {
			err = checkOwn(certificate)
		}
		if err != nil {
			return notOurs(ca.CertFile(), err)
		}
	}
	if err := write(ca.CertFile(), want, 0o644, os.Rename); err != nil {
		return fmt.Errorf("cannot write the certificate of the CA: %w", err)
	}
	return nil
}

func notOurs(path string, err error) error {
	return fmt.Errorf("%s is not from a CA that cohort has made: %w; move it away, or use another folder", path, err)
}

// CertFile returns the path of the certificate.
func (ca *CA) CertFile() string { return filepath.Join(ca.dir, certName) }

// KeyFile returns the path of the key.
func (ca *CA) KeyFile() string { return filepath.Join(ca.dir, keyName) }

// OpenToOthers returns the mode of the key's file, and whether it lets users other than
// the owner read or write it. Systems without file modes have none that does.
func (ca *CA) OpenToOthers() (mode fs.FileMode, open bool) {
	info, err := os.Stat(ca.KeyFile())
	if err != nil || runtime.GOOS == "windows" {
		return 0, false
	}
	return info.Mode().Perm(), info.Mode()&0o077 != 0
}

// folder returns the absolute path of a folder, because clients run in others.
func folder(dir string) (_ string, err error) {
	if dir == "" {
		if dir, err = DefaultDir(); err != nil {
			return "", err
		}
	}
	return filepath.Abs(dir)
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxFile)
	}
	return text, err
}

// write writes a file under another name, and then has place name it, so that its
// contents are never there in part.
func write(path string, text []byte, mode fs.FileMode, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ca-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is gone if place has renamed it
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return place(f.Name(), path)
}
