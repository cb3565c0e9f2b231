// Package seed reads and writes seeds: the content of a store as a text that people can
// read, in YAML or JSON. [Load] and [Export] use the operations of the dialects, so that an
// item of a seed is the body with which a client creates it.
package seed

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// caller calls operations of the dialects as the store's client would, without the checks
// of token, scope and limits.
type caller struct {
	operations map[string]operation
	ctx        context.Context // of the transaction
	client     string          // the id of the token that calls; "": none
	store      cohort.Store
}

type operation struct {
	*api.Dialect
	api.Route
}

func newCaller(ctx context.Context, dialects []*api.Dialect, store cohort.Store) *caller {
	c := &caller{operations: map[string]operation{}, ctx: ctx, store: store}
	for _, d := range dialects {
		for _, r := range d.Routes {
			c.operations[r.Operation] = operation{d, r}
		}
	}
	return c
}

// failure is the response of an operation that is an error.
type failure struct {
	status int
	detail string // a sentence
	// path is where in the body the error is, such as 0.email; "": nowhere in particular.
	path string
	// ignored are the fields that a successful operation has not read; see api.Unread.
	ignored []string
}

func (f *failure) Error() string { return f.detail }

// do calls an operation. ids are the values of the wildcards of its path. It returns the
// body of the response, nil if there is none, and a *failure for an error or if the
// operation ignores a part of the body.
func (c *caller) do(name string, ids []int64, query string, body []byte) (*Node, error) {
	values := make([]string, len(ids))
	for i, id := range ids {
		values[i] = strconv.FormatInt(id, 10)
	}
	return c.send(name, values, query, body)
}

func (c *caller) send(name string, values []string, query string, body []byte) (*Node, error) {
	op, ok := c.operations[name]
	if !ok {
		return nil, fmt.Errorf("there is no operation %s", name)
	}
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	path, ids := fill(op.Path, values)
	target := "http://localhost/stores/" + c.store.Hash + op.Prefix + path
	if query != "" {
		target += "?" + query
	}
	r, err := http.NewRequestWithContext(c.ctx, op.Method, target, http.NoBody)
	if err != nil {
		return nil, err
	}
	unread := &api.Unread{}
	request := &api.Request{Request: r, Store: c.store, Client: c.client, IDs: ids, Body: body, Work: c.ctx, Unread: unread}
	w := &response{status: http.StatusOK, header: http.Header{}}
	err = op.Handle(w, request)
	if err != nil {
		if cohort.KindOf(err) == cohort.KindInternal {
			return nil, err
		}
		op.WriteError(w, err)
	}
	return c.read(w, unread.Names(request, err == nil))
}

// read returns the body of a response.
func (c *caller) read(w *response, ignored []string) (*Node, error) {
	var n *Node
	if w.body.Len() > 0 {
		var err error
		if n, err = parseJSON(w.body.Bytes()); err != nil {
			return nil, err
		}
	}
	switch {
	case w.status >= http.StatusBadRequest:
		return nil, failureOf(w.status, n)
	case len(ignored) > 0:
		return nil, &failure{status: http.StatusUnprocessableEntity, ignored: ignored, detail: "There is no such field."}
	}
	return n, nil
}

// fill puts values into the wildcards of a path.
func fill(path string, values []string) (string, api.IDs) {
	var ids api.IDs
	parts := strings.Split(path, "/")
	n := 0
	for i, part := range parts {
		if strings.HasPrefix(part, "{") && n < len(values) {
			ids[n].Name, ids[n].Text = strings.Trim(part, "{}"), values[n]
			parts[i] = values[n]
			n++
		}
	}
	return strings.Join(parts, "/"), ids
}

// failureOf reads the error of any dialect.
func failureOf(status int, n *Node) *failure {
	f := &failure{status: status, detail: http.StatusText(status) + "."}
	if n == nil {
		return f
	}
	if n.Kind == List && len(n.Items) > 0 { // V2
		n = n.Items[0]
		if reason := n.field("details").text("invalid_reason"); reason != "" {
			f.path, f.detail = invalidField(n.text("message")), reason
			return f
		}
	}
	f.path = invalidField(n.text("message"))
	for _, name := range []string{"title", "message", "detail"} {
		if text := n.text(name); text != "" {
			f.detail = text
			break
		}
	}
	errs := n.field("errors")
	if errs == nil || len(errs.Fields) == 0 {
		return f
	}
	first := slices.MinFunc(errs.Fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	f.path, f.detail = first.Name, cmp.Or(shapes[first.Value.Text], first.Value.Text)
	return f
}

// shapes are sentences for the words with which some operations of V3 tell that a body has
// the wrong shape.
var shapes = map[string]string{
	"error.path.missing":       "The field is required.",
	"error.path.missing.":      "The field is required.",
	"error.expected.jsarray":   "The value must be a list.",
	"error.expected.jsobject":  "The value must be an object.",
	"error.expected.jsstring":  "The value must be a text.",
	"error.expected.jsnumber":  "The value must be a number.",
	"error.expected.jsboolean": "The value must be true or false.",
	"error.expected.int":       "The value must be a whole number.",
}

// invalidField returns the field that a V2 message names, or "".
func invalidField(message string) string {
	_, field, _ := strings.Cut(message, "The field '")
	field, _, _ = strings.Cut(field, "'")
	return field
}

// text returns a field that is a text, or "".
func (n *Node) text(name string) string {
	if n == nil {
		return ""
	}
	if v := n.field(name); v != nil && v.Kind == Text {
		return v.Text
	}
	return ""
}

// response keeps the response of a handler.
type response struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (r *response) Header() http.Header         { return r.header }
func (r *response) WriteHeader(status int)      { r.status = status }
func (r *response) Write(p []byte) (int, error) { return r.body.Write(p) }
