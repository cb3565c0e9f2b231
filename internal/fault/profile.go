package fault

import (
	"net/http"
	"time"
)

// Profiles are names of lists of rules, in the order of the documentation.
func Profiles() []string {
	return []string{"flaky", "throttled", "slow", "207-storm", "lost-answers"}
}

// Profile returns the rules of a profile, or false if there is no such profile.
func Profile(name string) ([]Rule, bool) {
	status := func(code int) Action { return Action{Kind: KindStatus, Status: code} }
	switch name {
	case "flaky":
		return []Rule{{Every: 7, Action: status(http.StatusServiceUnavailable)}}, true
	case "throttled":
		return []Rule{{Every: 21, Action: status(http.StatusTooManyRequests)}}, true
	case "slow":
		return []Rule{{Delay: 50 * time.Millisecond, Jitter: 200 * time.Millisecond}}, true
	case "207-storm":
		var rules []Rule
		for _, operation := range halves() {
			rules = append(rules, Rule{Operation: operation, Action: status(http.StatusMultiStatus)})
		}
		return rules, true
	case "lost-answers":
		var rules []Rule
		for _, method := range methods()[1:] { // the methods that write
			rules = append(rules, Rule{Method: method, Every: 3, Action: Action{Kind: KindReset, Commit: true}})
		}
		return rules, true
	}
	return nil, false
}
