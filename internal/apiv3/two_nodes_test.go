package apiv3_test

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/testenv"
)

// ofOneNode are scripts whose results depend on counters that a node keeps in memory
// unless nodes share a Redis.
var ofOneNode = map[string]bool{"validate_credentials.txt": true}

// TestWireOverTwoNodes runs the wire scripts against two nodes on one database, which
// take turns: each request goes to the other node than the one before. The short form of
// the tests runs the scripts that write customers.
func TestWireOverTwoNodes(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("there are no scripts (%v)", err)
	}
	for _, path := range scripts {
		name := filepath.Base(path)
		if ofOneNode[name] || !testenv.Full() && !strings.HasPrefix(name, "customer_update") {
			continue
		}
		t.Run(strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
			t.Parallel()
			database := dbtest.MigratedPostgresURL(t)
			cohorttest.RunScripts(t, os.DirFS("testdata"), name, func(t *testing.T) cohorttest.Target {
				first := servertest.Start(t, dbtest.Open(t, database), server.Options{})
				second := servertest.Start(t, dbtest.Open(t, database), server.Options{})
				return cohorttest.Target{URL: alternate(t, first.URL, second.URL), Vars: first.V3Vars(t)}
			})
		})
	}
}

// alternate starts a proxy that sends requests to the servers in turn.
func alternate(t *testing.T, servers ...string) string {
	t.Helper()
	targets := make([]*url.URL, len(servers))
	for i, s := range servers {
		var err error
		if targets[i], err = url.Parse(s); err != nil {
			t.Fatal(err)
		}
	}
	var requests atomic.Int64
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(targets[int(requests.Add(1))%len(targets)])
		r.Out.Host = r.In.Host
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}
