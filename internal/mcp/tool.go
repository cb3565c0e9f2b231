package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/limit"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxAnswer bounds the JSON of an answer, in bytes: about 4 000 tokens.
const maxAnswer = 16_000

// tool is a row of the table of tools.
type tool struct {
	name, title, description string
	// operations of the REST API: the token needs the scopes of all, and the limits of the
	// first apply.
	operations []string
	// What the tool does, as the client learns it. A tool that writes is only there with
	// Options.AllowWrites.
	writes, destructive, idempotent bool

	add func(s *sdk.Server, c *caller) // set by define
}

// define returns a tool with its input and its function, which returns a value for JSON.
func define[In any](t tool, run func(*caller, context.Context, In) (any, error)) tool {
	wire := &sdk.Tool{
		Name: t.name, Description: t.description, InputSchema: schemaOf[In](),
		Annotations: &sdk.ToolAnnotations{
			Title: t.title, ReadOnlyHint: !t.writes, DestructiveHint: &t.destructive, IdempotentHint: t.idempotent || !t.writes, OpenWorldHint: new(false),
		},
	}
	operation := ""
	if len(t.operations) > 0 {
		operation = t.operations[0]
	}
	t.add = func(s *sdk.Server, c *caller) {
		sdk.AddTool(s, wire, func(ctx context.Context, _ *sdk.CallToolRequest, in In) (*sdk.CallToolResult, any, error) {
			answer, err := c.do(c.work(ctx, t.name), operation, func(ctx context.Context) (any, error) { return run(c, ctx, in) })
			if err != nil {
				return nil, nil, c.failure(t.name, err)
			}
			return nil, answer, nil
		})
	}
	return t
}

// do runs a tool within the limits of an operation, and returns its answer as JSON. A panic is
// an error: it would end the process, because tools run on goroutines of the SDK.
func (c *caller) do(ctx context.Context, operation string, run func(context.Context) (any, error)) (text json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			text, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	done, err := c.admit(operation)
	if err != nil {
		return nil, err
	}
	defer done()
	answer, err := run(ctx)
	if err != nil {
		return nil, err
	}
	text, err = json.Marshal(answer)
	if err == nil && len(text) > maxAnswer {
		err = fmt.Errorf("an answer has %d bytes", len(text))
	}
	return text, err
}

// failure returns the error of a tool as its client may see it.
func (c *caller) failure(tool string, err error) error {
	if text := errorText(err); text != "" {
		return errors.New(text)
	}
	c.Log.Error("an MCP tool failed", "tool", tool, "store", c.store.Hash, "error", err)
	return errors.New("internal error; the log of the server has the cause")
}

// errorText returns the text of an error for clients; "": it is the fault of the server.
func errorText(err error) string {
	if tooMany, ok := errors.AsType[*api.TooManyError](err); ok {
		return fmt.Sprintf("too many calls at once; retry after %d s", tooMany.RetryAfter)
	}
	if full, ok := errors.AsType[*limit.FullError](err); ok {
		return fmt.Sprintf("the server is busy; retry after %d s", full.RetryAfter)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return "the call took too long or was canceled; ask for less at once"
	}
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok || e.Kind == cohort.KindInternal {
		return ""
	}
	var parts []string
	for _, part := range []string{e.Field, e.Message, e.Reason} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ": ")
	case e.Kind == cohort.KindUnauthorized:
		return "the token was revoked"
	case e.Kind == cohort.KindUnavailable:
		return "temporarily unavailable; retry later"
	}
	return e.Kind.String()
}

// partial returns the error of a change unless the change is done but for a part, which
// warning names.
func partial(err error) (warning string, _ error) {
	if cohort.KindOf(err) != cohort.KindPartial {
		return "", err
	}
	return errorText(err), nil
}

// ref names something by its id or its exact name.
type ref string

// UnmarshalJSON accepts a number too.
func (r *ref) UnmarshalJSON(b []byte) error {
	text, err := textOrNumber(b)
	*r = ref(strings.TrimSpace(text))
	return err
}

// id returns the id, or false for a name.
func (r ref) id() (int64, bool) {
	id, err := strconv.ParseInt(string(r), 10, 64)
	return id, err == nil && id >= 0
}

// amount is a decimal, as a number or as a text.
type amount string

// UnmarshalJSON keeps the digits as they are.
func (a *amount) UnmarshalJSON(b []byte) error {
	text, err := textOrNumber(b)
	*a = amount(text)
	return err
}

func textOrNumber(b []byte) (text string, err error) {
	if len(b) > 0 && b[0] != '"' {
		return string(b), nil
	}
	return text, json.Unmarshal(b, &text)
}

// positive is a whole number from 1.
type positive int64

// Bounds of lists.
const (
	// maxRows is how many rows a list has at most.
	maxRows = 50
	// defaultRows is how many it has without a limit.
	defaultRows = 20
)

// rowLimit is how many rows the client wants; 0: it does not say.
type rowLimit int

func (l rowLimit) rows() int {
	if l == 0 {
		return defaultRows
	}
	return int(l)
}

// jobState is a state of jobs.
type jobState string

// typeSchemas are the schemas of types that have rules of their own.
var typeSchemas = map[reflect.Type]*jsonschema.Schema{
	reflect.TypeFor[ref]():      {Types: []string{"string", "integer"}},
	reflect.TypeFor[amount]():   {Types: []string{"string", "number"}},
	reflect.TypeFor[positive](): {Type: "integer", Minimum: jsonschema.Ptr(1.0)},
	reflect.TypeFor[rowLimit](): {Type: "integer", Minimum: jsonschema.Ptr(1.0), Maximum: jsonschema.Ptr(float64(maxRows))},
	reflect.TypeFor[jobState](): {Type: "string", Enum: []any{"waiting", "dead"}},
}

// schemaOf returns the schema of an input. Nothing of it may be null, and it has no other
// fields.
func schemaOf[In any]() *jsonschema.Schema {
	s, err := jsonschema.For[In](&jsonschema.ForOptions{TypeSchemas: typeSchemas})
	if err != nil {
		panic(err) // the inputs are types of this package
	}
	withoutNull(s)
	return s
}

func withoutNull(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if len(s.Types) > 0 && s.Types[0] == "null" {
		s.Types = s.Types[1:]
	}
	if len(s.Types) == 1 {
		s.Type, s.Types = s.Types[0], nil
	}
	withoutNull(s.Items)
	for _, p := range s.Properties {
		withoutNull(p)
	}
}
