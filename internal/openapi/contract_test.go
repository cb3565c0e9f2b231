package openapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/server"

	"github.com/getkin/kin-openapi/openapi3"
)

// contract is the document, ready to hold exchanges against it.
type contract struct {
	operations []*operation
}

type operation struct {
	*openapi3.Operation
	method string
	path   *regexp.Regexp
	params openapi3.Parameters // of the path and of the operation
	seen   bool
}

func newContract(doc *openapi3.T) *contract {
	c := &contract{}
	for path, item := range doc.Paths.Map() {
		expression := regexp.MustCompile(`^` + replaceWildcards(path, `\d+`, `[A-Za-z]+`) + `$`)
		for method, op := range item.Operations() {
			c.operations = append(c.operations, &operation{
				Operation: op, method: method, path: expression,
				params: slices.Concat(item.Parameters, op.Parameters),
			})
		}
	}
	return c
}

var wildcard = regexp.MustCompile(`\{\w+\}`)

// replaceWildcards puts something in the place of a path's ids and of its words,
// and any one segment in the place of its store.
func replaceWildcards(path, id, word string) string {
	return wildcard.ReplaceAllStringFunc(path, func(name string) string {
		switch {
		case name == "{store_hash}":
			return "[^/]+"
		case strings.HasSuffix(name, "id}"):
			return id
		}
		return word
	})
}

// unseen names the operations that no exchange showed.
func (c *contract) unseen() (names []string) {
	for _, op := range c.operations {
		if !op.seen {
			names = append(names, op.OperationID)
		}
	}
	return names
}

// routeNotFound is the one answer that belongs to no operation.
const routeNotFound = "The route is not found, check the URL"

// check holds one exchange against the document.
func (c *contract) check(t *testing.T, x cohorttest.Exchange) {
	t.Helper()
	if x.Status == http.StatusNotFound && x.Header.Get("Content-Type") == "text/plain" && (x.Answer == routeNotFound || x.Case.Method == http.MethodHead) {
		return
	}
	op := c.find(x.Sent)
	if op == nil {
		t.Errorf("line %d: %s %s is no operation of the document", x.Case.Line, x.Case.Method, x.URL)
		return
	}
	op.seen = true
	report := func(format string, args ...any) {
		t.Helper()
		t.Errorf("line %d: %s: %d: "+format, append([]any{x.Case.Line, op.OperationID, x.Status}, args...)...)
	}
	if x.Status < 300 {
		op.checkQuery(x.Sent.URL.Query(), report)
		op.checkSent(x.Body, report)
	}
	response := op.Responses.Status(x.Status)
	if response == nil {
		report("the status is not described")
		return
	}
	checkHeader(response.Value.Headers, x.Header, report)
	checkAnswer(response.Value.Content, x, report)
}

// find returns the operation of a request, nil when there is none.
func (c *contract) find(r *http.Request) *operation {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // HEAD is described with it
	}
	path := canonical(r.URL.Path)
	for _, op := range c.operations {
		if op.method == method && op.path.MatchString(path) {
			return op
		}
	}
	return nil
}

// canonical is a path in the form that the document has, of those that the
// server takes.
func canonical(path string) string {
	path = strings.TrimSuffix(path, "/")
	for _, d := range server.Dialects(nil) {
		if store, rest, ok := strings.Cut(path, d.Prefix+"/"); ok {
			return store + d.Prefix + d.Canonical("/"+rest)
		}
	}
	return path
}

type reporter func(format string, args ...any)

// checkQuery: what a request that worked asked for is described, unless the
// operation ignores the query as a whole.
func (op *operation) checkQuery(query url.Values, report reporter) {
	isQuery := func(p *openapi3.ParameterRef) bool { return p.Value.In == openapi3.ParameterInQuery }
	if !slices.ContainsFunc(op.params, isQuery) {
		return
	}
	for name := range query {
		if op.params.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			report("the parameter %s is not described", name)
		}
	}
}

// checkSent: the body of a request that worked is one that is described.
func (op *operation) checkSent(body string, report reporter) {
	if op.RequestBody == nil {
		return
	}
	checkJSON(op.RequestBody.Value.Content["application/json"], body, "the request", report)
}

// told are the headers that clients go by, and that the document must name.
var told = []string{
	"Allow", "ETag", "Location", "Retry-After", "X-Request-Id", "X-Retry-After",
	"X-Rate-Limit-Time-Window-Ms", "X-Rate-Limit-Time-Reset-Ms", "X-Rate-Limit-Requests-Quota", "X-Rate-Limit-Requests-Left",
}

func checkHeader(described openapi3.Headers, got http.Header, report reporter) {
	for _, name := range told {
		if _, ok := described[name]; !ok && got.Get(name) != "" {
			report("the header %s is not described", name)
		}
	}
	for name, h := range described {
		value := got.Get(name)
		if value == "" {
			if h.Value.Required {
				report("the header %s is not there", name)
			}
			continue
		}
		var v any = value
		if h.Value.Schema.Value.Type.Is("integer") {
			v = json.Number(value)
		}
		if err := h.Value.Schema.Value.VisitJSON(v, openapi3.EnableJSONSchema2020()); err != nil {
			report("the header %s: %v", name, err)
		}
	}
}

func checkAnswer(described openapi3.Content, x cohorttest.Exchange, report reporter) {
	contentType := x.Header.Get("Content-Type")
	media := described[contentType] // to the letter, unlike Content.Get
	switch {
	case contentType == "" && len(described) == 0:
		if x.Answer != "" {
			report("there is a body where none is described")
		}
	case media == nil:
		report("the Content-Type %q is not described", contentType)
	case x.Case.Method == http.MethodHead:
	case contentType == "application/json":
		checkJSON(media, x.Answer, "the answer", report)
	default:
		if err := media.Schema.Value.VisitJSON(x.Answer, openapi3.EnableJSONSchema2020()); err != nil {
			report("%v", err)
		}
	}
}

func checkJSON(media *openapi3.MediaType, text, what string, report reporter) {
	var value any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber() // ids do not fit into a float64
	if err := d.Decode(&value); err != nil {
		report("%s: %v: %s", what, err, text)
		return
	}
	if err := media.Schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020()); err != nil {
		report("%s: %v: %s", what, err, text)
	}
}
