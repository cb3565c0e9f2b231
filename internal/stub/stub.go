// Package stub answers the operations of any OpenAPI document with examples of it, so that a
// program can be tested whose other calls nothing serves. It checks no requests and keeps no
// state.
package stub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v4"
)

const (
	// MaxDocument is how many bytes an OpenAPI document has.
	MaxDocument = 8 << 20
	// maxOperations bounds the operations of a document.
	maxOperations = 5000
	// maxAnswer is how many bytes an answer has.
	maxAnswer = 1 << 20
	// maxAnswers is how many bytes the answers of a document have together.
	maxAnswers = 64 << 20
)

// Stub has the answers to the operations of a document.
type Stub struct{ routes []route }

// Answer is the response of an operation.
type Answer struct {
	Status      int
	ContentType string // "": there is no body
	Body        []byte
}

type route struct {
	method   string
	segments []string // of the path, without variables: "" stands for any
	answer   Answer
}

// Load reads a document in YAML or JSON, of OpenAPI 3. It follows no references to other
// files. An error of the syntax names the line, and others the operation.
func Load(text []byte) (*Stub, error) {
	if len(text) > MaxDocument {
		return nil, fmt.Errorf("the document is larger than %d MiB", MaxDocument>>20)
	}
	if err := checkSyntax(text); err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("the document is not OpenAPI 3: %w", err)
	}
	if document.Paths.Len() == 0 {
		return nil, errors.New("the document has no paths")
	}
	s, size := &Stub{}, 0
	base := basePath(document.Servers)
	for _, path := range document.Paths.Keys() {
		for method, operation := range document.Paths.Value(path).Operations() {
			answer, err := answerOf(operation)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			s.routes = append(s.routes, route{method, segmentsOf(base + path), answer})
			if size += len(answer.Body); size > maxAnswers || len(s.routes) > maxOperations {
				return nil, fmt.Errorf("the document has more than %d operations, or examples of more than %d MiB", maxOperations, maxAnswers>>20)
			}
		}
	}
	return s, nil
}

// checkSyntax parses a text as YAML, of which JSON is a part.
func checkSyntax(text []byte) error {
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err == nil {
		err = loader.Load(new(yaml.Node))
	}
	if wrong, ok := errors.AsType[*yaml.LoadError](err); ok {
		return fmt.Errorf("line %d: the text is not valid YAML: %s", wrong.Mark.Line, wrong.Message)
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the document is empty")
	}
	return err
}

// basePath returns the path of the first server, such as /stores/{store_hash}/v2.
func basePath(servers openapi3.Servers) string {
	if len(servers) == 0 {
		return ""
	}
	_, rest, ok := strings.Cut(servers[0].URL, "://")
	if !ok {
		return strings.TrimSuffix(servers[0].URL, "/")
	}
	_, path, ok := strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	return strings.TrimSuffix("/"+path, "/")
}

func segmentsOf(path string) []string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		if strings.Contains(s, "{") {
			segments[i] = ""
		}
	}
	return segments
}

// Find returns the answer to a request, nil if the document has no such operation. The path
// is not escaped. Of several paths that match, the one counts whose fixed segments come
// first.
func (s *Stub) Find(method, path string) *Answer {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	var best *route
	for i := range s.routes {
		r := &s.routes[i]
		if r.method == method && r.matches(segments) && (best == nil || r.isCloser(best)) {
			best = r
		}
	}
	if best == nil {
		return nil
	}
	return &best.answer
}

func (r *route) matches(segments []string) bool {
	return slices.EqualFunc(r.segments, segments, func(want, got string) bool { return got != "" && (want == got || want == "") })
}

// isCloser reports whether the first segment in which two paths differ is fixed here.
func (r *route) isCloser(than *route) bool {
	for i, s := range r.segments {
		if (s == "") != (than.segments[i] == "") {
			return s != ""
		}
	}
	return false
}

// answerOf returns the answer of an operation: the response with the lowest status of
// success, as JSON.
func answerOf(operation *openapi3.Operation) (Answer, error) {
	status, response := success(operation.Responses)
	if response == nil || response.Value == nil {
		return Answer{Status: http.StatusNoContent}, nil
	}
	name, media := mediaOf(response.Value.Content)
	if media == nil {
		return Answer{Status: status}, nil
	}
	value, err := exampleOf(media)
	if err != nil {
		return Answer{}, err
	}
	body, err := json.Marshal(value)
	if err != nil {
		return Answer{}, fmt.Errorf("the example is not JSON: %w", err)
	}
	if len(body) > maxAnswer {
		return Answer{}, fmt.Errorf("the example is larger than %d MiB", maxAnswer>>20)
	}
	return Answer{status, name, body}, nil
}

// success returns the response with the lowest status from 200 to 299, else the default.
func success(responses *openapi3.Responses) (int, *openapi3.ResponseRef) {
	best := 0
	for key := range responses.Map() {
		if n, err := strconv.Atoi(strings.Replace(key, "XX", "00", 1)); err == nil && n >= 200 && n < 300 && (best == 0 || n < best) {
			best = n
		}
	}
	if best == 0 {
		return http.StatusOK, responses.Value("default")
	}
	if response := responses.Value(strconv.Itoa(best)); response != nil {
		return best, response
	}
	return best, responses.Value("2XX")
}

// mediaOf returns the JSON type of a response and its description, nil if there is none.
func mediaOf(content openapi3.Content) (string, *openapi3.MediaType) {
	if media := content["application/json"]; media != nil {
		return "application/json", media
	}
	names := make([]string, 0, len(content))
	for name := range content {
		if strings.HasSuffix(name, "json") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	name := slices.Min(names)
	return name, content[name]
}
