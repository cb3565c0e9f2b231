package server

import (
	"net/http"
	"strconv"

	"cohort.example/cohort/internal/api"
)

// refusal is the body of answers that come from in front of the dialects and
// look the same in all of them.
type refusal struct {
	Status int      `json:"status"`
	Title  string   `json:"title"`
	Type   string   `json:"type"`
	Errors struct{} `json:"errors"`
}

func refuse(w http.ResponseWriter, status int, title string) {
	// A refusal always encodes.
	_ = api.WriteJSON(w, status, refusal{Status: status, Title: title, Type: api.StatusType})
}

// refuseTooMany tells a client to come back after some seconds.
func refuseTooMany(w http.ResponseWriter, seconds int) {
	w.Header().Set("X-Retry-After", strconv.Itoa(seconds))
	refuse(w, http.StatusTooManyRequests, "Too many requests")
}
