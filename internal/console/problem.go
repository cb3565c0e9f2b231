package console

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/limit"
)

// statusError is an error with a status and a text of its own.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

// statuses are the statuses of the kinds of errors.
var statuses = map[cohort.Kind]int{
	cohort.KindInvalid: http.StatusUnprocessableEntity, cohort.KindUnauthorized: http.StatusUnauthorized,
	cohort.KindForbidden: http.StatusForbidden, cohort.KindNotFound: http.StatusNotFound, cohort.KindConflict: http.StatusConflict,
	cohort.KindTooLarge: http.StatusRequestEntityTooLarge, cohort.KindUnavailable: http.StatusServiceUnavailable,
}

// explain returns the status and the text of an error. What only the log may say is left out.
func explain(err error) (status int, text string) {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.status, e.text
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusServiceUnavailable, "The answer takes too long. Nothing was changed; ask for less, or try again."
	}
	if _, ok := errors.AsType[*limit.FullError](err); ok {
		return http.StatusTooManyRequests, "The server computes other prices at the moment. Try again in a few seconds."
	}
	e, ok := errors.AsType[*cohort.Error](err)
	status = statuses[cohort.KindOf(err)]
	switch {
	case status == http.StatusServiceUnavailable:
		return status, "The server is busy or cannot reach its database. Nothing was changed; try again."
	case !ok || status == 0:
		return http.StatusInternalServerError, "The server has a fault. Its log says more."
	}
	return status, sentence(e)
}

// sentence returns what an error says to people.
func sentence(e *cohort.Error) string {
	var parts []string
	for _, part := range []string{e.Message, e.Reason} {
		if part != "" {
			parts = append(parts, strings.ToUpper(part[:1])+part[1:])
		}
	}
	if len(parts) == 0 {
		parts = []string{"The value is not valid"}
	}
	text := strings.Join(parts, ": ")
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// fail sends the page of an error, and logs it if it is a fault of the server.
func (c *call) fail(err error) {
	if errors.Is(err, context.Canceled) && c.ctx().Err() != nil {
		return // the client has left
	}
	status, text := explain(err)
	if status >= http.StatusInternalServerError {
		c.Log.Error("the console failed", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
	}
	c.show("error", status, http.StatusText(status), text)
}

// problem is why a form was not saved.
type problem struct {
	Text  string // of the form as a whole, or of all fields
	field string // "": none
}

// refused returns the problem of a form and its status, if the person who sent it can mend
// it. Other errors are returned as they are.
func refused(err error) (p *problem, status int, rest error) {
	status, text := explain(err)
	switch status {
	case http.StatusUnprocessableEntity, http.StatusConflict, http.StatusBadRequest:
	default:
		return nil, 0, err
	}
	p = &problem{Text: text}
	if e, ok := errors.AsType[*cohort.Error](err); ok {
		p.field = e.Field
	}
	return p, status, nil
}

// Of returns what is wrong with a field; "": nothing.
func (p *problem) Of(field string) string {
	if p == nil || p.field != field {
		return ""
	}
	return p.Text
}
