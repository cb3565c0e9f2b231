package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"cohort.example/cohort/internal/controlclient"
)

type faultCommands struct {
	Add     faultAdd     `cmd:"" help:"Add a rule: which requests fail, and how."`
	List    faultList    `cmd:"" help:"List the rules of a store, with how often they applied."`
	Clear   faultClear   `cmd:"" help:"Remove all rules of a store."`
	Profile faultProfile `cmd:"" help:"Replace the rules of a store by those of a profile."`
}

// faultState is a rule with its counts, as the control API and --json have it.
type faultState struct {
	ID   int64           `json:"id"`
	Rule json.RawMessage `json:"rule"`
	Hits int             `json:"hits"`
	Left *int            `json:"left"` // null: no end
}

// ruleText is what a table shows of a rule.
type ruleText struct {
	Operation string          `json:"operation"`
	Method    string          `json:"method"`
	Path      string          `json:"path"`
	Delay     string          `json:"delay"`
	Jitter    string          `json:"delay_jitter"`
	Action    json.RawMessage `json:"action"`
}

// cells returns the row of a rule.
func (s faultState) cells() ([]string, error) {
	var r ruleText
	if err := json.Unmarshal(s.Rule, &r); err != nil {
		return nil, fmt.Errorf("the response cannot be read: %w", err)
	}
	if r.Jitter != "" {
		r.Delay = cmp.Or(r.Delay, "0s") + " to +" + r.Jitter
	}
	left := "-"
	if s.Left != nil {
		left = strconv.Itoa(*s.Left)
	}
	return []string{idText(s.ID), orDash(r.Operation), orDash(r.Method), orDash(r.Path), orDash(r.Delay), orDash(string(r.Action)), strconv.Itoa(s.Hits), left}, nil
}

func orDash(text string) string { return cmp.Or(text, "-") }

// printFaults prints rules.
func printFaults(in *invocation, f jsonFlag, list []faultState) error {
	l := f.newListing(in, "ID", "OPERATION", "METHOD", "PATH", "DELAY", "ACTION", "HITS", "LEFT")
	for _, s := range list {
		cells, err := s.cells()
		if err != nil {
			return err
		}
		if err := l.add(s, cells...); err != nil {
			return err
		}
	}
	return l.end()
}

type faultList struct {
	testStoreFlags
	jsonFlag
}

// Run prints the rules.
func (c *faultList) Run(in *invocation) error {
	var list struct {
		Faults []faultState `json:"faults"`
	}
	if err := c.decode(in, &list, controlclient.Call{Method: "GET", Path: c.path("faults")}); err != nil {
		return err
	}
	return printFaults(in, c.jsonFlag, list.Faults)
}

type faultClear struct{ testStoreFlags }

// Run removes the rules.
func (c *faultClear) Run(in *invocation) error {
	if _, err := c.do(in, "DELETE", nil, "faults"); err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "Store %s has no faults.\n", c.Store)
	return nil
}

type faultProfile struct {
	Name string `arg:"" enum:"flaky,throttled,slow,207-storm,lost-answers" help:"The profile: flaky, throttled, slow, 207-storm or lost-answers."`
	testStoreFlags
	jsonFlag
}

// Run replaces the rules, and prints them.
func (c *faultProfile) Run(in *invocation) error {
	var list struct {
		Faults []faultState `json:"faults"`
	}
	call := controlclient.Call{Method: "PUT", Path: c.path("faults"), Body: map[string]string{"profile": c.Name}}
	if err := c.decode(in, &list, call); err != nil {
		return err
	}
	return printFaults(in, c.jsonFlag, list.Faults)
}
