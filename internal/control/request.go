package control

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/journal"
)

const (
	// maxPage bounds the requests in one response, in bytes. A longer request comes alone.
	maxPage = 1 << 20
	// maxRequests bounds the limit of a list. It is all that a store has.
	maxRequests = 1000
	// maxWithin bounds how long a verification waits.
	maxWithin = 30 * time.Second
)

// defaultRequests is how many requests a list has without a limit.
func defaultRequests() int { return 50 }

// requestWire is a request of the journal in responses.
type requestWire struct {
	ID           int64       `json:"id"`
	Date         time.Time   `json:"date"`
	DurationMS   float64     `json:"duration_ms"`
	Method       string      `json:"method"`
	Path         string      `json:"path"`
	Query        string      `json:"query"`
	Operation    string      `json:"operation"`
	Status       int         `json:"status"`
	TokenID      string      `json:"token_id"`
	RequestID    string      `json:"request_id"`
	Fault        string      `json:"fault"` // "": none
	UnreadFields []string    `json:"unread_fields"`
	Request      messageWire `json:"request"`
	Response     messageWire `json:"response"`
}

// messageWire is a head and a body.
type messageWire struct {
	Headers  map[string][]string `json:"headers"`
	Body     string              `json:"body"`
	BodySize int64               `json:"body_size"`
	BodyCut  bool                `json:"body_cut"`
}

func requestToWire(e *journal.Entry) requestWire {
	return requestWire{
		ID: e.ID, Date: e.Time.UTC(), DurationMS: float64(e.Duration.Microseconds()) / 1000, Method: e.Method, Path: e.Path, Query: e.Query,
		Operation: e.Operation, Status: e.Status, TokenID: e.TokenID, RequestID: e.RequestID, Fault: e.Fault,
		UnreadFields: append([]string{}, e.Unread...), Request: messageToWire(e.Request), Response: messageToWire(e.Response),
	}
}

func messageToWire(m journal.Message) messageWire {
	headers := map[string][]string{}
	for _, h := range m.Header {
		headers[h.Name] = append(headers[h.Name], h.Value)
	}
	return messageWire{headers, m.Body.Text, m.Body.Size, m.Body.Cut}
}

// journalOf returns the journal and the hash of the store in the path, which must exist.
func (a *API) journalOf(r *http.Request) (*journal.Journal, string, error) {
	if a.Journal == nil {
		return nil, "", &problem{status: http.StatusNotFound, detail: "This server keeps no requests."}
	}
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	return a.Journal, st.Hash, err
}

// forgetRequests removes the requests of a store that is created, reset or deleted.
func (a *API) forgetRequests(hash string) {
	if a.Journal != nil {
		a.Journal.Forget(hash)
	}
}

// requestQuery is what the query string of a list or a stream selects.
type requestQuery struct {
	journal.Criteria
	limit    int
	since    int64 // -1: not given
	oldFirst bool
}

// listParams are the parameters of a list; a stream has the first ones.
func listParams() []string {
	return []string{"since", "limit", "operation", "method", "path", "status", "order"}
}

// readRequestQuery reads a query string, which can have some of the listParams.
func (a *API) readRequestQuery(r *http.Request, known []string, limit int) (q requestQuery, err error) {
	q.limit, q.since = limit, -1
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, &problem{status: http.StatusBadRequest, detail: "The query string cannot be read."}
	}
	for name := range values {
		if !slices.Contains(known, name) {
			return q, cohort.Invalid(name, "There is no such parameter.")
		}
	}
	get := func(name string, low, high int64, into func(int64)) {
		n, wrong := strconv.ParseInt(values.Get(name), 10, 64)
		switch {
		case err != nil || !values.Has(name):
		case wrong != nil || n < low || n > high:
			err = cohort.Invalid(name, fmt.Sprintf("The value must be a whole number from %d to %d.", low, high))
		default:
			into(n)
		}
	}
	get("limit", 1, maxRequests, func(n int64) { q.limit = int(n) })
	get("since", 0, math.MaxInt64-1, func(n int64) { q.since = n })
	get("status", 100, 599, func(n int64) { q.Status = int(n) })
	if order := values.Get("order"); err == nil && order != "" && order != "asc" && order != "desc" {
		err = cohort.Invalid("order", "The value must be asc or desc.")
	}
	if err != nil {
		return q, err
	}
	q.oldFirst = values.Get("order") == "asc"
	q.Operation, q.Method, q.Path = values.Get("operation"), values.Get("method"), values.Get("path")
	return q, CheckCriteria(a.Dialects, "", &q.Criteria)
}

