package apiv3

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func TestErrorResponses(t *testing.T) {
	internal := "An internal error occurred. Request id: REQUEST"
	for _, c := range []struct {
		what           string
		err            error
		status         int
		title, reasons string
	}{
		{"a field", cohort.Invalid("price", "Too high."), 422, titleInvalid, `"price":"Too high."`},
		{"wrapped", fmt.Errorf("create: %w", cohort.Invalid("price", "Too high.")), 422, titleInvalid, `"price":"Too high."`},
		{"no field", cohort.Invalid("", "It is wrong."), 422, "It is wrong.", ""},
		{"a message", &cohort.Error{Kind: cohort.KindInvalid, Message: "Nothing to do."}, 422, "Nothing to do.", ""},
		{"a message and a field", &cohort.Error{Kind: cohort.KindConflict, Message: "Taken.", Field: "sku", Reason: "Another has it."}, 409, "Taken.", `"sku":"Another has it."`},
		{"a conflict", &cohort.Error{Kind: cohort.KindConflict, Err: io.EOF}, 409, "A resource conflict prevented the request from being fulfilled.", ""},
		{"not found", cohort.NotFound("product 7"), 404, "The requested resource was not found.", ""},
		{"too large", &cohort.Error{Kind: cohort.KindTooLarge}, 413, "What was asked for is too large.", ""},
		{"unavailable", &cohort.Error{Kind: cohort.KindUnavailable, Err: io.EOF}, 503, "The service is unavailable for the moment. Please try again.", ""},
		{"HTTP", &api.HTTPError{Status: 400, Message: "No JSON."}, 400, "No JSON.", ""},
		{"internal", &cohort.Error{Message: "secret", Field: "x", Reason: "secret", Err: io.EOF}, 500, internal, ""},
		{"unclassified", errors.New("secret"), 500, internal, ""},
		{"a kind without a V3 response", &cohort.Error{Kind: cohort.KindForbidden, Message: "secret"}, 500, internal, ""},
		{"items", cohort.ItemErrors{
			12: cohort.Invalid("", "It is there twice."), 3: cohort.Invalid("price", "Too high."),
			4: failures{cohort.Invalid("a", "One."), cohort.Invalid("b", "Two.")},
		}, 422, titleInvalid, `"12":"It is there twice.","3.price":"Too high.","4.a":"One.","4.b":"Two."`},
		{"items of several kinds", cohort.ItemErrors{
			2: cohort.NotFound("price list 9"), 1: &cohort.Error{Kind: cohort.KindConflict}, 5: errors.New("secret"),
		}, 409, "A resource conflict prevented the request from being fulfilled.",
			`"1":"A resource conflict prevented the request from being fulfilled.","2":"price list 9 does not exist","5":"An internal error occurred."`},
		{"quotes", cohort.Invalid(`a"b`, `<&> "x"`), 422, titleInvalid, `"a\"b":"<&> \"x\""`},
	} {
		for range 20 { // map iteration order is random
			wantError(t, c.what, c.err, c.status, c.title, c.reasons)
		}
		if _, body, _ := written(c.err); strings.Contains(body, "secret") {
			t.Errorf("%s: the response is %s", c.what, body)
		}
	}
}

// Retry-After is sent only if a retry can succeed.
func TestRetryAfter(t *testing.T) {
	for want, err := range map[string]error{
		"1": &cohort.Error{Kind: cohort.KindUnavailable},
		"":  &cohort.Error{Kind: cohort.KindUnavailable, Message: "It is unknown whether it was done."},
	} {
		if _, _, h := written(err); h.Get("Retry-After") != want {
			t.Errorf("%v: Retry-After is %q, want %q", err, h.Get("Retry-After"), want)
		}
	}
}

// The body of a customError is sent unchanged, and its error is for the log.
func TestCustomError(t *testing.T) {
	err := error(&customError{422, map[string]int{"saved": 0}, io.EOF})
	if status, body, _ := written(fmt.Errorf("put: %w", err)); status != 422 || body != `{"saved":0}` {
		t.Errorf("%d %s", status, body)
	}
	if !errors.Is(err, io.EOF) || err.Error() != "EOF" {
		t.Errorf("the error is %v", err)
	}
}

// An unclassified error from a field is an internal error, whatever else is in the body.
func TestUnclassifiedErrorInBody(t *testing.T) {
	for _, sent := range []string{`{"broken":1}`, `{"colour":1,"broken":1}`, `{"broken":1,"colour":1}`} {
		status, body, _ := written(decoders["object"](sent))
		if status != 500 || strings.Contains(body, "body") || strings.Contains(body, "colour") {
			t.Errorf("%s: %d %s", sent, status, body)
		}
	}
}
