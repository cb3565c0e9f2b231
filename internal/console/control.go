package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"cohort.example/cohort"
)

// control sends a request about the store to the control API, whose rules are those of the
// pages too. A body that is no text is sent as JSON. Its refusals are of type
// *cohort.Error.
func (c *call) control(method string, body any, path ...string) (*answer, error) {
	text, isText := body.([]byte)
	header := http.Header{"Content-Type": {"application/yaml"}, "Authorization": {"Bearer " + c.Tests.ControlToken}}
	if !isText && body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
		header.Set("Content-Type", "application/json")
	}
	target := "/_cohort/v1/stores/" + url.PathEscape(c.store.Hash)
	for _, p := range path {
		target += "/" + url.PathEscape(p)
	}
	a, err := c.request(method, target, header, text)
	if err != nil || a.status < 300 {
		return a, err
	}
	return a, problemOf(a)
}

// problemOf returns the error that a response of the control API tells.
func problemOf(a *answer) error {
	var p struct {
		Detail string
		Errors []struct {
			Field, Detail string
			Line          int
		}
	}
	if err := json.Unmarshal(a.body.Bytes(), &p); err != nil {
		return fmt.Errorf("the control API answers with %d: %w", a.status, err)
	}
	e := &cohort.Error{Kind: cohort.KindInvalid, Reason: p.Detail}
	if len(p.Errors) > 0 {
		first := p.Errors[0]
		e.Reason = cmp.Or(first.Detail, p.Detail)
		if first.Field != "" {
			e.Reason = first.Field + ": " + e.Reason
		}
		if first.Line > 0 {
			e.Reason = fmt.Sprintf("line %d: %s", first.Line, e.Reason)
		}
	}
	switch a.status {
	case http.StatusNotFound:
		e.Kind = cohort.KindNotFound
	case http.StatusConflict:
		e.Kind = cohort.KindConflict
	case http.StatusRequestEntityTooLarge:
		e.Kind = cohort.KindTooLarge
	case http.StatusServiceUnavailable:
		e.Kind = cohort.KindUnavailable
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
	default:
		return fmt.Errorf("the control API answers with %d: %s", a.status, p.Detail)
	}
	return e
}
