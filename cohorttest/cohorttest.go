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
// there is no test to end with. A server starts in some milliseconds, so each test can
// have its own. Tests can also share one server, each with its own store:
//
//	store, token := c.TempStore(t)
//
// [Server.Seed] fills a store from a file, and [Server.Reset] goes back to that state.
// Everything here can be called from parallel tests.
//
// # Faults, requests, limits and time
//
// A test can make chosen requests fail, ask afterwards what was called, use up a quota,
// and set the clock of its store:
//
//	c.Faults(store).Set(t, `{"operation":"createGroup","times":1,"action":{"commit_then":"reset"}}`)
//	…
//	c.Requests(store).Verify(t, `{"operation":"createGroup","body":{"name":"Wholesale"}}`, cohorttest.Times(1))
//	c.Limits(store).Exhaust(t)
//	c.Clock(store).Advance(t, 30*time.Second)
//
// Fault rules and criteria are the JSON of the control API, which docs/testing.md
// describes, so that tests in Go and in other languages say the same. A rule or a
// criterion with a mistake, such as an operation that does not exist, fails the test.
//
// The server has that API too, at [Server.URL] + "/_cohort/v1", for a program that a
// test starts. Requests to it need the header "Authorization: Bearer" with
// [Server.ControlToken].
//
// # Webhooks
//
// Webhooks may have destinations on this machine, such as the URL of an [httptest.Server],
// and are delivered within milliseconds. [Server.ClientSecret] is the key of their
// signatures. A message that failed comes again when the clock of the store has moved:
//
//	c.Clock(store).Advance(t, time.Minute)
//
// # Clients with a fixed host
//
// [StartTLS] serves HTTPS with a certificate for api.bigcommerce.com. [Server.Client]
// trusts it, and connects to the server for that host, so a client that takes an
// [http.Client] need not be told another host.
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
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/webhook"
)

// Server is a running Cohort on a loopback port, with a SQLite database of its own.
type Server struct {
	URL   string // such as http://127.0.0.1:40817
	Store string // the hash of a store without a quota
	Token string // a token of that store with every scope
	// ControlToken is the token of the control API at /_cohort/v1.
	ControlToken string

	service  *service.Service
	dialects []*api.Dialect
	faults   *fault.Set
	journal  *journal.Journal
	limits   *limit.Memory
	handler  *server.Server
	http     *httptest.Server
	client   *http.Client
	db       *db.DB
	dir      string

	stopWebhooks func() // nil before startWebhooks
}

// Start starts a server with one store, and ends it with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return start(t, (*httptest.Server).Start)
}

func start(t testing.TB, listen func(*httptest.Server)) *Server {
	t.Helper()
	s, err := open(listen)
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
func New() (*Server, error) { return open((*httptest.Server).Start) }

// open starts a server, which listens in a way of the caller's.
func open(listen func(*httptest.Server)) (s *Server, err error) {
	s = &Server{Store: "test", ControlToken: rand.Text(), faults: &fault.Set{}, journal: journal.New()}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start a server for tests: %w", err), s.Close())
			s = nil
		}
	}()
	var url string
	if s.dir, url, err = createDatabase(); err != nil {
		return s, err
	}
	ctx := context.Background()
	if s.db, err = db.Open(ctx, url); err != nil {
		return s, err
	}
	s.service = service.New(s.db, service.WithHookSender(webhook.New(webhook.Options{Dev: true})))
	s.limits = limit.NewMemoryWithClocks(s.service.Now)
	if s.Token, err = s.newStore(ctx, cohort.Store{Hash: s.Store}); err != nil {
		return s, err
	}
	s.startWebhooks()
	return s, s.serve(listen)
}

// serve starts the HTTP server.
func (s *Server) serve(listen func(*httptest.Server)) error {
	s.dialects = server.Dialects(s.service)
	s.handler = server.New(s.service, server.Options{
		Memory: s.limits, Faults: s.faults, FaultHeader: true, Journal: s.journal,
		Control: control.New(control.Options{
			Service: s.service, Token: s.ControlToken, Dialects: s.dialects, Limits: s.limits, Faults: s.faults, Journal: s.journal,
			Version: "cohorttest",
		}),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.http = &httptest.Server{Listener: server.Listen(l), Config: &http.Server{Handler: s.handler, ConnContext: server.ConnContext}} //nolint:gosec // a test has no slow clients
	listen(s.http)
	s.URL = s.http.URL
	s.client = s.http.Client()
	return nil
}

// Close ends the server and deletes its database. It waits for the requests that are
// being processed and for messages of webhooks that are being sent, and ends the waits of
// faults.
func (s *Server) Close() (err error) {
	if s.http != nil {
		s.handler.EndFaults()
		s.journal.Close()
		s.http.Close()
	}
	if s.stopWebhooks != nil {
		s.stopWebhooks()
	}
	if s.db != nil {
		err = s.db.Close()
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// Client returns a client for the server. If it was started by [StartTLS], the client
// trusts its certificate, and connects to it for https://api.bigcommerce.com too. The
// client is the same for each call; the caller must not change it.
func (s *Server) Client() *http.Client { return s.client }
