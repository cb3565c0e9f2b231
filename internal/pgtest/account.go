//go:build linux || darwin || freebsd

package pgtest

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// canStart says whether servers can be started here.
const canStart = true

// account returns whom servers run as: nil for the user of the tests, and
// another one for root, as whom PostgreSQL refuses to run.
var account = sync.OnceValues(func() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return credential(u)
		}
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
})

func credential(u *user.User) (*syscall.Credential, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// makePrivate makes a folder that only the servers' user can look into.
func makePrivate(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	who, err := account()
	if err != nil || who == nil {
		return err
	}
	return os.Chown(path, int(who.Uid), int(who.Gid))
}

// temporary returns a folder for temporary files that the servers' user can
// reach, with a path short enough for the socket of a server in a folder there.
func temporary() string {
	const longestSocket = 103 // of the systems built for here, macOS has the least
	folder := os.TempDir()
	if len(folder)+len("/cohort-pgtest-4294967295-4194304/socket/.s.PGSQL.5432") > longestSocket || !reachable(folder) {
		return "/tmp"
	}
	return folder
}

func reachable(folder string) bool {
	if os.Geteuid() != 0 {
		return true
	}
	for ; ; folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if folder == filepath.Dir(folder) {
			return true
		}
	}
}
