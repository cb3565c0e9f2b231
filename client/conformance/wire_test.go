// Package conformance tests the client against a Cohort server. It is a module of its own,
// so that the users of the client do not get the modules of the server.
package conformance

import (
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// TestWireScripts runs the wire scripts of both dialects through the client. A request that a
// method can send goes through it; the method's own request must be that of the script, the
// script checks the response, and the result must have every field of the response. Requests
// that no method sends, such as those with a mistake, are sent as they are.
func TestWireScripts(t *testing.T) {
	c := &counts{succeeded: map[string]int{}, failed: map[string]int{}}
	t.Run("scripts", func(t *testing.T) {
		for folder, vars := range map[string]func(*servertest.Server, testing.TB) map[string]string{
			"../../internal/apiv2/testdata": (*servertest.Server).Vars, "../../internal/apiv2/testdata/managed": managed((*servertest.Server).Vars),
			"../../internal/apiv3/testdata": (*servertest.Server).V3Vars, "../../internal/apiv3/testdata/managed": managed((*servertest.Server).V3Vars),
		} {
			scripts := os.DirFS(folder)
			run(t, c, scripts, vars)
		}
	})
	c.report(t)
}

func managed(vars func(*servertest.Server, testing.TB) map[string]string) func(*servertest.Server, testing.TB) map[string]string {
	return func(s *servertest.Server, t testing.TB) map[string]string {
		all := vars(s, t)
		catalog := cohort.CatalogManaged
		if _, err := s.Service.UpdateStore(t.Context(), all["store"], cohort.StoreUpdate{Catalog: &catalog}); err != nil {
			t.Fatal(err)
		}
		return all
	}
}

// run runs the scripts of a folder, each on an empty database.
func run(t *testing.T, c *counts, scripts fs.FS, vars func(*servertest.Server, testing.TB) map[string]string) {
	names, err := fs.Glob(scripts, "*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no scripts (%v)", err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
				cohorttest.RunScripts(t, scripts, name, func(t *testing.T) cohorttest.Target {
					s := servertest.Start(t, d, server.Options{})
					return cohorttest.Target{URL: s.URL, Vars: vars(s, t), Client: &http.Client{Transport: &replayer{t, c}}}
				})
			})
		})
	}
}

// report fails unless the scripts have reached every method of the client.
func (c *counts) report(t *testing.T) {
	t.Logf("%d requests went through methods of the client, %d were sent as they are", c.typed, c.raw)
	for _, o := range operations {
		if c.succeeded[o.name] == 0 {
			t.Errorf("no script has a request that succeeds through %s", o.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.succeeded)) {
		t.Logf("%4d succeeded, %3d failed: %s", c.succeeded[name], c.failed[name], name)
	}
}
