package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cohort.example/cohort/internal/controlclient"
)

type faultAdd struct {
	File string `arg:"" optional:"" help:"A file with a whole rule in JSON, instead of flags; - is standard input."`
	Rule string `placeholder:"JSON" help:"A whole rule in JSON, instead of flags."`
	faultRequests
	faultAction
	testStoreFlags
}

// faultRequests are the requests that a rule takes. Without a flag, it takes all.
type faultRequests struct {
	Operation   string            `placeholder:"NAME" help:"The operation, such as createGroup."`
	Method      string            `placeholder:"METHOD" help:"The method."`
	Path        string            `placeholder:"PATH" help:"The path after the store; a star stands for any characters: /v2/customers/*."`
	Query       map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A parameter that requests have; repeat the flag for several."`
	Header      map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A header that requests have; repeat the flag for several."`
	Body        string            `placeholder:"JSON" help:"A part of the body; objects may have further fields."`
	Skip        int               `placeholder:"N" help:"How many of these requests pass first."`
	Every       int               `placeholder:"N" help:"Take each n-th of the others."`
	Times       int               `placeholder:"N" help:"Take so many at most."`
	Probability *float64          `placeholder:"P" help:"Take this part of them, from 0 to 1; with --seed."`
	Seed        *uint64           `placeholder:"N" help:"The seed of --probability: the same seed takes the same requests."`
	Before      string            `enum:",auth,handler" default:"" placeholder:"WHEN" help:"auth: before the token is checked; handler: after all checks (the default)."`
}

// faultAction is what happens to the requests.
type faultAction struct {
	Status     int           `placeholder:"STATUS" help:"Respond with this status, such as 503."`
	Title      string        `placeholder:"TEXT" help:"The text of the response, with --status."`
	RetryAfter int           `placeholder:"SECONDS" help:"The value of X-Retry-After, with --status 429."`
	Break      string        `enum:",timeout,reset,empty,truncate" default:"" placeholder:"HOW" help:"Break the response: timeout, reset, empty or truncate."`
	Slow       time.Duration `placeholder:"TIME" help:"Send the response in pieces, over this time."`
	Commit     bool          `help:"Process the request first, so that only its response is lost."`

	Delay       time.Duration `placeholder:"TIME" help:"Wait before, or only wait if nothing else is given."`
	DelayJitter time.Duration `placeholder:"TIME" help:"Wait up to so much longer."`
}

// Run adds the rule, and prints it.
func (c *faultAdd) Run(in *invocation) error {
	rule, err := c.rule(in)
	if err != nil {
		return err
	}
	var s faultState
	if err := c.decode(in, &s, controlclient.Call{Method: "POST", Path: c.path("faults"), Body: rule}); err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "Rule %d of store %s: %s\n", s.ID, c.Store, jsonText(s.Rule))
	return nil
}

// rule returns the rule in JSON, of the flags or as it is given.
func (c *faultAdd) rule(in *invocation) (json.RawMessage, error) {
	flags := c.fields()
	if err := c.addTo(flags); err != nil {
		return nil, err
	}
	given := 0
	for _, is := range []bool{c.File != "", c.Rule != "", len(flags) > 0} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, usageError("give a file, --rule, or flags such as --operation and --status")
	case c.File != "":
		text, err := readInput(in, c.File)
		return validJSON(text, inputName(c.File), err)
	case c.Rule != "":
		text, err := validJSON([]byte(c.Rule), "--rule", nil)
		if err != nil {
			return nil, usageError(err.Error())
		}
		return text, nil
	}
	if c.Body != "" && !json.Valid([]byte(c.Body)) {
		return nil, usageError("--body is not valid JSON")
	}
	return json.Marshal(flags)
}

// validJSON returns a text if it is JSON.
func validJSON(text []byte, name string, err error) (json.RawMessage, error) {
	if err == nil && !json.Valid(text) {
		err = errors.New(name + " is not valid JSON")
	}
	return text, err
}

// fields returns the fields of the rule that are given.
func (r faultRequests) fields() map[string]any {
	fields := map[string]any{}
	for name, text := range map[string]string{"operation": r.Operation, "method": r.Method, "path": r.Path, "before": r.Before} {
		if text != "" {
			fields[name] = text
		}
	}
	for name, n := range map[string]int{"skip": r.Skip, "every": r.Every, "times": r.Times} {
		if n != 0 {
			fields[name] = n
		}
	}
	if r.Probability != nil {
		fields["probability"] = *r.Probability
	}
	if r.Seed != nil {
		fields["seed"] = *r.Seed
	}
	match := map[string]any{}
	if len(r.Query) > 0 {
		match["query"] = r.Query
	}
	if len(r.Header) > 0 {
		match["header"] = r.Header
	}
	if r.Body != "" {
		match["body"] = json.RawMessage(r.Body)
	}
	if len(match) > 0 {
		fields["match"] = match
	}
	return fields
}

// addTo adds the fields of the action that are given.
func (a faultAction) addTo(fields map[string]any) error {
	for name, d := range map[string]time.Duration{"delay": a.Delay, "delay_jitter": a.DelayJitter} {
		if d != 0 {
			fields[name] = d.String()
		}
	}
	var actions []any
	if a.Status != 0 {
		status := map[string]any{"status": a.Status}
		if a.Title != "" {
			status["title"] = a.Title
		}
		if a.RetryAfter != 0 {
			status["retry_after"] = a.RetryAfter
		}
		actions = append(actions, status)
	}
	if a.Break != "" {
		actions = append(actions, a.Break)
	}
	if a.Slow != 0 {
		actions = append(actions, map[string]string{"slow": a.Slow.String()})
	}
	switch {
	case len(actions) > 1:
		return usageError("only one of --status, --break and --slow can be given")
	case a.Status == 0 && (a.Title != "" || a.RetryAfter != 0):
		return usageError("--title and --retry-after go with --status")
	case len(actions) == 0 && a.Commit:
		return usageError("--commit goes with --status, --break or --slow")
	case len(actions) == 0:
		return nil
	case a.Commit:
		fields["action"] = map[string]any{"commit_then": actions[0]}
	default:
		fields["action"] = actions[0]
	}
	return nil
}
