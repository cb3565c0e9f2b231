// Package servertest runs the whole server on a database of the test.
package servertest

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// Server is a running server.
type Server struct {
	URL     string
	Service *service.Service
	// EndFaults is that of the server.
	EndFaults func()
}

// ControlToken is the token of the control API.
const ControlToken = "control token of tests"

// Start serves a database until the test ends. The server has the control
// API and faults, unless the options have a control API.
func Start(t testing.TB, d *db.DB, o server.Options, opts ...service.Option) *Server {
	t.Helper()
	svc := service.New(d, opts...)
	if o.Journal == nil {
		o.Journal = journal.New()
	}
	if o.Control == nil {
		if o.Limits == nil && o.Memory == nil {
			now := o.Now
			if now == nil {
				now = time.Now
			}
			o.Memory = limit.NewMemoryWithClocks(func(storeKey string) time.Time { return svc.Clocks().At(storeKey, now()) })
		}
		o.Faults, o.FaultHeader = &fault.Set{}, true
		o.Control = control.New(control.Options{
			Service: svc, Limits: o.Memory, Faults: o.Faults, Journal: o.Journal, Token: ControlToken, Dialects: server.Dialects(svc), Version: "v0",
		})
	}
	handler := server.New(svc, o)
	h := httptest.NewServer(handler)
	ctx, stop := context.WithCancel(context.Background())
	var background sync.WaitGroup
	background.Go(func() { handler.Run(ctx) })
	t.Cleanup(background.Wait)
	t.Cleanup(stop)
	t.Cleanup(h.Close)
	t.Cleanup(o.Journal.Close) // before h.Close, which waits for streams
	t.Cleanup(handler.EndFaults)
	return &Server{URL: h.URL, Service: svc, EndFaults: handler.EndFaults}
}

// Store creates a store.
func (s *Server) Store(t testing.TB, st cohort.Store) cohort.Store {
	t.Helper()
	st, err := s.Service.CreateStore(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// Token creates a token of a store and returns its secret.
func (s *Server) Token(t testing.TB, storeHash string, scopes ...cohort.Scope) string {
	t.Helper()
	st, err := s.Service.Store(t.Context(), storeHash)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := s.Service.CreateToken(t.Context(), cohort.Token{StoreKey: st.Key, Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// Vars creates two stores and their tokens, and returns them as the variables of wire
// scripts.
func (s *Server) Vars(t testing.TB) map[string]string {
	t.Helper()
	s.Store(t, cohort.Store{Hash: "abc"})
	s.Store(t, cohort.Store{Hash: "other"})
	return map[string]string{
		"store":             "abc",
		"other_store":       "other",
		"token":             s.Token(t, "abc", cohort.ScopeCustomers),
		"read_token":        s.Token(t, "abc", cohort.ScopeCustomersRead),
		"products_token":    s.Token(t, "abc", cohort.ScopeProducts),
		"information_token": s.Token(t, "abc", cohort.ScopeInformationRead),
		"other_token":       s.Token(t, "other", cohort.ScopeCustomers),
	}
}

// V3Vars is Vars for V3 scripts: their tokens have all scopes.
func (s *Server) V3Vars(t testing.TB) map[string]string {
	t.Helper()
	vars := s.Vars(t)
	vars["control_token"] = ControlToken
	vars["customers_token"] = vars["token"]
	vars["products_read_token"] = s.Token(t, "abc", cohort.ScopeProductsRead)
	vars["token"] = s.Token(t, "abc", cohort.Scopes()...)
	vars["other_token"] = s.Token(t, "other", cohort.Scopes()...)
	return vars
}
