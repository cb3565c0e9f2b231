package api

import "fmt"

// Rate is how many calls per minute an operation accepts: for one path, and for
// one store. The zero value means no limit.
type Rate struct{ PerPath, PerStore int }

// SharedRate is a rate limit that several operations share, also of several dialects.
// The operation that counts by its path has Operation as its name. Its counts are those
// of handlers that call [Request.Count] with the id in the path as subject.
type SharedRate struct {
	Operation string
	Rate      Rate
}

// passwordRate makes it impossible to guess a customer's password, and bounds the CPU
// time of a store: each check uses a core for tens of milliseconds. The vendor documents
// a limit; the figures are ours.
var passwordRate = Rate{PerPath: 10, PerStore: 300}

// PasswordChecks limits the checks of passwords. V2 counts by the customer in the path.
var PasswordChecks = SharedRate{Operation: "validatePassword", Rate: passwordRate}

// TooManyError rejects a request that exceeds a rate limit.
type TooManyError struct {
	Limit      string // the name of the limit in metrics
	RetryAfter int    // seconds
}

func (e *TooManyError) Error() string {
	return fmt.Sprintf("the limit %s is exceeded; retry after %d s", e.Limit, e.RetryAfter)
}

// Count counts a call for a subject, such as the id of a customer, which only the handler
// knows. It returns a TooManyError if the rate limit is exceeded.
func (r *Request) Count(limit SharedRate, subject string) error {
	if r.CountRate == nil {
		return nil
	}
	return r.CountRate(limit, subject)
}
