package api

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The headers in which a request says for whom it changes something, and why. Events keep
// both.
const (
	ActorHeader  = "X-Cohort-Actor"
	ReasonHeader = "X-Cohort-Reason"
)

// maxOrigin is the length of the longest value of these headers, in bytes.
const maxOrigin = 255

// ReadOrigin returns the values of ActorHeader and ReasonHeader; "": not given. It returns
// an HTTPError for values that events cannot keep.
func ReadOrigin(h http.Header) (actorName, reason string, err error) {
	actor, why := h[ActorHeader], h[ReasonHeader]
	if len(actor) == 0 && len(why) == 0 {
		return "", "", nil
	}
	if actorName, err = originText(ActorHeader, actor); err != nil {
		return "", "", err
	}
	reason, err = originText(ReasonHeader, why)
	return actorName, reason, err
}

func originText(name string, values []string) (string, error) {
	if len(values) == 0 {
		return "", nil
	}
	text := strings.TrimSpace(values[0])
	if len(values) > 1 || len(text) > maxOrigin || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", &HTTPError{Status: http.StatusBadRequest, Message: fmt.Sprintf(
			"The %s header must be given once and have at most %d bytes of UTF-8 without control characters.", name, maxOrigin)}
	}
	return text, nil
}
