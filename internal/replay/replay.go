// Package replay sends the requests of a recording again, and says how the responses differ
// from the recorded ones: against Cohort, to see what it does differently, and against the
// same store later, to see what the vendor has changed.
package replay

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"cohort.example/cohort/internal/exchange"
	"cohort.example/cohort/internal/upstream"
)

// Options say where and how a recording is replayed.
type Options struct {
	URL    string // of the server, without a slash at the end
	Store  string // its hash there
	Token  string
	Client *http.Client // with a time limit, and without redirects
	// Same says that it is the store of the recording, later: only requests that read are
	// sent, and of those only the ones that the recording has unchanged. Ids are the same.
	Same bool
	// Writes sends the requests that change something too. Same excludes it.
	Writes bool
	// Values are the fields whose values are compared: names, or ends of paths such as
	// discount_rules.amount.
	Values []string
	// Wait waits before a request is repeated. It returns early with the context's error.
	Wait func(context.Context, time.Duration) error
}

// Result is one exchange of a recording and what came of it.
type Result struct {
	ID          int          `json:"id"` // of the exchange
	Method      string       `json:"method"`
	Target      string       `json:"target"` // path and query as recorded
	Skipped     string       `json:"skipped,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
}

// Run sends the requests of a recording in order and yields a result for each. An error
// ends it: of the recording, or of a server that does not answer.
func Run(ctx context.Context, recording iter.Seq2[*exchange.Exchange, error], o Options) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		known := ids{}
		o.Client = upstream.Patient(o.Client, o.Wait)
		for e, err := range recording {
			if err != nil {
				yield(Result{}, err)
				return
			}
			r := Result{ID: e.ID, Method: e.Method, Target: e.Target(), Skipped: o.skip(e)}
			if r.Skipped == "" {
				if r.Differences, err = o.repeat(ctx, e, known); err != nil {
					yield(r, fmt.Errorf("%s %s: %w", r.Method, r.Target, err))
					return
				}
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// skip returns why an exchange is not repeated, or "".
func (o Options) skip(e *exchange.Exchange) string {
	switch {
	case isFailure(e.Status):
		return failureOfTheMoment
	case e.Request.Body.Left != "":
		return "the recording has no body of the request"
	case !e.Reads() && (o.Same || !o.Writes):
		return "it changes something"
	case o.Same && e.Altered:
		return "its request has fakes"
	}
	return ""
}

const failureOfTheMoment = "a recorded response is a failure of the moment"

// isFailure reports whether a status says nothing about the API.
func isFailure(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// repeat sends the request of an exchange and compares the responses.
func (o Options) repeat(ctx context.Context, e *exchange.Exchange, known ids) ([]Difference, error) {
	res, err := o.send(ctx, e, known)
	if err != nil {
		return nil, err
	}
	got, err := read(res, e.Method)
	if err != nil {
		return nil, err
	}
	want := recorded(e)
	if want.json != nil && got.json != nil && !o.Same {
		known.learn(kindOfPath(e.Path), *want.json, *got.json)
	}
	return compare(want, got, o.Values), nil
}

func (o Options) send(ctx context.Context, e *exchange.Exchange, known ids) (*http.Response, error) {
	target := known.path(e.Path)
	if e.Query != "" {
		target += "?" + known.query(kindOfPath(e.Path), e.Query)
	}
	body := e.Request.Body.Text
	if json := e.Request.Body.JSON; json != nil {
		body = known.body(kindOfPath(e.Path), *json).String()
	}
	req, err := http.NewRequestWithContext(ctx, e.Method, o.URL+"/stores/"+o.Store+target, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Accept", "Content-Type"} {
		if value := e.Request.Header[name]; value != "" && value != "***" {
			req.Header.Set(name, value)
		}
	}
	req.Header.Set("X-Auth-Token", o.Token)
	return o.Client.Do(req)
}

// read reads the response of a server.
func read(res *http.Response, method string) (answer, error) {
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, exchange.MaxBody+1))
	if err != nil {
		return answer{}, err
	}
	a := answer{
		status: res.StatusCode, contentType: strings.Join(res.Header.Values("Content-Type"), ", "), hasLocation: res.Header.Get("Location") != "",
		unknown: len(text) > exchange.MaxBody || method == http.MethodHead,
	}
	if a.unknown {
		return a, nil
	}
	if v, err := exchange.ParseJSON(text); err == nil && v.Kind != exchange.Null {
		a.json = &v
	} else {
		a.text = string(text)
	}
	return a.withShape(), nil
}
