package api_test

import (
	"net/http"
	"testing"

	"cohort.example/cohort/internal/api"
)

// The comparison is strong, and lists may be spread over headers and have empty elements. A
// malformed header is refused.
func TestIfMatch(t *testing.T) {
	const body, tag = "x", `"2d711642b726b044"`
	for _, c := range []struct {
		values []string
		holds  bool
		status int // of the error
	}{
		{values: []string{tag}, holds: true},
		{values: []string{`"other", ` + tag}, holds: true},
		{values: []string{`"other"`, `, ,` + tag + " ,"}, holds: true},
		{values: []string{`"2d711642b726b044-gzip"`}, holds: true},
		{values: []string{`W/"2d711642b726b044-gzip"`}},
		{values: []string{`"-gzip"`}},
		{values: []string{"*"}, holds: true},
		{values: []string{" * "}, holds: true},
		{values: []string{`"other"`}},
		{values: []string{`""`}},
		{values: []string{"W/" + tag}},
		{values: []string{`W/"other", W/` + tag}},
		{values: []string{`"é!#~"`}},
		{values: []string{""}, status: 400},
		{values: []string{" , "}, status: 400},
		{values: []string{"2d711642b726b044"}, status: 400},
		{values: []string{`"open`}, status: 400},
		{values: []string{`"a b"`}, status: 400},
		{values: []string{tag + ` "no comma"`}, status: 400},
		{values: []string{tag + ", *"}, status: 400},
		{values: []string{"* , " + tag}, status: 400},
		{values: []string{"w/" + tag}, status: 400},
		{values: []string{tag + ", open"}, status: 400},
	} {
		r := &api.Request{Request: &http.Request{Header: http.Header{"If-Match": c.values}}}
		got, err := r.IfMatch()
		if status := statusOf(err); status != c.status {
			t.Errorf("%q: error %v", c.values, err)
		} else if err == nil && got.Holds([]byte(body)) != c.holds {
			t.Errorf("%q: holds is not %v", c.values, c.holds)
		}
	}
	if got, err := (&api.Request{Request: &http.Request{}}).IfMatch(); got != nil || err != nil {
		t.Errorf("without a header: %v, %v", got, err)
	}
}

func statusOf(err error) int {
	if e, ok := err.(*api.HTTPError); ok { //nolint:errorlint // it is not wrapped
		return e.Status
	}
	return 0
}
