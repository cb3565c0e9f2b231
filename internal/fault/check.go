package fault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of rules.
const (
	MaxRules      = 100              // of one store
	maxAllRules   = 10_000           // of all stores, so that stores without an end do not fill the memory
	maxRule       = 8 << 10          // bytes of a rule in JSON
	maxDelay      = 30 * time.Second // a delay with its jitter
	maxSlow       = 20 * time.Second // a slow response; with the longest delay, it ends before the server gives up
	maxCount      = 1_000_000        // of skip, times and every
	maxRetryAfter = 3600             // seconds that a 429 tells the client to wait
)

// Operation is an operation that rules can name.
type Operation struct {
	Method string
	Path   string // after the store, with wildcards in braces
	// ReadOnly marks an operation that changes nothing although its method is not GET.
	ReadOnly bool
}

// Operations are the operations of the dialects by their names.
type Operations map[string]Operation

// RuleError is an error in a rule. Reason is a sentence for the client.
type RuleError struct{ Field, Reason string }

func (e *RuleError) Error() string { return e.Field + ": " + e.Reason }

// methods are those of the operations.
func methods() []string { return []string{"GET", "POST", "PUT", "DELETE"} }

// halves are the operations that can be done except for a part, which a 207 says.
func halves() []string { return []string{"createGroup", "updateGroup"} }

// statuses are the statuses that a rule can send, besides 207.
func statuses() []int {
	return []int{400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 502, 503, 504}
}

// Check returns a *RuleError unless the rule can do what it says.
func (o Operations) Check(r Rule) error {
	op, known := o[r.Operation]
	if r.Operation != "" && !known {
		return &RuleError{"operation", fmt.Sprintf("There is no operation %q.", short(r.Operation))}
	}
	for _, check := range []func() error{r.checkSize, func() error { return r.checkSelection(known, op) }, r.checkCounts, r.checkTimes} {
		if err := check(); err != nil {
			return err
		}
	}
	if known && r.Method == "" {
		r.Method = op.Method
	}
	return r.checkAction(op.ReadOnly)
}

