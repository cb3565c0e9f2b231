package mcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// The tools for tests call the control API of the same process, so that its rules are theirs.

// maxControlBody bounds a response of the control API, in bytes.
const maxControlBody = 4 << 20

// controlResponse keeps a response of the control API.
type controlResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
	cut    bool // the body was longer
}

func (r *controlResponse) Header() http.Header { return r.header }

func (r *controlResponse) WriteHeader(status int) { r.status = cmp.Or(r.status, status) }

func (r *controlResponse) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	free := maxControlBody - r.body.Len()
	r.cut = r.cut || len(b) > free
	r.body.Write(b[:min(len(b), free)]) // never fails
	return len(b), nil
}

// controlCall is a request to the control API about the store of the caller.
type controlCall struct {
	tool, method, path string // the path follows that of the store
	query              url.Values
	body               []byte
}

// control calls the control API and decodes its response. It returns the status too, which is
// a success or one that the call accepts besides.
func (c *caller) control(ctx context.Context, call controlCall, into any, accepts ...int) (status int, err error) {
	target := "/_cohort/v1/stores/" + url.PathEscape(c.store.Hash) + call.path + "?" + call.query.Encode()
	r, err := http.NewRequestWithContext(ctx, call.method, target, bytes.NewReader(call.body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(api.ReasonHeader, "MCP tool "+call.tool)
	if c.call != nil {
		r.Header.Set(api.ActorHeader, "token "+c.call.Token.ID)
	}
	w := &controlResponse{header: http.Header{}}
	c.Control.ServeHTTP(w, r)
	switch {
	case w.cut:
		return 0, cohort.Invalid("", "there is too much to answer; ask for less at once")
	case w.status >= http.StatusBadRequest && !slices.Contains(accepts, w.status):
		return 0, controlError(w)
	case into == nil || w.body.Len() == 0:
		return w.status, nil
	}
	return w.status, json.Unmarshal(w.body.Bytes(), into)
}

// controlError returns the error that a response tells.
func controlError(w *controlResponse) error {
	var p struct {
		Detail string
		Errors []struct {
			Field, Detail string
			Line          int
		}
	}
	if err := json.Unmarshal(w.body.Bytes(), &p); err != nil || w.status >= http.StatusInternalServerError {
		return fmt.Errorf("the control API answers with %d: %s", w.status, p.Detail)
	}
	e := cohort.Invalid("", p.Detail)
	if len(p.Errors) > 0 {
		first := p.Errors[0]
		e.Field, e.Reason = first.Field, cmp.Or(first.Detail, p.Detail)
		if first.Line > 0 {
			e.Reason = fmt.Sprintf("line %d: %s", first.Line, e.Reason)
		}
	}
	return e
}
