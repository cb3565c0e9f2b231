//go:build linux || darwin || freebsd

package pgtest

import (
	"cmp"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"cohort.example/cohort/internal/testenv"
)

// canStart reports whether the tests can start servers on this system.
const canStart = true

// account returns the user that servers run as: nil for the user of the tests.
// For root it is another user, because PostgreSQL refuses to run as root.
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

// makePrivate makes a folder that only the user of the servers can read.
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

// temporary returns a folder for temporary files that the user of the servers
// can reach. Its path is short enough for the socket of a server in it.
func temporary() string {
	const longestSocket = 103 // macOS has the lowest limit
	folder := cmp.Or(testenv.MemoryFolder(), os.TempDir())
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
