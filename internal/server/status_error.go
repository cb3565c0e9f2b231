package server

import (
	"net/http"
	"strconv"

	"cohort.example/cohort/internal/api"
)

// statusError is the body of errors that are the same in all dialects: those for
// token, scope and limits.
type statusError struct {
	Status int      `json:"status"`
	Title  string   `json:"title"`
	Type   string   `json:"type"`
	Errors struct{} `json:"errors"`
}

func writeStatusError(w http.ResponseWriter, status int, title string) {
	// Encoding a statusError cannot fail.
	_ = api.WriteJSON(w, status, statusError{Status: status, Title: title, Type: api.StatusType})
}

// writeTooManyRequests responds with 429 and the seconds after which to retry.
func writeTooManyRequests(w http.ResponseWriter, seconds int) {
	w.Header().Set("X-Retry-After", strconv.Itoa(seconds))
	writeStatusError(w, http.StatusTooManyRequests, tooManyRequests)
}

const tooManyRequests = "Too many requests"
