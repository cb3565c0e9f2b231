package console

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/limit"
)

func limitRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/limits", handle: (*call).showLimits, tests: true},
		{method: "POST", path: "stores/{hash}/limits", handle: (*call).setLimits, tests: true},
		{method: "POST", path: "stores/{hash}/limits/operation", handle: (*call).setOperationLimit, tests: true},
		{method: "POST", path: "stores/{hash}/limits/own", handle: (*call).restoreOperationLimits, tests: true},
		{method: "POST", path: "stores/{hash}/limits/exhaust", handle: (*call).exhaustLimits, tests: true},
		{method: "POST", path: "stores/{hash}/limits/refill", handle: (*call).refillLimits, tests: true},
	}
}

// limitsPage is what the page of the limits shows.
type limitsPage struct {
	Shared     bool         // nodes share the limits, so the console does not have them
	Usage      *limit.Usage // nil: the store has no quota
	Operations []operationLimit
	Names      []option // of the operations that can have a limit
	Refused    []refusedCaller
	Form       form // of the plan and the quota
	Operation  form // of the limit of an operation
	Plans      []option
}

// operationLimit is the concurrency limit of an operation; 0: none.
type operationLimit struct {
	Name  string
	Limit int
	IsSet bool // a test has set it
}

func (c *call) showLimits() error { return c.renderLimits(0, limitsPage{}) }

func (c *call) renderLimits(status int, p limitsPage) error {
	p.Shared = c.Tests.Limits == nil
	for _, plan := range []cohort.Plan{cohort.PlanUnlimited, cohort.PlanStandard, cohort.PlanPlus, cohort.PlanPro, cohort.PlanEnterprise} {
		p.Plans = append(p.Plans, option{string(plan), string(plan)})
	}
	if p.Form.Values == nil {
		p.Form.Values = map[string][]string{"plan": {string(c.store.Plan)}, "quota": {fmt.Sprint(c.store.Quota)}}
	}
	if n, metered := c.store.RequestQuota(); metered && !p.Shared {
		u := c.Tests.Limits.QuotaUsage(c.store.Key, n)
		p.Usage = &u
	}
	p.Operations, p.Names, p.Refused = c.operationLimits(), c.limitedNames(), c.refusedCallers()
	path := fmt.Sprintf("%s/_cohort/v1/stores/%s/limits", c.APIURL, c.store.Hash)
	return c.render(page{name: "limits", status: status, title: "Limits", body: p, same: []example{
		{"curl", fmt.Sprintf("curl %s\ncurl -X PUT %[1]s -d '{\"plan\":\"pro\"}'\ncurl -X PUT %[1]s -d '{\"operations\":{\"createGroup\":1}}'\ncurl -X POST %[1]s/exhaust\ncurl -X POST %[1]s/refill", path)},
		{"Command line", fmt.Sprintf("cohort store update %s --plan pro", c.store.Hash)},
	}})
}

// operationLimits returns the concurrency limits of operations, those that tests have set and
// those that the operations have.
func (c *call) operationLimits() (list []operationLimit) {
	limits := map[string]operationLimit{}
	for _, d := range c.Dialects {
		for _, r := range d.Routes {
			if r.Concurrency > 0 {
				limits[r.CountedAs()] = operationLimit{Name: r.CountedAs(), Limit: r.Concurrency}
			}
		}
	}
	if c.Tests.Limits != nil {
		for name, n := range c.Tests.Limits.Concurrency(c.store.Key) {
			limits[name] = operationLimit{name, n, true}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		list = append(list, limits[name])
	}
	return list
}

// setLimits changes the plan and the quota of the store.
func (c *call) setLimits() error {
	quota, err := strconv.Atoi(c.form.Get("quota"))
	if err != nil {
		quota = -1 // the service refuses it
	}
	if _, err := c.control("PUT", map[string]any{"plan": c.form.Get("plan"), "quota": quota}, "limits"); err != nil {
		wrong, status, err := refused(err)
		if err != nil {
			return err
		}
		return c.renderLimits(status, limitsPage{Form: form{c.form, wrong}})
	}
	return c.sayAndGo(c.path("limits"), "The limits of the store were changed.")
}

// exhaustLimits uses up the quota.
func (c *call) exhaustLimits() error {
	if _, err := c.control("POST", nil, "limits", "exhaust"); err != nil {
		return err
	}
	return c.sayAndGo(c.path("limits"), "The quota is used up. The next request gets 429.")
}

// refillLimits forgets what was used.
func (c *call) refillLimits() error {
	if _, err := c.control("POST", nil, "limits", "refill"); err != nil {
		return err
	}
	return c.sayAndGo(c.path("limits"), "The quota is whole again.")
}
