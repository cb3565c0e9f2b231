package openapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/server"

	"github.com/getkin/kin-openapi/openapi3"
)

// contract checks requests and responses against the document.
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
		expression := regexp.MustCompile(`^` + strings.ReplaceAll(replaceWildcards(path, `\d+`, `[A-Za-z]+`), anyUUID, `[0-9a-fA-F-]{36}`) + `$`)
		for method, op := range item.Operations() {
			c.operations = append(c.operations, &operation{
				Operation: op, method: method, path: expression,
				params: slices.Concat(item.Parameters, op.Parameters),
			})
		}
	}
	return c
}

const anyUUID = "1465bb16-eb7d-4fba-8312-0ea9d88cd6e9"

var wildcard = regexp.MustCompile(`\{\w+\}`)

// replaceWildcards replaces the ids and the words in a path with the arguments, UUIDs with
// one of them, and the store and names with an expression for any segment.
func replaceWildcards(path, id, word string) string {
	return wildcard.ReplaceAllStringFunc(path, func(name string) string {
		switch {
		case name == "{store_hash}", name == "{hash}", name == "{name}":
			return "[^/]+"
		case strings.HasSuffix(name, "uuid}"):
			return anyUUID
		case strings.HasSuffix(name, "id}"):
			return id
		}
		return word
	})
}

// unseen returns the operations without an exchange.
func (c *contract) unseen() (names []string) {
	for _, op := range c.operations {
		if !op.seen {
			names = append(names, op.OperationID)
		}
	}
	return names
}

// routeNotFound, a 405 and a 404 of the control API are the only responses that do not
// belong to an operation.
const routeNotFound = "The route is not found, check the URL"

// check compares one exchange with the document.
func (c *contract) check(t *testing.T, x cohorttest.Exchange) {
	t.Helper()
	if x.Status == http.StatusNotFound && x.Header.Get("Content-Type") == "text/plain" && (x.Body == routeNotFound || x.Request.Method == http.MethodHead) {
		return
	}
	op := c.find(x.Request)
	if op == nil && (x.Status == http.StatusMethodNotAllowed || x.Status == http.StatusNotFound && strings.HasPrefix(x.Request.URL.Path, control.Prefix)) {
		return
	}
	if op == nil {
		t.Errorf("line %d: %s %s is not an operation of the document", x.Line, x.Request.Method, x.Request.URL)
		return
	}
	op.seen = true
	if x.Header.Get(fault.Header) != "" {
		return // rules send statuses that an operation does not have, on purpose
	}
	report := func(format string, args ...any) {
		t.Helper()
		t.Errorf("line %d: %s: %d: "+format, append([]any{x.Line, op.OperationID, x.Status}, args...)...)
	}
	if x.Status < 300 {
		op.checkQuery(x.Request.URL.Query(), report)
		op.checkRequest(x.Request.Header.Get("Content-Type"), x.RequestBody, report)
	}
	response := op.Responses.Status(x.Status)
	if response == nil {
		report("the document does not have this status")
		return
	}
	checkHeader(response.Value.Headers, x.Header, report)
	checkResponse(response.Value.Content, x, report)
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

// canonical returns the form of a path that the document has. The server accepts
// other forms too.
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

// checkQuery checks that the document has the parameters of a successful request, unless
// the operation ignores the query string.
func (op *operation) checkQuery(query url.Values, report reporter) {
	isQuery := func(p *openapi3.ParameterRef) bool { return p.Value.In == openapi3.ParameterInQuery }
	if !slices.ContainsFunc(op.params, isQuery) {
		return
	}
	for name := range query {
		if op.params.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			report("the document does not have the parameter %s", name)
		}
	}
}

// checkRequest checks the body of a successful request.
func (op *operation) checkRequest(contentType, body string, report reporter) {
	if op.RequestBody == nil || body == "" && !op.RequestBody.Value.Required {
		return
	}
	if media := op.RequestBody.Value.Content[contentType]; contentType == "application/yaml" && media != nil {
		if err := conforms(media.Schema.Value, body); err != nil {
			report("the request: %v", err)
		}
		return
	}
	checkJSON(op.RequestBody.Value.Content["application/json"], body, "the request", report)
}

// documented are the headers that clients use. The document must have them.
var documented = []string{
	"Allow", "ETag", "Location", "Retry-After", "X-Request-Id", "X-Retry-After",
	"X-Rate-Limit-Time-Window-Ms", "X-Rate-Limit-Time-Reset-Ms", "X-Rate-Limit-Requests-Quota", "X-Rate-Limit-Requests-Left",
}

func checkHeader(described openapi3.Headers, got http.Header, report reporter) {
	for _, name := range documented {
		if _, ok := described[name]; !ok && got.Get(name) != "" {
			report("the document does not have the header %s", name)
		}
	}
	for name, h := range described {
		value := got.Get(name)
		if value == "" {
			if h.Value.Required {
				report("the header %s is missing", name)
			}
			continue
		}
		var v any = value
		if h.Value.Schema.Value.Type.Is("integer") {
			v = json.Number(value)
		}
		if err := conforms(h.Value.Schema.Value, v); err != nil {
			report("the header %s: %v", name, err)
		}
	}
}

func checkResponse(described openapi3.Content, x cohorttest.Exchange, report reporter) {
	contentType := x.Header.Get("Content-Type")
	media := described[contentType] // exact, unlike Content.Get
	switch {
	case contentType == "" && len(described) == 0:
		if x.Body != "" {
			report("the response has a body, but the document does not")
		}
	case media == nil:
		report("the document does not have the Content-Type %q", contentType)
	case x.Request.Method == http.MethodHead:
	case contentType == "application/json", contentType == "application/problem+json":
		checkJSON(media, x.Body, "the response", report)
	default:
		if err := conforms(media.Schema.Value, x.Body); err != nil {
			report("%v", err)
		}
	}
}

// verdicts has the results of earlier checks. VisitJSON compiles the schema each time,
// and most responses have headers and bodies that an earlier response had.
var verdicts sync.Map // of verdict to error, which is nil if the value conforms

// verdict is a schema and what was compared with it: a string, a number or a document.
type verdict struct {
	schema *openapi3.Schema
	value  any
}

// document is the text of a JSON document.
type document string

// conforms returns an error unless the value conforms to the schema.
func conforms(schema *openapi3.Schema, value any) error {
	key := verdict{schema, value}
	if old, ok := verdicts.Load(key); ok {
		err, _ := old.(error)
		return err
	}
	if text, ok := value.(document); ok {
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.UseNumber() // a float64 cannot represent all ids
		if err := d.Decode(&value); err != nil {
			return err
		}
	}
	err := schema.VisitJSON(value, openapi3.EnableJSONSchema2020())
	verdicts.Store(key, err)
	return err
}

func checkJSON(media *openapi3.MediaType, text, what string, report reporter) {
	if err := conforms(media.Schema.Value, document(text)); err != nil {
		report("%s: %v: %s", what, err, text)
	}
}
