package main_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// roundRobin starts a proxy that forwards each request unchanged to the next
// node.
func roundRobin(t *testing.T, nodes ...string) (address string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			node, err := url.Parse(nodes[requests.Add(1)%int64(len(nodes))])
			if err != nil {
				panic(err) // the test made the URL itself
			}
			r.Out.URL.Scheme, r.Out.URL.Host = node.Scheme, node.Host
			r.Out.URL.RawQuery, r.Out.Header = r.In.URL.RawQuery, r.In.Header
		},
		Transport: &http.Transport{DisableCompression: true},
	})
	t.Cleanup(proxy.Close)
	return proxy.URL, requests
}

// Clients need not know that there are several nodes: each node shows the
// changes that were made through the others. The short form runs the scripts of groups.
func TestWireOnTwoNodes(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	address, requests := roundRobin(t, serve(t, "--db", database).url, serve(t, "--db", database).url)
	admin := servertest.Start(t, dbtest.Open(t, database), server.Options{})
	vars := admin.Vars(t)
	scripts, least := testenv.Times("*.txt", "group_*.txt"), testenv.Times[int64](500, 250)
	cohorttest.RunScripts(t, os.DirFS("../../internal/apiv2/testdata"), scripts, func(t *testing.T) cohorttest.Target {
		t.Cleanup(func() { // scripts expect an empty store
			empty(t, admin.Service, vars["store"])
			empty(t, admin.Service, vars["other_store"])
		})
		return cohorttest.Target{URL: address, Vars: vars}
	})
	if n := requests.Load(); n < least {
		t.Errorf("%d requests, want those of the scripts %s", n, scripts)
	}
}

// empty deletes the customers and groups of a store.
func empty(t *testing.T, svc *service.Service, store string) {
	ctx := context.Background() // the context of the test has ended
	if err := svc.DeleteCustomers(ctx, store, cohort.CustomerFilter{}, cohort.MaxDeleteCustomers); err != nil {
		t.Error(err)
	}
	groups, err := svc.ListGroups(ctx, store, cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 1000})
	if err != nil {
		t.Error(err)
	}
	for _, g := range groups {
		if err := svc.DeleteGroup(ctx, store, g.ID); err != nil {
			t.Error(err)
		}
	}
}
