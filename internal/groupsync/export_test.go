package groupsync

import (
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// NewTransport is the transport of Direct.
func NewTransport(dialects []*api.Dialect, st cohort.Store) http.RoundTripper {
	return &transport{dialects, st}
}
