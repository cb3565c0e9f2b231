package server

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// Each error of Once has a status, and says whether to try again. Others stay what they are.
func TestKeyErrors(t *testing.T) {
	for _, c := range []struct {
		err        error
		status     int
		retryAfter string
	}{
		{service.ErrUnderWay, 409, "1"},
		{service.ErrOtherRequest, 422, ""},
		{service.ErrManyKeys, 429, "60"},
		{service.ErrLongAnswer, 413, ""},
	} {
		w := httptest.NewRecorder()
		got, ok := errors.AsType[*api.HTTPError](keyError(w, c.err))
		if !ok || got.Status != c.status || !strings.Contains(got.Message, "Idempotency-Key") || w.Header().Get("Retry-After") != c.retryAfter {
			t.Errorf("%v: %+v, Retry-After %q", c.err, got, w.Header().Get("Retry-After"))
		}
	}
	if other := errors.New("other"); !errors.Is(keyError(httptest.NewRecorder(), other), other) {
		t.Error("another error is not returned")
	}
}
