package openapi_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"cohort.example/cohort/internal/testenv"

	"cohort.example/cohort"
	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/openapi"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// validDocument loads and validates the document once for all tests. Validation takes
// longer than most of them.
var validDocument = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Document)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background())
})

// load returns the document, which tests must not change. It fails if the document is
// not valid.
func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := validDocument()
	if err != nil {
		t.Fatal(err)
	}
	if !doc.IsOpenAPI31OrLater() {
		t.Fatalf("the document has OpenAPI version %s, want 3.1", doc.OpenAPI)
	}
	return doc
}

// row has the properties of an operation that are in the document and in the route
// tables.
type row struct {
	Operation   string
	Scope       any
	Concurrency any
}

// The document has every route and no others.
func TestOperations(t *testing.T) {
	want := map[string]row{
		"GET /livez":        {Operation: "live"},
		"GET /readyz":       {Operation: "ready"},
		"GET /openapi.yaml": {Operation: "openapi"},
	}
	for _, d := range server.Dialects(nil) {
		for _, r := range d.Routes {
			w := row{Operation: r.Operation}
			if r.Scope != "" {
				w.Scope = string(r.Scope)
			}
			if r.Concurrency > 0 {
				w.Concurrency = float64(r.Concurrency)
			}
			want[r.Method+" /stores/{store_hash}"+d.Prefix+r.Path] = w
		}
	}
	for _, r := range control.New(control.Options{}).Routes() {
		want[r.Method+" "+control.Prefix+r.Path] = row{Operation: r.Operation}
	}
	got := map[string]row{}
	for path, item := range load(t).Paths.Map() {
		for method, op := range item.Operations() {
			got[method+" "+path] = row{op.OperationID, op.Extensions["x-cohort-scope"], op.Extensions["x-cohort-max-concurrent"]}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-server +document):\n%s", diff)
	}
}

// Every route that creates, in every dialect, says what an Idempotency-Key does, and no other
// route does.
func TestIdempotencyKeysAreDocumented(t *testing.T) {
	doc := load(t)
	for _, d := range server.Dialects(nil) {
		for _, r := range d.Routes {
			op := doc.Paths.Value("/stores/{store_hash}" + d.Prefix + r.Path).GetOperation(r.Method)
			if accepts := op.Parameters.GetByInAndName("header", "Idempotency-Key") != nil; accepts != r.Creates() {
				t.Errorf("%s accepts a key: %v", r.Operation, accepts)
			}
			if !r.Creates() {
				continue
			}
			for status, about := range map[int]string{409: "under way", 422: "was used for another request", 413: "", 429: ""} {
				response := op.Responses.Status(status)
				if response == nil || response.Value.Description == nil {
					t.Errorf("%s lacks %d", r.Operation, status)
				} else if text := *response.Value.Description; about != "" && (!strings.Contains(text, "`Idempotency-Key`") || !strings.Contains(text, about)) {
					t.Errorf("%s: %d does not tell of keys: %s", r.Operation, status, text)
				} else if _, ok := response.Value.Headers["Retry-After"]; status == 409 && !ok {
					t.Errorf("%s: %d lacks Retry-After", r.Operation, status)
				}
			}
		}
	}
}

// The requests and responses of the wire scripts conform to the document.
func TestWireScripts(t *testing.T) {
	testenv.NotWithRace(t, "it sends one request after another, which takes minutes then")
	c := newContract(load(t))
	// SQLite is enough. The packages of the dialects test the responses on every
	// database.
	for dir, vars := range map[string]func(*servertest.Server, testing.TB) map[string]string{
		"../apiv2/testdata": (*servertest.Server).Vars, "../apiv3/testdata": (*servertest.Server).V3Vars,
		"../control/testdata": (*servertest.Server).V3Vars,
	} {
		cohorttest.RunScripts(t, os.DirFS(dir), "*.txt", func(t *testing.T) cohorttest.Target {
			s := servertest.Start(t, open(t), server.Options{})
			return cohorttest.Target{URL: s.URL, Vars: vars(s, t)}
		}, c.check)
	}
	if len(c.unseen()) > 0 {
		t.Errorf("no script has the operations %v", c.unseen())
	}
}

func open(t *testing.T) *db.DB { return dbtest.SQLite(t) }

// The responses to failures that wire scripts cannot cause conform to the document.
func TestFailures(t *testing.T) {
	c := newContract(load(t))
	run := func(name, script string, start func(t *testing.T) cohorttest.Target) {
		cohorttest.RunScripts(t, fstest.MapFS{name: {Data: []byte(script)}}, name, start, c.check)
	}
	run("pricing fails", partial, func(t *testing.T) cohorttest.Target {
		s := servertest.Start(t, open(t), server.Options{}, service.WithPusher(brokenPricing{}))
		return cohorttest.Target{URL: s.URL, Vars: s.V3Vars(t)}
	})
	run("quota exceeded", "GET /v2/time\ncode == 200\n\n"+expect("code == 429"), func(t *testing.T) cohorttest.Target {
		s := servertest.Start(t, open(t), server.Options{})
		vars := s.V3Vars(t)
		setQuota(t, s.Service, vars["store"])
		return cohorttest.Target{URL: s.URL, Vars: vars}
	})
	run("database closed", expect("code == 503")+"GET /readyz\ncode == 503\n", func(t *testing.T) cohorttest.Target {
		d := open(t)
		s := servertest.Start(t, d, server.Options{})
		vars := s.V3Vars(t)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		return cohorttest.Target{URL: s.URL, Vars: vars}
	})
}

// expect returns a script of all operations with the same check.
func expect(check string) (script string) {
	for _, d := range server.Dialects(nil) {
		for _, r := range d.Routes {
			script += r.Method + " " + d.Prefix + replaceWildcards(r.Path, "1", "usd") + "\n"
			if r.Method == "POST" || r.Method == "PUT" {
				script += "send {\"name\":\"x\"}\n"
			}
			script += check + "\n\n"
		}
	}
	return script
}

const partial = `
POST /v2/customer_groups
send {"name":"x","discount_rules":[{"type":"all","method":"percent","amount":5}]}
code == 207

PUT /v2/customer_groups/1
send {"discount_rules":[{"type":"all","method":"percent","amount":6}]}
code == 207
`

type brokenPricing struct{}

func (brokenPricing) PushSitewide(context.Context, service.SitewideDiscount) error {
	return os.ErrDeadlineExceeded
}

// setQuota gives a store a quota of one request.
func setQuota(t *testing.T, svc *service.Service, hash string) {
	t.Helper()
	plan, quota := cohort.PlanEnterprise, 1
	if _, err := svc.UpdateStore(t.Context(), hash, cohort.StoreUpdate{Plan: &plan, Quota: &quota}); err != nil {
		t.Fatal(err)
	}
}
