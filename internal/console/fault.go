package console

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/numeral"
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
	Applies string // to which requests
	Action  string // what happens to them
	Text    string // the rule in JSON
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
		p.Rules = append(p.Rules, ruleLine{s, requestsWords(s.Rule), actionWords(s.Rule), string(text)})
	}
	for _, d := range c.Dialects {
		for _, r := range d.Routes {
			p.Operations = append(p.Operations, r.Operation)
		}
	}
	slices.Sort(p.Operations)
	p.Operations = slices.Compact(p.Operations)
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
		var err error
		if rule, err = c.quickRule(); err != nil {
			return c.faultRefused(err, at, &p)
		}
	}
	if !json.Valid(rule) {
		return c.faultRefused(&statusError{422, "The rule is not valid JSON."}, at, &p)
	}
	if _, err := c.control("POST", json.RawMessage(rule), "faults"); err != nil {
		return c.faultRefused(err, at, &p)
	}
	return c.sayAndGo(c.path("faults"), "The rule applies from now on.")
}

// quickRule returns the rule of the short form in JSON. A rule without a number of times
// would have no end, so the form needs one.
func (c *call) quickRule() ([]byte, error) {
	times, err := strconv.Atoi(c.form.Get("times"))
	if err != nil || times < 1 {
		return nil, cohort.Invalid("times", "The value must be a whole number from 1 on.")
	}
	status, err := strconv.Atoi(c.form.Get("status"))
	if err != nil {
		return nil, cohort.Invalid("status", "The value must be a status such as 503.")
	}
	return json.Marshal(map[string]any{"operation": c.form.Get("operation"), "times": times, "action": map[string]any{"status": status}})
}

// faultRefused shows the page again, with what was typed and why it was refused.
func (c *call) faultRefused(err error, at *form, p *faultsPage) error {
	wrong, status, err := refused(err)
	if err != nil {
		return err
	}
	*at = form{c.form, wrong}
	return c.renderFaults(status, *p)
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
	return c.sayAndGo(c.path("faults"), strings.TrimSpace(numeral.Plural(int64(n), "rule was", "rules were")+" removed."))
}
