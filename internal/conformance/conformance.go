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

// The prefixes of the names of scripts. Those that begin with read only read, and may run
// against any store.
const (
	readScripts    = "read"
	sandboxScripts = "sandbox"
)

// Options are the store and how to ask it.
type Options struct {
	URL         string // of the API, without a slash at the end
	Store       string // its hash
	Token       string
	AllowWrites bool // run the scripts that create something, and delete it, too
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
	Page     string    `json:"page"`
	Text     string    `json:"text"` // with its mark
	Mark     string    `json:"mark"` // the source: doc, seen or ours, and what else the page says
	Result   string    `json:"result"`
	Problems []Problem `json:"problems,omitempty"`
	// After is the request, with its status, because of which a statement is not checked.
	After string `json:"after,omitempty"`
}

// The results of statements.
const (
	Holds   = "holds"   // all responses were as the statement says
	Differs = "differs" // some were not
	// NotChecked is neither: the token lacks a scope for a request, or a request before it
	// did not create what it needs.
	NotChecked = "not checked"
)

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
	// Left are the requests, with their results, that should have deleted what the scripts
	// created.
	Left []string `json:"left,omitempty"`
}

// Count returns the number of statements with a result.
func (r *Report) Count(result string) (n int) {
	for _, s := range r.Statements {
		if s.Result == result {
			n++
		}
	}
	return n
}

// ErrNoAccess means that the store does not accept the token.
var ErrNoAccess = errors.New("the store does not accept the token")

// Run sends the requests of the scripts, one after another, and deletes what each script has
// created at its end, also after an error. It returns [ErrNoAccess] before it does, or an error
// if a request gets no response; the report is not complete then.
func Run(ctx context.Context, o Options) (*Report, error) {
	o.Client = upstream.Patient(guarded(o.Client), o.Wait)
	if err := checkAccess(ctx, o); err != nil {
		return nil, err
	}
	r := &run{Options: o, report: &Report{Date: o.Now.UTC(), Writes: o.AllowWrites}}
	files, err := scripts.ReadDir("scripts") // read*.txt come first
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), readScripts) && !o.AllowWrites {
			continue
		}
		if err := r.script(ctx, f.Name()); err != nil {
			return r.report, err
		}
	}
	return r.report, nil
}

// checkAccess reads the time, which any scope allows.
func checkAccess(ctx context.Context, o Options) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL+"/stores/"+url.PathEscape(o.Store)+"/v2/time", nil)
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
	report  *Report
	sent    int      // requests of the current script
	after   string   // the last one, with its status
	created []string // paths whose DELETE deletes what the script has created, oldest first
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
	r.sent, r.created = 0, nil
	defer func() { r.deleteCreated(ctx) }()
	err = s.Run(ctx, wirescript.Target{URL: r.URL, Client: r.Client, Vars: map[string]string{
		"store": r.Store, "token": r.Token, "run": r.Run, "missing": "0" + r.Run,
	}}, r.note)
	if _, ok := errors.AsType[*wirescript.FieldError](err); !ok {
		return err
	}
	for _, c := range s.Cases[r.sent:] {
		if st := r.statement(c); st != nil {
			st.notChecked(r.after)
		}
	}
	return nil
}

// note adds the result of an exchange to its statement.
func (r *run) note(x wirescript.Exchange) {
	r.report.Requests++
	r.sent++
	r.after = r.line(x)
	r.created = append(r.created, toDelete(x, r.storePath())...)
	s := r.statement(x.Case)
	switch {
	case s == nil || len(x.Failures) == 0:
	case x.Status == http.StatusForbidden && x.Case.Token == "":
		s.notChecked(r.after)
	default:
		s.Result = Differs
		s.Problems = append(s.Problems, r.problem(x))
	}
}

// statement returns the one that a case checks, nil if it checks none.
func (r *run) statement(c wirescript.Case) *Statement {
	if c.Comment == "" {
		return nil
	}
	page, text, mark, err := quoted(c.Comment)
	if err != nil {
		panic(err) // a test reads all comments
	}
	list := &r.report.Statements
	i := slices.IndexFunc(*list, func(s Statement) bool { return s.Page == page && s.Text == text })
	if i < 0 {
		i = len(*list)
		*list = append(*list, Statement{Page: page, Text: text, Mark: mark, Result: Holds})
	}
	return &(*list)[i]
}

// notChecked notes a request that did not show whether the statement holds.
func (s *Statement) notChecked(after string) {
	if s.Result != Holds {
		return
	}
	s.Result, s.After = NotChecked, after
}

func (r *run) storePath() string { return "/stores/" + r.Store }

// line returns a request and its status, without the store.
func (r *run) line(x wirescript.Exchange) string {
	return fmt.Sprintf("%s %s: status %d", x.Sent.Method, strings.TrimPrefix(x.Sent.URL.RequestURI(), r.storePath()), x.Status)
}

// problem leaves out what the response has: it may be about people. The exchange has it
// without.
func (r *run) problem(x wirescript.Exchange) Problem {
	path := strings.TrimPrefix(x.Sent.URL.RequestURI(), r.storePath())
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
	comment = regexp.MustCompile(`^(wire[a-z-]*\.md|webhooks\.md): (.+)$`)
	marks   = regexp.MustCompile(`\[([^\]]*\b(?:doc|seen|ours)\b[^\]]*)\]`)
)

// quoted finds the statement of the contract that a comment quotes the beginning of. The
// statement goes on to the next mark in its line.
func quoted(text string) (page, statement, mark string, err error) {
	m := comment.FindStringSubmatch(text)
	if m == nil {
		return "", "", "", fmt.Errorf("the comment %q quotes no page", text)
	}
	content, err := docs.Pages.ReadFile(m[1])
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
