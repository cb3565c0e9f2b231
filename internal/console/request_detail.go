package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"cohort.example/cohort/internal/journal"
)

// requestPage is what the page of one request shows.
type requestPage struct {
	*journal.Entry
	Took         string
	Tone         string
	Reason       string
	RequestHead  []journal.Header
	ResponseHead []journal.Header
	Checks       []checkLine
	Quota        []quotaLine
	Curl         string
	Criteria     string
	KnowsToken   bool // the console has the token of the store
	Problem      *problem
	Newer, Older string // the addresses of the requests beside this one; "": none
}

// checkLine is a check in the order in which the server makes them.
type checkLine struct {
	Check   journal.Check
	Name    string
	Text    string // what it is about
	Outcome string // passed, refused here, not reached
	Rule    string // the part of the contract, a heading of docs/wire.md
}

// quotaLine explains a header of the limits.
type quotaLine struct{ Name, Value, Text string }

// checkTexts say what the checks are about. Rules are headings of docs/wire.md.
func checkTexts() map[journal.Check]checkLine {
	return map[journal.Check]checkLine{
		journal.CheckRoute:     {Name: "Route", Text: "An operation has this path and this method.", Rule: "The order of checks"},
		journal.CheckToken:     {Name: "Token", Text: "X-Auth-Token is sent and known.", Rule: "The order of checks"},
		journal.CheckScope:     {Name: "Store and scope", Text: "The token is one of this store, and has the scope of the operation.", Rule: "The order of checks"},
		journal.CheckLimits:    {Name: "Limits", Text: "The quota, the concurrency limit and the share of request bodies are not used up.", Rule: "Limits"},
		journal.CheckFormats:   {Name: "Formats", Text: "Accept allows JSON, and Content-Type says JSON.", Rule: "Formats"},
		journal.CheckBody:      {Name: "Body", Text: "The whole body arrives in time and is not too large.", Rule: "The order of checks"},
		journal.CheckFault:     {Name: "Faults", Text: "No fault rule of a test applies.", Rule: "The order of checks"},
		journal.CheckOperation: {Name: "Operation", Text: "The query, the fields and the rules of the operation hold, and what it needs exists.", Rule: "V2: errors"},
	}
}

// Contract returns the address of the rule.
func (l checkLine) Contract() string { return contractPath("wire", anchorOf(l.Rule)) }

// anchorOf returns the id that the contract gives a heading.
func anchorOf(heading string) string {
	var id strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			id.WriteByte('-')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			id.WriteRune(r)
		}
	}
	return id.String()
}

// checksOf returns the checks of a request with their outcomes.
func checksOf(e *journal.Entry) (lines []checkLine) {
	texts, outcome := checkTexts(), "passed"
	for _, check := range journal.Checks() {
		line := texts[check]
		line.Check, line.Outcome = check, outcome
		if check == e.Check {
			line.Outcome, outcome = "refused here", "not reached"
		}
		lines = append(lines, line)
	}
	return lines
}

// quotaOf returns the headers of the limits in a response, with their meaning.
func quotaOf(head []journal.Header) (lines []quotaLine) {
	meanings := map[string]string{
		"X-Rate-Limit-Requests-Quota": "requests that the store may send in a window",
		"X-Rate-Limit-Requests-Left":  "of them are left",
		"X-Rate-Limit-Time-Window-Ms": "is the length of the window in milliseconds",
		"X-Rate-Limit-Time-Reset-Ms":  "milliseconds until the window ends and the quota is whole again",
		"X-Retry-After":               "seconds to wait before a retry",
		"Retry-After":                 "seconds to wait before a retry",
	}
	for _, h := range head {
		if text := meanings[http.CanonicalHeaderKey(h.Name)]; text != "" {
			lines = append(lines, quotaLine{h.Name, h.Value, text})
		}
	}
	return lines
}

// showRequest shows one request whole.
func (c *call) showRequest() error {
	e, err := c.requestOfPath()
	if err != nil {
		return err
	}
	return c.renderRequest(0, e, nil)
}