// CheckCriteria checks criteria and prepares them. A mistyped name would match nothing,
// and a test would not notice. Without dialects, any name of an operation is right. Its
// errors are of type *cohort.Error, with fields that begin with the prefix.
func CheckCriteria(dialects []*api.Dialect, prefix string, c *journal.Criteria) error {
	if c.Operation != "" && len(dialects) > 0 && !hasOperation(dialects, c.Operation) {
		return cohort.Invalid(prefix+"operation", "There is no such operation. GET /_cohort/v1/operations lists them.")
	}
	if c.Path != "" && (c.Path[0] != '/' && c.Path[0] != '*' || strings.HasPrefix(c.Path, "/stores/")) {
		return cohort.Invalid(prefix+"path", "The value must be a path after the store, such as /v2/customers/*.")
	}
	c.Method = strings.ToUpper(c.Method)
	if err := c.Prepare(); err != nil {
		return cohort.Invalid(prefix+"body", "The value must be JSON.")
	}
	return nil
}

func hasOperation(dialects []*api.Dialect, name string) bool {
	return name == journal.ByUpstream || name == journal.ByStub || slices.ContainsFunc(dialects, func(d *api.Dialect) bool {
		return slices.ContainsFunc(d.Routes, func(r api.Route) bool { return r.Operation == name })
	})
}

func (a *API) listRequests(w http.ResponseWriter, r *http.Request) error {
	j, store, err := a.journalOf(r)
	if err != nil {
		return err
	}
	q, err := a.readRequestQuery(r, listParams(), defaultRequests())
	if err != nil {
		return err
	}
	return writeRequests(w, j.Find(r.Context(), store, max(q.since, 0), &q.Criteria), q.limit, q.oldFirst)
}

// requestsWire is a page of requests.
type requestsWire struct {
	Requests []json.RawMessage `json:"requests"`
	More     bool              `json:"more"` // further ones match
}

// writeRequests sends as many requests as a page can have. The list is oldest first.
func writeRequests(w http.ResponseWriter, list []*journal.Entry, limit int, oldFirst bool) error {
	if !oldFirst {
		slices.Reverse(list)
	}
	page, size := requestsWire{Requests: []json.RawMessage{}}, 0
	for _, e := range list {
		text := encode(requestToWire(e))
		size += len(text)
		if len(page.Requests) == limit || len(page.Requests) > 0 && size > maxPage {
			page.More = true
			break
		}
		page.Requests = append(page.Requests, text)
	}
	return writeOK(w, http.StatusOK, page)
}

// encode encodes a response's part.
func encode(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // responses are structs of strings and numbers
	}
	return text
}

func (a *API) clearRequests(w http.ResponseWriter, r *http.Request) error {
	j, store, err := a.journalOf(r)
	if err != nil {
		return err
	}
	j.Clear(r.Context(), store)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) getRequest(w http.ResponseWriter, r *http.Request) error {
	j, store, err := a.journalOf(r)
	if err != nil {
		return err
	}
	as := r.URL.Query().Get("as")
	if as != "" && as != "curl" && as != "json" {
		return cohort.Invalid("as", "The value must be json or curl.")
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	var e *journal.Entry
	if err == nil && id > 0 {
		e = j.Get(r.Context(), store, id)
	}
	if e == nil {
		return &problem{status: http.StatusNotFound, detail: "The journal of the store has no request " + r.PathValue("id") + "."}
	}
	if as != "curl" {
		return writeOK(w, http.StatusOK, requestToWire(e))
	}
	origin := strings.TrimSuffix((&api.Request{Request: r, Store: cohort.Store{}}).BaseURL(), "/stores/")
	api.WriteText(w, http.StatusOK, e.Curl(origin))
	return nil
}

// selectionInput is the body of a count or a find.
type selectionInput struct {
	Criteria journal.Criteria `json:"criteria"`
	Limit    *int             `json:"limit"` // of a find
}

func (a *API) countRequests(w http.ResponseWriter, r *http.Request) error {
	j, store, err := a.journalOf(r)
	if err != nil {
		return err
	}
	var in struct {
		Criteria journal.Criteria `json:"criteria"`
	}
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	if err := CheckCriteria(a.Dialects, "criteria.", &in.Criteria); err != nil {
		return err
	}
	return writeOK(w, http.StatusOK, map[string]int{"count": len(j.Find(r.Context(), store, 0, &in.Criteria))})
}

func (a *API) findRequests(w http.ResponseWriter, r *http.Request) error {
	j, store, err := a.journalOf(r)
	if err != nil {
		return err
	}
	var in selectionInput
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	limit := defaultRequests()
	if in.Limit != nil {
		limit = *in.Limit
	}
	if limit < 1 || limit > maxRequests {
		return cohort.Invalid("limit", fmt.Sprintf("The value must be a whole number from 1 to %d.", maxRequests))
	}
	if err := CheckCriteria(a.Dialects, "criteria.", &in.Criteria); err != nil {
		return err
	}
	return writeRequests(w, j.Find(r.Context(), store, 0, &in.Criteria), limit, false)
}
