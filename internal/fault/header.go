package fault

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Header is the header with which a request asks for a fault, and with which a response
// says that it is one.
const Header = "X-Cohort-Fault"

// ParseHeader reads the action that a request to an operation asks for: a status, timeout,
// reset, empty or truncate, or commit-then and one of these. Its errors are of type
// *RuleError.
func (o Operations) ParseHeader(operation, value string) (Action, error) {
	value, commit := strings.CutPrefix(strings.TrimSpace(value), "commit-then ")
	value = strings.TrimSpace(value)
	a := Action{Kind: KindStatus, Commit: commit}
	var err error
	if a.Status, err = strconv.Atoi(value); err != nil {
		text, _ := json.Marshal(value) // a string can be encoded
		if a, err = decodeAction(text, "action"); err != nil {
			return a, &RuleError{"action", "The value must be a status, timeout, reset, empty or truncate, or commit-then and one of these."}
		}
		a.Commit = commit
	}
	return a, o.Check(Rule{Operation: operation, Action: a})
}