func (c *call) renderRequest(status int, e *journal.Entry, wrong *problem) error {
	p := requestPage{
		Entry: e, Took: milliseconds(e.Duration), Tone: tone(e.Status), Reason: shortened(reasonOf(e), maxShownReason),
		RequestHead: headersOf(e.Request), ResponseHead: headersOf(e.Response), Checks: checksOf(e),
		Curl: strings.TrimSpace(e.Curl(c.APIURL)), Criteria: criteriaFor(e, c.store.Hash),
		KnowsToken: c.secretOfStore() != "", Problem: wrong,
	}
	p.Quota = quotaOf(p.ResponseHead)
	p.Newer, p.Older = c.neighbours(e.ID)
	return c.render(page{name: "request", section: "requests", status: status, title: fmt.Sprintf("Request %d", e.ID), body: p, same: []example{
		{"curl", fmt.Sprintf("curl '%s/_cohort/v1/stores/%s/requests/%d'", c.APIURL, c.store.Hash, e.ID)},
		{"Command line", fmt.Sprintf("cohort requests %d --store %s", e.ID, c.store.Hash)},
	}})
}

// neighbours returns the addresses of the requests after and before one.
func (c *call) neighbours(id int64) (newer, older string) {
	for _, e := range c.Tests.Journal.Find(c.ctx(), c.store.Hash, 0, &journal.Criteria{}) {
		link := c.path("requests", fmt.Sprint(e.ID))
		if e.ID < id {
			older = link
		} else if e.ID > id {
			return link, older
		}
	}
	return "", older
}

// criteriaFor returns criteria with which a test verifies that such a request came.
func criteriaFor(e *journal.Entry, store string) string {
	criteria := map[string]any{"method": e.Method, "path": strings.TrimPrefix(e.Path, "/stores/"+store)}
	if e.Operation != "" {
		criteria = map[string]any{"operation": e.Operation}
	}
	var body any
	if !e.Request.Body.Cut && json.Unmarshal([]byte(e.Request.Body.Text), &body) == nil && body != nil {
		criteria["body"] = json.RawMessage(e.Request.Body.Text)
	}
	if query, err := url.ParseQuery(e.Query); err == nil && len(query) > 0 {
		values := map[string]string{}
		for name := range query {
			values[name] = query.Get(name)
		}
		criteria["query"] = values
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if encoder.Encode(map[string]any{"criteria": criteria, "times": 1}) != nil {
		return "{}" // all of it is JSON already
	}
	return strings.TrimSpace(text.String())
}

// secretOfStore returns the token of the store, if it is public; "": it is not known.
func (c *call) secretOfStore() string {
	if c.store.Hash == c.Tests.Store {
		return c.Tests.Secret
	}
	return ""
}

// sendAgain sends a request once more, and shows the new one.
func (c *call) sendAgain() error {
	e, err := c.requestOfPath()
	if err != nil {
		return err
	}
	token := strings.TrimSpace(c.form.Get("token"))
	if token == "" {
		token = c.secretOfStore()
	}
	switch {
	case c.API == nil:
		return &statusError{http.StatusNotFound, "This console sends no requests."}
	case token == "":
		return c.renderRequest(http.StatusUnprocessableEntity, e, &problem{Text: "Give the token of the store. The server keeps no tokens.", field: "token"})
	case e.Request.Body.Cut:
		return c.renderRequest(http.StatusUnprocessableEntity, e, &problem{Text: "The request cannot be sent again: the server has kept only the beginning of its body."})
	}
	header := http.Header{}
	for _, h := range e.Request.Header {
		if !leftOut(h.Name) {
			header.Add(h.Name, h.Value)
		}
	}
	header.Set("X-Auth-Token", token)
	path := e.Path
	if e.Query != "" {
		path += "?" + e.Query
	}
	a, err := c.request(e.Method, path, header, []byte(e.Request.Body.Text))
	if err != nil {
		return err
	}
	if sent := c.journalled(c.store.Hash, e.ID, a); sent != "" {
		return c.sayAndGo(sent, "This is the response to request "+strconv.FormatInt(e.ID, 10)+", sent again.")
	}
	return c.sayAndGo(c.path("requests"), "The request was sent again.")
}

// leftOut reports whether a header belongs to the connection of the first request, or to a
// secret that the journal has cut out.
func leftOut(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Content-Length", "Transfer-Encoding", "Expect", "Accept-Encoding", "X-Auth-Token", "Idempotency-Key":
		return true
	}
	return journal.IsSecret(name)
}
