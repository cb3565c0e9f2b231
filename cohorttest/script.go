package cohorttest

import (
	"context"
	"io/fs"
	"net/http"
	"testing"

	"cohort.example/cohort/internal/wirescript"
)

// Target is a server that scripts run against.
type Target struct {
	URL string // of the server, without a slash at the end
	// Vars are the variables that scripts can use. "store" and "token" are the store
	// and the token of requests that name no others.
	Vars   map[string]string
	Client *http.Client // nil: http.DefaultClient
}

// Target returns the server as a target, with its store and token.
func (s *Server) Target() Target {
	return Target{URL: s.URL, Vars: map[string]string{"store": s.Store, "token": s.Token}}
}

// Exchange is a request of a script and its response.
type Exchange struct {
	Line        int           // of the request in the script
	Comment     string        // before the request, without the "#"
	Request     *http.Request // as sent; its body has been read
	RequestBody string
	Status      int
	Header      http.Header
	Body        string // of the response, at most 16 MiB
	// Failures are the checks that failed. Each is a text that names the line of
	// the script.
	Failures []string
}

// RunScript runs the cases of a script in order and passes each exchange to done. A
// check that fails is in [Exchange.Failures], and the script continues. RunScript
// returns an error if the script cannot be parsed, if a request gets no response, or if
// a field that a let line needs is missing. The name is for messages.
func RunScript(ctx context.Context, target Target, name, script string, done func(Exchange)) error {
	parsed, err := wirescript.Parse(name, script)
	if err != nil {
		return err
	}
	return parsed.Run(ctx, wirescript.Target(target), func(x wirescript.Exchange) {
		done(Exchange{
			Line: x.Case.Line, Comment: x.Case.Comment, Request: x.Sent, RequestBody: x.Body,
			Status: x.Status, Header: x.Header, Body: x.Response, Failures: x.Failures,
		})
	})
}

// RunScripts runs every script in fsys whose name matches the pattern of [fs.Glob], each
// as a subtest against a target that start returns. A check that fails is an error of
// the subtest. Each exchange is also passed to the seen functions.
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
			err = RunScript(t.Context(), start(t), name, string(text), func(x Exchange) {
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
