package apiv2

import (
	"errors"
	"net/http/httptest"
	"testing"

	"cohort.example/cohort"
)

// Retry-After must not be sent when the change may have been made: clients retry such
// a response automatically.
func TestUnavailable(t *testing.T) {
	const unknown = "It is unknown whether the change was made. Please look before you try again."
	for _, tt := range []struct {
		err                 cohort.Error
		retryAfter, message string
	}{
		{cohort.Error{Kind: cohort.KindUnavailable}, "1", "The service is unavailable for the moment. Please try again."},
		{cohort.Error{Kind: cohort.KindUnavailable, Message: unknown}, "", unknown},
	} {
		w := httptest.NewRecorder()
		tt.err.Err = errors.New("a cause that the client must not see")
		status := writeError(w, &tt.err)
		want := `[{"status":503,"message":"` + tt.message + `"}]`
		if status != 503 || w.Code != 503 || w.Header().Get("Retry-After") != tt.retryAfter || w.Body.String() != want {
			t.Errorf("%d %v %s, want Retry-After %q and %s", w.Code, w.Header(), w.Body, tt.retryAfter, want)
		}
	}
}
