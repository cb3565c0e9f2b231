package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"cohort.example/cohort/internal/controlclient"
)

type verifyCommand struct {
	Criteria  string            `placeholder:"JSON" help:"All criteria in JSON, instead of the flags below."`
	Operation string            `placeholder:"NAME" help:"The operation, such as createGroup."`
	Method    string            `placeholder:"METHOD" help:"The method."`
	Path      string            `placeholder:"PATH" help:"The path after the store; a star stands for any characters: /v2/customers/*."`
	Status    int               `placeholder:"STATUS" help:"The status of the response."`
	Query     map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A parameter; repeat the flag for several."`
	Header    map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A header; repeat the flag for several."`
	Body      string            `placeholder:"JSON" help:"A part of the body; objects may have further fields."`

	Times   *int           `placeholder:"N" help:"Expect exactly so many requests. Without a number, at least one is expected."`
	AtLeast *int           `placeholder:"N" help:"Expect at least so many."`
	AtMost  *int           `placeholder:"N" help:"Expect at most so many."`
	Within  *time.Duration `placeholder:"TIME" help:"Wait for requests that are missing, such as 2s."`

	JSON bool `name:"json" help:"Print the response of the server in JSON."`
	testStoreFlags
}

// verifyResult is what the server found.
type verifyResult struct {
	Count         int    `json:"count"`
	Detail        string `json:"detail"` // "": the expectation holds
	NearestMisses []struct {
		ID          int64  `json:"id"`
		Method      string `json:"method"`
		Path        string `json:"path"`
		Operation   string `json:"operation"`
		Status      int    `json:"status"`
		Differences []struct {
			Field  string `json:"field"`
			Wanted string `json:"wanted"`
			Got    string `json:"got"` // "": nothing
		} `json:"differences"`
	} `json:"nearest_misses"`
}

// Run checks the requests. If the expectation does not hold, it fails, and prints the
// requests that come nearest.
func (c *verifyCommand) Run(in *invocation) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	text, err := c.do(in, "POST", body, "requests", "verify")
	problem, refused := errors.AsType[*controlclient.Problem](err)
	if refused = refused && problem.Status == http.StatusConflict; refused {
		text = problem.Text
	} else if err != nil {
		return err
	}
	var result verifyResult
	if err := json.Unmarshal(text, &result); err != nil {
		return fmt.Errorf("the response cannot be read: %w", err)
	}
	switch {
	case c.JSON:
		fmt.Fprintln(in.Out, prettyJSON(jsonText(text)))
	case refused:
		result.printMisses(in)
	default:
		fmt.Fprintf(in.Out, "Matching requests: %d.\n", result.Count)
	}
	if refused {
		return errors.New(result.Detail)
	}
	return nil
}

// printMisses prints the requests that nearly match, on standard error.
func (r *verifyResult) printMisses(in *invocation) {
	for _, m := range r.NearestMisses {
		fmt.Fprintf(in.Err, "Request %d, %s %s (%s, status %d), differs:\n", m.ID, visibleText(m.Method), visibleText(m.Path), visibleText(orDash(m.Operation)), m.Status)
		for _, d := range m.Differences {
			got := d.Got
			if got == "" {
				got = "nothing"
			}
			fmt.Fprintf(in.Err, "  %s: wanted %s, got %s\n", visibleText(d.Field), visibleText(d.Wanted), visibleText(got))
		}
	}
}

// body returns the body of the request.
func (c *verifyCommand) body() (map[string]any, error) {
	criteria, err := c.criteria()
	if err != nil {
		return nil, err
	}
	if c.Times != nil && (c.AtLeast != nil || c.AtMost != nil) {
		return nil, usageError("--times does not go with --at-least and --at-most")
	}
	body := map[string]any{"criteria": criteria}
	for name, n := range map[string]*int{"times": c.Times, "at_least": c.AtLeast, "at_most": c.AtMost} {
		if n != nil {
			body[name] = *n
		}
	}
	if c.Within != nil {
		body["within"] = c.Within.String()
	}
	return body, nil
}

// criteria returns the criteria of the flags, or as they are given.
func (c *verifyCommand) criteria() (any, error) {
	fields := map[string]any{}
	for name, value := range map[string]string{"operation": c.Operation, "method": c.Method, "path": c.Path} {
		if value != "" {
			fields[name] = value
		}
	}
	for name, values := range map[string]map[string]string{"query": c.Query, "header": c.Header} {
		if len(values) > 0 {
			fields[name] = values
		}
	}
	if c.Status != 0 {
		fields["status"] = c.Status
	}
	if c.Body != "" {
		fields["body"] = json.RawMessage(c.Body)
	}
	switch {
	case c.Body != "" && !json.Valid([]byte(c.Body)):
		return nil, usageError("--body is not valid JSON")
	case c.Criteria == "":
		return fields, nil
	case len(fields) > 0:
		return nil, usageError("--criteria does not go with flags for single criteria")
	case !json.Valid([]byte(c.Criteria)):
		return nil, usageError("--criteria is not valid JSON")
	}
	return json.RawMessage(c.Criteria), nil
}
