package console

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort/internal/fault"
)

func faultRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/faults", handle: (*call).listFaults, tests: true},
		{method: "POST", path: "stores/{hash}/faults", handle: (*call).addFault, tests: true},
		{method: "POST", path: "stores/{hash}/faults/profile", handle: (*call).applyProfile, tests: true},
		{method: "POST", path: "stores/{hash}/faults/clear", handle: (*call).clearFaults, tests: true},
	}
}

// faultsPage is what the page of the fault rules shows.
type faultsPage struct {
	Rules      []ruleLine
	Operations []string
	Profiles   []string
	Quick      form // for the next requests of an operation
	Full       form // for a rule in JSON
}

// ruleLine is a fault rule in the list.
type ruleLine struct {
	fault.State
	Text string // the rule in JSON
}

// exampleRule is what the form for whole rules begins with.
const exampleRule = `{
  "operation": "createGroup",
  "times": 1,
  "action": {"status": 429, "retry_after": 2}
}`

func (c *call) listFaults() error {
	return c.renderFaults(0, faultsPage{})
}

func (c *call) renderFaults(status int, p faultsPage) error {
	for _, s := range c.Tests.Faults.List(c.store.Key) {
		text, err := json.Marshal(s.Rule)
		if err != nil {
			return err
		}
		p.Rules = append(p.Rules, ruleLine{s, string(text)})
	}
	for _, d := range c.Dialects {
		for _, r := range d.Routes {
			p.Operations = append(p.Operations, r.Operation)
		}
	}
	slices.Sort(p.Operations)
	p.Profiles = fault.Profiles()
	if p.Quick.Values == nil {
		p.Quick.Values = map[string][]string{"times": {"1"}, "status": {"503"}}
	}
	if p.Full.Values == nil {
		p.Full.Values = map[string][]string{"rule": {exampleRule}}
	}
	path := fmt.Sprintf("%s/_cohort/v1/stores/%s/faults", c.APIURL, c.store.Hash)
	return c.render(page{name: "faults", status: status, title: "Faults", body: p, same: []example{
		{"Command line", fmt.Sprintf("cohort fault add --store %[1]s --operation createGroup --times 1 --status 503\ncohort fault list --store %[1]s\ncohort fault profile --store %[1]s flaky\ncohort fault clear --store %[1]s", c.store.Hash)},
		{"curl", fmt.Sprintf("curl %s -d '{\"operation\":\"createGroup\",\"times\":1,\"action\":{\"status\":503}}'\ncurl -X DELETE %[1]s", path)},
	}})
}

// addFault adds a rule, from the short form or as JSON.
func (c *call) addFault() error {
	p := faultsPage{}
	rule := []byte(c.form.Get("rule"))
	at := &p.Full
	if !c.form.Has("rule") {
		at = &p.Quick
		times, _ := strconv.Atoi(c.form.Get("times"))
		status, _ := strconv.Atoi(c.form.Get("status")) // the control API refuses 0
		text, err := json.Marshal(map[string]any{"operation": c.form.Get("operation"), "times": times, "action": map[string]any{"status": status}})
		if err != nil {
			return err
		}
		rule = text
	}
	_, err := c.control("POST", json.RawMessage(rule), "faults")
	if err == nil {
		return c.sayAndGo(c.path("faults"), "The rule applies from now on.")
	}
	if !json.Valid(rule) {
		err = &statusError{422, "The rule is not valid JSON."}
	}
	wrong, status, err := refused(err)
	if err != nil {
		return err
	}
	*at = form{c.form, wrong}
	return c.renderFaults(status, p)
}

// applyProfile replaces the rules by those of a profile.
func (c *call) applyProfile() error {
	name := c.form.Get("profile")
	if _, err := c.control("PUT", map[string]string{"profile": name}, "faults"); err != nil {
		return err
	}
	return c.sayAndGo(c.path("faults"), "The rules are those of the profile "+name+".")
}

// clearFaults removes all rules.
func (c *call) clearFaults() error {
	n := len(c.Tests.Faults.List(c.store.Key))
	if _, err := c.control("DELETE", nil, "faults"); err != nil {
		return err
	}
	return c.sayAndGo(c.path("faults"), strings.TrimSpace(plural(int64(n), "rule was", "rules were")+" removed."))
}
