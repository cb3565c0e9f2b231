package wirescript

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Target is a server that scripts run against.
type Target struct {
	URL string // of the server, without a slash at the end
	// Vars are the variables that scripts can use. "store" and "token" are the store
	// and the token of requests that name no others.
	Vars   map[string]string
	Client *http.Client // nil is http.DefaultClient
}

// Exchange is a request of a script and its response.
type Exchange struct {
	Case     Case
	URL      string // as sent
	Sent     *http.Request
	Body     string // as sent
	Status   int
	Header   http.Header
	Response string
	// Failures are the checks that failed. Each is a text that names the line of the
	// script.
	Failures []string
}

// FieldError means that a response lacks a field that a let line needs. The response itself
// was passed on.
type FieldError struct{ err error }

// Error implements error.
func (e *FieldError) Error() string { return e.err.Error() }

// Run runs the cases of the script in order and passes each exchange to done. It
// returns an error if a request gets no response, and a [FieldError] if a field that a let
// line needs is missing.
func (s *Script) Run(ctx context.Context, target Target, done func(Exchange)) error {
	vars := map[string]string{}
	maps.Copy(vars, target.Vars)
	for _, c := range s.Cases {
		x, err := s.exchange(ctx, c, target, vars)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", s.Name, c.Line, err)
		}
		for _, k := range c.checks {
			if problem := k.apply(x, vars); problem != "" {
				x.Failures = append(x.Failures, fmt.Sprintf("%s:%d: %s", s.Name, k.line, problem))
			}
		}
		done(x)
		if err := c.take(x, vars); err != nil {
			return fmt.Errorf("%s:%d: %w", s.Name, c.Line, err)
		}
	}
	return nil
}

// maxResponse bounds how much of a response is read, in bytes.
const maxResponse = 16 << 20

func (s *Script) exchange(ctx context.Context, c Case, target Target, vars map[string]string) (Exchange, error) {
	x := Exchange{Case: c, Body: expand(c.Body, vars)}
	path := expand(c.Path, vars)
	inStore := strings.HasPrefix(path, "/v2") || strings.HasPrefix(path, "/v3") || strings.HasPrefix(path, "/cohort")
	if inStore {
		path = "/stores/" + vars["store"] + path
	}
	x.URL = target.URL + path
	var body io.Reader
	if x.Body != "" {
		body = strings.NewReader(x.Body)
	}
	req, err := http.NewRequestWithContext(ctx, c.Method, x.URL, body)
	if err != nil {
		return x, err
	}
	c.setHeader(req, inStore, vars)
	x.Sent = req
	client := target.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return x, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxResponse))
	x.Status, x.Header, x.Response = res.StatusCode, res.Header, string(answer)
	return x, err
}

func (c *Case) setHeader(req *http.Request, inStore bool, vars map[string]string) {
	switch {
	case c.Token == "none":
	case c.Token != "":
		req.Header.Set("X-Auth-Token", expand(c.Token, vars))
	case inStore:
		req.Header.Set("X-Auth-Token", vars["token"])
	}
	if c.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, f := range c.Header {
		value := expand(f.Value, vars)
		if value == "" && f.Name == "Content-Type" {
			req.Header.Del(f.Name)
			continue
		}
		req.Header.Set(f.Name, value)
	}
}

// apply returns what is wrong with the response, or "".
func (k check) apply(x Exchange, vars map[string]string) string {
	got := x.Response
	switch k.subject {
	case "code":
		got = strconv.Itoa(x.Status)
	case "body":
	default:
		got = strings.Join(x.Header.Values(k.subject), ", ")
	}
	want := expand(k.want, vars)
	if k.holds(got, want, x) {
		return ""
	}
	return fmt.Sprintf("%s %s %s\n\tgot: %s", k.subject, k.op, want, got)
}

func (k check) holds(got, want string, x Exchange) bool {
	switch k.op {
	case "==":
		return pattern(want).MatchString(got)
	case "contains":
		return strings.Contains(got, want)
	case "~":
		return regexp.MustCompile(want).MatchString(got)
	case "empty":
		return got == ""
	}
	_, present := x.Header[k.subject] // "missing"
	return !present
}

// pattern matches the text exactly, except for the placeholders.
func pattern(want string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(want)
	for placeholder, expression := range map[string]string{
		"<int>": `-?\d+`, "<text>": `[^"]*`, "<date>": `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`,
	} {
		quoted = strings.ReplaceAll(quoted, placeholder, expression)
	}
	return regexp.MustCompile(`^(?s:` + quoted + `)$`)
}

// take sets variables to fields of the response.
func (c *Case) take(x Exchange, vars map[string]string) error {
	for _, l := range c.lets {
		value := json.RawMessage(x.Response)
		for name := range strings.SplitSeq(l.field, ".") {
			var err error
			if value, err = part(value, name); err != nil {
				return &FieldError{fmt.Errorf("%w: %s", err, x.Response)}
			}
		}
		vars[l.variable] = strings.Trim(string(value), `"`)
	}
	return nil
}

// part returns a field of an object, or the element of an array with an index.
func part(of json.RawMessage, name string) (json.RawMessage, error) {
	var array []json.RawMessage
	if i, err := strconv.Atoi(name); err == nil && json.Unmarshal(of, &array) == nil && i < len(array) {
		return array[i], nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(of, &object); err != nil {
		return nil, errors.New("the response is not an object to take a field from")
	}
	value, ok := object[name]
	if !ok {
		return nil, fmt.Errorf("the response has no field %s", name)
	}
	return value, nil
}

var variable = regexp.MustCompile(`\{(\w+)\}`)

// expand replaces variables by their values. Text in braces that is not the name of a
// variable stays, so JSON needs no escaping.
func expand(s string, vars map[string]string) string {
	return variable.ReplaceAllStringFunc(s, func(m string) string {
		if value, ok := vars[m[1:len(m)-1]]; ok {
			return value
		}
		return m
	})
}
