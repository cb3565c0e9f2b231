// Package cohorttest starts Cohort inside a Go test, and runs wire scripts against
// it or any other server.
//
//	func TestSync(t *testing.T) {
//		c := cohorttest.Start(t)
//		client := mypackage.NewClient(c.URL+"/stores/"+c.Store, c.Token)
//		…
//	}
//
// [Start] ends the server with the test. [New] is for programs and for TestMain, where
// there is no test to end with.
//
// # Wire scripts
//
// A wire script is a text file with requests and the checks of their responses.
// [RunScripts] runs the files of a folder as subtests, and [RunScript] runs one text.
// A script is a list of cases. A case begins with its request line. The lines after
// it, in any order, complete the request or check the response:
//
//	# A comment before a request line describes the case.
//	POST /v2/customer_groups
//	header X-Correlation-Id: 42
//	send {"name":"Wholesale",
//	  "is_default":true}
//	code == 200
//	header Location == /stores/{store}/v2/customer_groups/<int>
//	header Allow missing
//	body == {"id":<int>,"name":"Wholesale"}
//	body contains "Wholesale"
//	body ~ ^\{.*\}$
//	body empty
//	let id = id
//
// These lines complete the request:
//
//   - "header NAME: VALUE" sets a header.
//   - "send TEXT" sets the body. It is sent as application/json, unless a Content-Type
//     header is given.
//   - "token VALUE" sends that token instead of {token}; "token none" sends none.
//
// These lines check the response, or use it:
//
//   - "code == STATUS" checks the status.
//   - "body" and "header NAME" check the body and a header: "== TEXT" is the whole
//     text, "contains TEXT" a part of it, and "~ PATTERN" a regular expression. "body
//     empty" checks that there is no body, and "header NAME missing" that there is no
//     such header.
//   - "let NAME = FIELD" sets a variable to a field of the JSON object in the body. The
//     parts of a path to a deeper field, such as "data.0.id", have dots between them.
//
// A line that begins with a space continues the line before it. An empty line ends a
// comment. "{name}" stands for a variable: one of [Target.Vars], or one that a let line
// has set. In the text after "==", "<int>" stands for any integer, "<date>" for any
// date of a customer group, and "<text>" for any text without quotes. Everything else
// must be equal byte for byte.
//
// A path that begins with /v2, /v3 or /cohort is put behind /stores/{store}, and its
// request carries the token {token}.
package cohorttest

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// Server is a running Cohort on a loopback port, with a SQLite database of its own.
type Server struct {
	URL   string // such as http://127.0.0.1:40817
	Store string // the hash of a store without a quota
	Token string // a token of that store with every scope

	service *service.Service
	http    *httptest.Server
	db      *db.DB
	dir     string
}

// Start starts a server with one store, and ends it with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	return s
}

// New starts a server with one store. The caller must close it.
func New() (s *Server, err error) {
	s = &Server{Store: "test"}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start a server for tests: %w", err), s.Close())
			s = nil
		}
	}()
	if s.dir, err = os.MkdirTemp("", "cohorttest-"); err != nil {
		return s, err
	}
	ctx := context.Background()
	if s.db, err = db.Open(ctx, "sqlite:"+filepath.Join(s.dir, "cohort.db")); err != nil {
		return s, err
	}
	s.service = service.New(s.db)
	s.http = httptest.NewServer(server.New(s.service, server.Options{}))
	s.URL = s.http.URL
	s.Token, err = s.newStore(ctx, cohort.Store{Hash: s.Store})
	return s, err
}

// Close ends the server and deletes its database. It waits for the requests that are
// being processed.
func (s *Server) Close() (err error) {
	if s.http != nil {
		s.http.Close()
	}
	if s.db != nil {
		err = s.db.Close()
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// NewStore adds a store, such as one with a quota, and returns a token of it with
// every scope.
func (s *Server) NewStore(t testing.TB, store cohort.Store) (token string) {
	t.Helper()
	token, err := s.newStore(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// NewToken adds a token to a store.
func (s *Server) NewToken(t testing.TB, storeHash string, scopes ...cohort.Scope) (token string) {
	t.Helper()
	token, err := s.newToken(t.Context(), storeHash, scopes)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (s *Server) newStore(ctx context.Context, store cohort.Store) (token string, err error) {
	if _, err := s.service.CreateStore(ctx, store); err != nil {
		return "", err
	}
	return s.newToken(ctx, store.Hash, cohort.Scopes())
}

func (s *Server) newToken(ctx context.Context, storeHash string, scopes []cohort.Scope) (token string, err error) {
	store, err := s.service.Store(ctx, storeHash)
	if err != nil {
		return "", err
	}
	_, token, err = s.service.CreateToken(ctx, cohort.Token{StoreKey: store.Key, Scopes: scopes})
	return token, err
}
