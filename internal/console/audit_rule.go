package console

import (
	"encoding/json"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"

	"github.com/shopspring/decimal"
)

// maxRulesTold is how many rules or categories of a field of the history are put into words.
const maxRulesTold = 10

// ruleField is a value of discount_rules or category_access in an event, as far as it is told.
type ruleField struct {
	into  *string
	rules []cohort.DiscountRule
	shown []int64 // the categories that are visible
	more  int     // rules or categories that are not told
	plain string  // what it says without rules and categories
}

// tellRules puts the rules and the access of groups in events into words: the stored form is
// for programs.
func (c *call) tellRules(events []auditEvent) error {
	var fields []ruleField
	wanted := map[cohort.RuleType][]int64{}
	for _, e := range events {
		if !slices.Contains(groupKinds, e.Kind) {
			continue
		}
		for i := range e.Fields {
			f := &e.Fields[i]
			for _, value := range []*string{&f.Before, &f.After} {
				if r, ok := readRuleField(f.Name, value); ok {
					fields = append(fields, r)
					wanted[cohort.RuleCategory] = append(wanted[cohort.RuleCategory], r.shown...)
					for _, rule := range r.rules {
						wanted[rule.Type] = append(wanted[rule.Type], rule.TargetID)
					}
				}
			}
		}
	}
	n, err := c.names(c.ctx(), wanted)
	if err != nil {
		return err
	}
	for _, f := range fields {
		*f.into = f.tell(n)
	}
	return nil
}

// accessWords say what a group may see.
var accessWords = map[cohort.AccessType]string{cohort.AccessAll: "all categories", cohort.AccessNone: "no category", cohort.AccessSpecific: "no category"}

// readRuleField reads a value. It reports false for one that is not of rules or access.
func readRuleField(name string, value *string) (f ruleField, ok bool) {
	f.into = value
	switch name {
	case "discount_rules":
		var stored []struct {
			Type   cohort.RuleType
			Target int64
			Method cohort.Method
			Amount decimal.Decimal
		}
		if json.Unmarshal([]byte(*value), &stored) != nil {
			return f, false
		}
		f.plain = "no rules"
		for _, r := range stored[:min(len(stored), maxRulesTold)] {
			f.rules = append(f.rules, cohort.DiscountRule{Type: r.Type, TargetID: r.Target, Method: r.Method, Amount: r.Amount})
		}
		f.more = len(stored) - len(f.rules)
		return f, true
	case "category_access":
		var stored struct {
			Type       cohort.AccessType
			Categories []int64
		}
		if json.Unmarshal([]byte(*value), &stored) != nil {
			return f, false
		}
		f.plain = accessWords[stored.Type]
		f.shown = stored.Categories[:min(len(stored.Categories), maxRulesTold)]
		f.more = len(stored.Categories) - len(f.shown)
		return f, true
	}
	return f, false
}

// tell puts a value into words, a line for each rule or category.
func (f ruleField) tell(n names) string {
	var lines []string
	for _, r := range f.rules {
		lines = append(lines, n.words(r))
	}
	for _, id := range f.shown {
		lines = append(lines, "category "+n.of(cohort.RuleCategory, id))
	}
	if f.more > 0 {
		lines = append(lines, numeral.Plural(int64(f.more), "more", "more"))
	}
	if len(lines) == 0 {
		return f.plain
	}
	return strings.Join(lines, "\n")
}
