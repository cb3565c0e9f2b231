package controlclient

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Problem is an error of the server, in the form of RFC 9457.
type Problem struct {
	Status int          `json:"status"`
	Title  string       `json:"title"`
	Detail string       `json:"detail"`
	Errors []FieldError `json:"errors"`
	// Text is the body of the response.
	Text []byte `json:"-"`
}

// FieldError says what is wrong with a field of a body or with a parameter.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
	Line   int    `json:"line"` // of a seed; 0: none
}

// Error returns one line: the fields that are wrong, or what the server says.
func (p *Problem) Error() string {
	if len(p.Errors) == 0 {
		return p.Detail
	}
	lines := make([]string, len(p.Errors))
	for i, e := range p.Errors {
		lines[i] = "the server refuses " + e.Field + ": " + e.Detail
		if e.Line > 0 {
			lines[i] = fmt.Sprintf("the server refuses line %d, %s: %s", e.Line, e.Field, e.Detail)
		}
	}
	return strings.Join(lines, " ")
}

// problem returns the error of a response. A response in another form does not come from
// the control API.
func (c *Client) problem(res *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	if err != nil {
		return fmt.Errorf("the response of %s broke off: %w", c.base, err)
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")) // "" is no problem
	p := &Problem{Text: text}
	if kind != "application/problem+json" || json.Unmarshal(text, p) != nil {
		if res.StatusCode == http.StatusNotFound {
			return fmt.Errorf("the server at %s has no control API; it needs --dev or --control-token", c.base)
		}
		return fmt.Errorf("the server at %s answers %s, which is not of the control API", c.base, res.Status)
	}
	p.Status = res.StatusCode
	if p.Detail == "" {
		p.Detail = res.Status
	}
	if p.Status == http.StatusUnauthorized {
		p.Detail = "the server needs its control token: give --control-token, or set COHORT_CONTROL_TOKEN"
		if c.token != "" {
			p.Detail = "the server does not accept this control token"
		}
	}
	return p
}
