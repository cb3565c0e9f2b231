// Package conformance compares a store with the wire contract of docs: it sends the requests
// of wire scripts, and says which statements hold there. It shows where Cohort and the
// vendor's service differ.
package conformance

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort/docs"
	"cohort.example/cohort/internal/exchange"
	"cohort.example/cohort/internal/upstream"
	"cohort.example/cohort/internal/wirescript"
)

//go:embed scripts/*.txt
var scripts embed.FS

// The scripts. Those of readScripts only read, and may run against any store.
var (
	readScripts    = []string{"read.txt"}
	sandboxScripts = []string{"sandbox.txt"}
)

// Options are the store and how to ask it.
type Options struct {
	URL         string // of the API, without a slash at the end
	Store       string // its hash
	Token       string
	AllowWrites bool // run the scripts that create and delete groups and customers too
	// Client sends the requests. Its timeout bounds each.
	Client *http.Client
	// Wait waits, for after a 429.
	Wait func(context.Context, time.Duration) error
	// Run makes the names of what is created unlike others: letters and digits.
	Run string
	Now time.Time
}

// Statement is a sentence of the contract with the result.
type Statement struct {
	Page string `json:"page"`
	Text string `json:"text"` // with its mark
	Mark string `json:"mark"` // the source: doc, seen or ours, and what else the page says
	// Holds is whether all responses were as the statement says.
	Holds    bool      `json:"holds"`
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is a response that was not as a statement says.
type Problem struct {
	Request string   `json:"request"` // method and path, after the store
	Status  int      `json:"status"`
	Want    []string `json:"want"` // the checks that failed
	// Exchange is the request with its response as in a recording: without secrets and
	// personal data.
	Exchange json.RawMessage `json:"exchange,omitempty"`
}

// Report is the result of a run.
type Report struct {
	Date       time.Time   `json:"date"`
	Requests   int         `json:"requests"`
	Writes     bool        `json:"writes"` // whether scripts that write were run
	Statements []Statement `json:"statements"`
}

// Failed returns the number of statements that do not hold.
func (r *Report) Failed() (n int) {
	for _, s := range r.Statements {
		if !s.Holds {
			n++
		}
	}
	return n
}

// ErrNoAccess means that the store does not accept the token.
var ErrNoAccess = errors.New("the store does not accept the token")

// Run sends the requests of the scripts, one after another. It returns [ErrNoAccess] before
// it does, or an error if a request gets no response or a script cannot go on. What a script
// has created by then stays, with "Conformance" and Run in its name.
func Run(ctx context.Context, o Options) (*Report, error) {
	o.Client = upstream.Patient(o.Client, o.Wait)
	if err := checkAccess(ctx, o); err != nil {
		return nil, err
	}
	r := &run{Options: o, report: &Report{Date: o.Now.UTC(), Writes: o.AllowWrites}}
	names := readScripts
	if o.AllowWrites {
		names = slices.Concat(names, sandboxScripts)
	}
	for _, name := range names {
		if err := r.script(ctx, name); err != nil {
			return r.report, err
		}
	}
	return r.report, nil
}

func checkAccess(ctx context.Context, o Options) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL+"/stores/"+url.PathEscape(o.Store)+"/v2/customer_groups/count", nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", o.Token)
	res, err := o.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
		return fmt.Errorf("%w: status %d", ErrNoAccess, res.StatusCode)
	}
	return nil
}

type run struct {
	Options
	report *Report
}

func (r *run) script(ctx context.Context, name string) error {
	text, err := scripts.ReadFile("scripts/" + name)
	if err != nil {
		return err
	}
	s, err := wirescript.Parse(name, string(text))
	if err != nil {
		return err
	}
	return s.Run(ctx, wirescript.Target{URL: r.URL, Client: r.Client, Vars: map[string]string{
		"store": r.Store, "token": r.Token, "run": r.Run, "missing": "0" + r.Run,
	}}, r.note)
}

// note adds the result of an exchange to its statement.
func (r *run) note(x wirescript.Exchange) {
	r.report.Requests++
	if x.Case.Comment == "" {
		return
	}
	page, text, mark, err := quoted(x.Case.Comment)
	if err != nil {
		panic(err) // a test reads all comments
	}
	i := slices.IndexFunc(r.report.Statements, func(s Statement) bool { return s.Page == page && s.Text == text })
	if i < 0 {
		i = len(r.report.Statements)
		r.report.Statements = append(r.report.Statements, Statement{Page: page, Text: text, Mark: mark, Holds: true})
	}
	if len(x.Failures) == 0 {
		return
	}
	s := &r.report.Statements[i]
	s.Holds = false
	s.Problems = append(s.Problems, r.problem(x))
}

// problem leaves out what the response has: it may be about people. The exchange has it
// without.
func (r *run) problem(x wirescript.Exchange) Problem {
	path := strings.TrimPrefix(x.Sent.URL.RequestURI(), "/stores/"+r.Store)
	p := Problem{Request: x.Sent.Method + " " + path, Status: x.Status, Exchange: r.scrubbed(x)}
	for _, failure := range x.Failures {
		want, _, _ := strings.Cut(failure, "\n\tgot:")
		p.Want = append(p.Want, want)
	}
	return p
}

// scrubbed returns an exchange as a line of a recording, nil if it cannot be one.
func (r *run) scrubbed(x wirescript.Exchange) json.RawMessage {
	var out bytes.Buffer
	w, err := exchange.NewWriter(&out, r.Now)
	if err != nil {
		return nil
	}
	out.Reset() // without the first line
	err = w.Add(exchange.Raw{
		Time: r.Now, Method: x.Sent.Method, Path: x.Sent.URL.EscapedPath(), Query: x.Sent.URL.RawQuery, Status: x.Status,
		RequestHeader: x.Sent.Header, Header: x.Header,
		RequestBody: exchange.RawBody{Text: []byte(x.Body), Size: int64(len(x.Body))},
		Body:        exchange.RawBody{Text: []byte(x.Response), Size: int64(len(x.Response))},
	})
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(out.Bytes())
}

var (
	comment = regexp.MustCompile(`^(wire[a-z-]*\.md): (.+)$`)
	marks   = regexp.MustCompile(`\[((?:doc|seen|ours|that it|the vendor)[^\]]*)\]`)
)

// quoted finds the statement of the contract that a comment quotes the beginning of. The
// statement goes on to the next mark in its line.
func quoted(text string) (page, statement, mark string, err error) {
	m := comment.FindStringSubmatch(text)
	if m == nil {
		return "", "", "", fmt.Errorf("the comment %q quotes no page", text)
	}
	content, err := docs.Contract.ReadFile(m[1])
	if err != nil {
		return "", "", "", err
	}
	if strings.Count(string(content), m[2]) != 1 {
		return "", "", "", fmt.Errorf("%s does not have %q once", m[1], m[2])
	}
	_, after, _ := strings.Cut(string(content), m[2])
	line, _, _ := strings.Cut(after, "\n")
	found := marks.FindStringSubmatchIndex(line)
	if found == nil {
		return "", "", "", fmt.Errorf("%s has no mark after %q", m[1], m[2])
	}
	return m[1], m[2] + line[:found[1]], line[found[2]:found[3]], nil
}
