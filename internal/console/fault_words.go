package console

import (
	"cmp"
	"fmt"
	"strings"

	"cohort.example/cohort/internal/fault"
)

// requestsWords returns to which requests a rule applies.
func requestsWords(r fault.Rule) string {
	if r.Operation != "" {
		return r.Operation
	}
	return cmp.Or(strings.TrimSpace(r.Method+" "+r.Path), "all requests")
}

// actionWords returns what a rule does to a request.
func actionWords(r fault.Rule) string {
	var parts []string
	switch {
	case r.Jitter > 0:
		parts = append(parts, fmt.Sprintf("waits %s to %s", r.Delay, r.Delay+r.Jitter))
	case r.Delay > 0:
		parts = append(parts, fmt.Sprintf("waits %s", r.Delay))
	}
	if r.Action.Commit {
		parts = append(parts, "makes the change")
	}
	if text := responseWords(r.Action); text != "" {
		parts = append(parts, text)
	}
	return strings.Join(parts, ", then ")
}

// responseWords returns how an action answers; "": as the server does.
func responseWords(a fault.Action) string {
	switch a.Kind {
	case fault.KindDelay:
	case fault.KindStatus:
		return fmt.Sprintf("answers %d", a.Status)
	case fault.KindTimeout:
		return "never answers"
	case fault.KindReset:
		return "resets the connection"
	case fault.KindEmpty:
		return "closes the connection without an answer"
	case fault.KindTruncate:
		return "breaks off in the middle of the answer"
	case fault.KindSlow:
		return fmt.Sprintf("answers in small pieces for %s", a.Duration)
	}
	return ""
}