// short bounds a text of the client in a message.
func short(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func (r Rule) checkSize() error {
	if text, err := json.Marshal(r); err != nil || len(text) > maxRule {
		return &RuleError{"", fmt.Sprintf("A rule has at most %d bytes.", maxRule)}
	}
	return nil
}

// checkSelection refuses rules that select no request.
func (r Rule) checkSelection(known bool, op Operation) error {
	method := r.Method
	if known {
		method = op.Method
	}
	switch {
	case r.Method != "" && !slices.Contains(methods(), r.Method):
		return &RuleError{"method", "The value must be one of: " + strings.Join(methods(), ", ") + "."}
	case known && r.Method != "" && r.Method != op.Method:
		return &RuleError{"method", fmt.Sprintf("The operation %s has the method %s.", r.Operation, op.Method)}
	case r.Path != "" && r.Path[0] != '/' && r.Path[0] != '*':
		return &RuleError{"path", "The value must begin with a slash or a star. It is the path after the store, such as /v2/customers/*."}
	case known && r.Path != "" && !compatible(r.Path, op.Path):
		return &RuleError{"path", fmt.Sprintf("The operation %s has the path %s.", r.Operation, op.Path)}
	case r.Match.Body != nil && (method == http.MethodGet || method == http.MethodDelete):
		return &RuleError{"match.body", "A " + method + " has no body."}
	case r.Match.Body != nil && r.BeforeAuth:
		return &RuleError{"before", "The body is read after the token is checked, so a rule before that cannot match it."}
	}
	return nil
}

// compatible reports whether a pattern and the path of an operation begin alike, as far as
// both are without a wildcard.
func compatible(pattern, path string) bool {
	a, _, _ := strings.Cut(pattern, "*")
	b, _, _ := strings.Cut(path, "{")
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

func (r Rule) checkCounts() error {
	for _, count := range []struct {
		field string
		value int
	}{{"skip", r.Skip}, {"times", r.Times}, {"every", r.Every}} {
		if count.value < 0 || count.value > maxCount {
			return &RuleError{count.field, fmt.Sprintf("The value must be from 0 to %d.", maxCount)}
		}
	}
	switch {
	case r.Probability == nil:
		return nil
	case !(*r.Probability >= 0 && *r.Probability <= 1):
		return &RuleError{"probability", "The value must be from 0 to 1."}
	case r.Seed == nil:
		return &RuleError{"seed", "A probability needs a seed, so that a test can be repeated."}
	}
	return nil
}

func (r Rule) checkTimes() error {
	switch {
	case r.Delay < 0 || r.Delay > maxDelay:
		return &RuleError{"delay", fmt.Sprintf("The time must be from 0s to %s.", maxDelay)}
	case r.Jitter < 0 || r.Delay+r.Jitter > maxDelay:
		return &RuleError{"delay_jitter", fmt.Sprintf("The time must be from 0s, and with the delay at most %s.", maxDelay)}
	}
	return nil
}

// checkAction refuses actions that the selected requests cannot have.
func (r Rule) checkAction(readOnly bool) error {
	a := r.Action
	switch {
	case a.Kind == KindDelay && a.Commit:
		return &RuleError{"action.commit_then", "The value must be an action."}
	case a.Kind == KindDelay && r.Delay+r.Jitter == 0:
		return &RuleError{"action", "A rule has an action, a delay, or both."}
	case a.Kind == KindDelay:
		return nil
	case a.Commit && r.BeforeAuth:
		return &RuleError{"before", "A request is processed after the token is checked, so commit_then cannot come before that."}
	case a.Commit && (readOnly || r.Method == http.MethodGet):
		return &RuleError{"action.commit_then", "The operation writes nothing."}
	case a.Kind == KindSlow && (a.Duration <= 0 || a.Duration > maxSlow):
		return &RuleError{"action.slow", fmt.Sprintf("The time must be more than 0s, and at most %s.", maxSlow)}
	case a.Processes() && r.BeforeAuth:
		return &RuleError{"before", "The action needs the response of the server, so it cannot come before the token is checked."}
	case a.Kind == KindStatus:
		return r.checkStatus()
	}
	return nil
}

func (r Rule) checkStatus() error {
	a := r.Action
	if a.Partial() {
		return r.checkPartial()
	}
	switch {
	case !slices.Contains(statuses(), a.Status):
		return &RuleError{"action.status", "The value must be one of: 207, " + join(statuses()) + "."}
	case len(a.Errors) > 0 && a.Status != http.StatusUnprocessableEntity && a.Status != http.StatusConflict && a.Status != http.StatusBadRequest:
		return &RuleError{"action.errors", "Only 400, 409 and 422 have errors by field."}
	case a.RetryAfter < 0 || a.RetryAfter > maxRetryAfter:
		return &RuleError{"action.retry_after", fmt.Sprintf("The value must be from 1 to %d.", maxRetryAfter)}
	case a.RetryAfter > 0 && a.Status != http.StatusTooManyRequests:
		return &RuleError{"action.retry_after", "Only 429 has it."}
	}
	return nil
}

func (r Rule) checkPartial() error {
	a := r.Action
	switch {
	case a.Commit:
		return &RuleError{"action.commit_then", "A 207 writes by itself."}
	case !slices.Contains(halves(), r.Operation):
		return &RuleError{"action.status", "207 is for the operations " + strings.Join(halves(), " and ") + ", which then write the group and let its discount wait."}
	case a.Title != "":
		return &RuleError{"action.title", "A 207 has the text of the server."}
	case len(a.Errors) > 0:
		return &RuleError{"action.errors", "Only 400, 409 and 422 have errors by field."}
	case a.RetryAfter != 0:
		return &RuleError{"action.retry_after", "Only 429 has it."}
	}
	return nil
}

func join(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}
