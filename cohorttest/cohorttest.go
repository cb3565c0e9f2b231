// Package cohorttest starts Cohort inside a Go test, and runs wire scripts
// against it or any other server.
//
//	func TestSync(t *testing.T) {
//		c := cohorttest.Start(t)
//		client := mypackage.NewClient(c.URL+"/stores/"+c.Store, c.Token)
//		…
//	}
package cohorttest

import (
	"io/fs"
	"path/filepath"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/wirescript"
)

// Server is a Cohort that serves until its test ends, on a loopback port and
// with a database of its own.
type Server struct {
	URL   string // such as http://127.0.0.1:40817
	Store string // the hash of a store that is there
	Token string // a token of that store with every scope

	server *servertest.Server
}

// Start starts a server with one store, which has no quota.
func Start(t testing.TB) *Server {
	t.Helper()
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "cohort.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	s := &Server{server: servertest.Start(t, d, server.Options{})}
	s.URL = s.server.URL
	s.Store, s.Token = "test", s.NewStore(t, cohort.Store{Hash: "test"})
	return s
}

// NewStore adds a store, such as one with a quota, and returns a token of it
// with every scope.
func (s *Server) NewStore(t testing.TB, store cohort.Store) (token string) {
	t.Helper()
	s.server.Store(t, store)
	return s.NewToken(t, store.Hash, cohort.Scopes()...)
}

// NewToken adds a token to a store.
func (s *Server) NewToken(t testing.TB, storeHash string, scopes ...cohort.Scope) (token string) {
	t.Helper()
	return s.server.Token(t, storeHash, scopes...)
}

// Target is a server to run scripts against. Vars are the variables that the
// scripts use; "store" and "token" there are what requests use by themselves.
type Target = wirescript.Target

// Exchange is a request of a script and its answer.
type Exchange = wirescript.Exchange

// RunScripts runs every wire script that the pattern finds in fsys, each as a
// subtest against a target of its own, which start makes. Each exchange is
// also given to the seen functions.
func RunScripts(t *testing.T, fsys fs.FS, pattern string, start func(*testing.T) Target, seen ...func(*testing.T, Exchange)) {
	t.Helper()
	names, err := fs.Glob(fsys, pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no wire script is named %s (%v)", pattern, err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			text, err := fs.ReadFile(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			script, err := wirescript.Parse(name, string(text))
			if err != nil {
				t.Fatal(err)
			}
			err = script.Run(t.Context(), start(t), func(x Exchange) {
				for _, failure := range x.Failures {
					t.Error(failure)
				}
				for _, f := range seen {
					f(t, x)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
