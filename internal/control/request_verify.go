package control

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/journal"
)

// verifyInput is the body of a verification.
type verifyInput struct {
	Criteria journal.Criteria `json:"criteria"`
	Times    *int             `json:"times"`
	AtLeast  *int             `json:"at_least"`
	AtMost   *int             `json:"at_most"`
	// Within is how long to wait, such as "2s".
	Within string `json:"within"`
}

// expectation returns what a verification expects: at least one request by default.
func (in *verifyInput) expectation() (want journal.Expectation, err error) {
	for name, n := range map[string]*int{"times": in.Times, "at_least": in.AtLeast, "at_most": in.AtMost} {
		if n != nil && *n < 0 {
			return want, cohort.Invalid(name, "The value must not be negative.")
		}
	}
	if in.Times != nil && (in.AtLeast != nil || in.AtMost != nil) {
		return want, cohort.Invalid("times", "Only times, or at_least and at_most, can be given.")
	}
	want.Max = math.MaxInt
	switch {
	case in.Times != nil:
		want.Min, want.Max = *in.Times, *in.Times
	case in.AtLeast == nil && in.AtMost == nil:
		want.Min = 1
	default:
		if in.AtLeast != nil {
			want.Min = *in.AtLeast
		}
		if in.AtMost != nil {
			want.Max = *in.AtMost
		}
	}
	if want.Min > want.Max {
		return want, cohort.Invalid("at_least", "The value must not be more than at_most.")
	}
	if in.Within != "" {
		want.Within, err = time.ParseDuration(in.Within)
		if err != nil || want.Within < 0 || want.Within > maxWithin {
			return want, cohort.Invalid("within", fmt.Sprintf("The value must be a time such as 500ms or 2s, up to %s.", maxWithin))
		}
	}
	return want, nil
}

// missWire is a request that nearly matches.
type missWire struct {
	ID          int64                `json:"id"`
	Method      string               `json:"method"`
	Path        string               `json:"path"`
	Operation   string               `json:"operation"`
	Status      int                  `json:"status"`
	Differences []journal.Difference `json:"differences"`
}

// verifyProblem is the response if an expectation does not hold.
type verifyProblem struct {
	problemWire
	Count         int        `json:"count"`
	NearestMisses []missWire `json:"nearest_misses"`
}

// verifyRequests checks how many requests match: an assertion in one call.
func (a *API) verifyRequests(w http.ResponseWriter, r *http.Request) error {
	j, store, err := a.journalOf(r)
	if err != nil {
		return err
	}
	var in verifyInput
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	want, err := in.expectation()
	if err != nil {
		return err
	}
	if err := CheckCriteria(a.Dialects, "criteria.", &in.Criteria); err != nil {
		return err
	}
	waitLonger(w)
	result := j.Verify(r.Context(), store, &in.Criteria, want)
	if result.OK {
		return writeOK(w, http.StatusOK, map[string]any{"ok": true, "count": result.Count})
	}
	p := verifyProblem{
		problemWire: problemWire{
			Type: "about:blank", Title: http.StatusText(http.StatusConflict), Status: http.StatusConflict,
			Detail: fmt.Sprintf("Matching requests: %d. Expected: %s.", result.Count, Expected(want)),
		},
		Count: result.Count, NearestMisses: []missWire{},
	}
	for _, m := range result.Misses {
		e := m.Entry
		p.NearestMisses = append(p.NearestMisses, missWire{e.ID, e.Method, e.Path, e.Operation, e.Status, m.Differences})
	}
	writeJSON(w, p.Status, "application/problem+json", p)
	return nil
}

// Expected describes an expectation, such as "at least 1".
func Expected(want journal.Expectation) string {
	switch {
	case want.Min == want.Max:
		return strconv.Itoa(want.Min)
	case want.Max == math.MaxInt:
		return fmt.Sprintf("at least %d", want.Min)
	case want.Min == 0:
		return fmt.Sprintf("at most %d", want.Max)
	}
	return fmt.Sprintf("%d to %d", want.Min, want.Max)
}

// waitLonger lets a handler run longer than the time in which the server reads a request.
// When that time is over, net/http would end the context of the request.
func waitLonger(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // fails only without a network connection
}
