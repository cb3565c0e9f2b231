package console

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// ruleRow is a discount rule in a form, as it was typed.
type ruleRow struct {
	Type, Target, Method, Amount string
	Name                         string // of the target, if it is known
}

// groupForm is what was typed about a group.
type groupForm struct {
	Name            string
	Default, Guests bool
	Access          cohort.AccessType
	Categories      []int64
	Others          string // ids of categories that the form has no boxes for
	Rules           []ruleRow
	Seen            string // the version of the group that the form shows
}

// versionOf identifies the content of a group.
func versionOf(g cohort.Group) string {
	text, err := json.Marshal(g)
	if err != nil {
		panic(err) // a group has nothing that JSON cannot have
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// formOf returns the form of a group as it is.
func formOf(g cohort.Group) groupForm {
	f := groupForm{
		Name: g.Name, Default: g.IsDefault, Guests: g.IsGroupForGuests, Access: g.CategoryAccess.Type, Categories: g.CategoryAccess.Categories, Seen: versionOf(g),
	}
	for _, r := range g.DiscountRules {
		row := ruleRow{Type: string(r.Type), Method: string(r.Method)}
		if r.TargetID != 0 {
			row.Target = fmt.Sprint(r.TargetID)
		}
		if r.Method != "" {
			row.Amount = r.Amount.String()
		}
		f.Rules = append(f.Rules, row)
	}
	return f
}

// readGroupForm returns what a form sends, also if it is wrong.
func readGroupForm(v url.Values) groupForm {
	f := groupForm{
		Name: v.Get("name"), Default: v.Has("is_default"), Guests: v.Has("guests"), Access: cohort.AccessType(v.Get("access")),
		Others: v.Get("categories"), Seen: v.Get("seen"),
	}
	for _, text := range v["category"] {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil {
			f.Categories = append(f.Categories, id)
		}
	}
	at := func(name string, i int) string {
		if list := v[name]; i < len(list) {
			return strings.TrimSpace(list[i])
		}
		return ""
	}
	for i := range min(len(v["rule_type"]), cohort.MaxRules+1) {
		f.Rules = append(f.Rules, ruleRow{Type: at("rule_type", i), Target: at("rule_target", i), Method: at("rule_method", i), Amount: at("rule_amount", i)})
	}
	return f
}

// update returns the group that the form asks for. Its errors name a rule by its place.
func (f groupForm) update() (u cohort.GroupUpdate, err error) {
	access := cohort.CategoryAccess{Type: f.Access}
	if f.Access == cohort.AccessSpecific {
		others, err := ids(f.Others)
		if err != nil {
			return u, cohort.Invalid("categories", err.Error())
		}
		access.Categories = append(slices.Clone(f.Categories), others...)
	}
	rules := []cohort.DiscountRule{}
	for i, row := range f.Rules {
		r, err := row.rule()
		if err == nil {
			err = cohort.ValidateRules([]cohort.DiscountRule{r})
		}
		if err != nil {
			_, text := explain(err)
			return u, cohort.Invalid("rules", fmt.Sprintf("Rule %d: %s", i+1, text))
		}
		rules = append(rules, r)
	}
	name := strings.TrimSpace(f.Name)
	return cohort.GroupUpdate{Name: &name, CategoryAccess: &access, DiscountRules: &rules, IsDefault: &f.Default, IsGroupForGuests: &f.Guests}, nil
}

// rule returns the rule of a row.
func (r ruleRow) rule() (rule cohort.DiscountRule, err error) {
	rule.Type = cohort.RuleType(r.Type)
	if rule.Type != cohort.RuleAll {
		if rule.TargetID, err = strconv.ParseInt(r.Target, 10, 64); err != nil {
			return rule, cohort.Invalid("target", "It needs the id of what it is about.")
		}
	}
	if rule.Type == cohort.RulePriceList {
		return rule, nil
	}
	rule.Method = cohort.Method(r.Method)
	if rule.Amount, err = cohort.ParseAmount(r.Amount); err != nil {
		return rule, cohort.Invalid("amount", "Its amount must be a number, such as 5 or 2.50.")
	}
	return rule, nil
}

// ids reads ids that are separated by commas or space.
func ids(text string) (list []int64, err error) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }) {
		id, err := strconv.ParseInt(word, 10, 64)
		if err != nil || id < 1 {
			return nil, fmt.Errorf("%q is not an id", word)
		}
		list = append(list, id)
	}
	return list, nil
}

// ruleTypes are what rules can be about.
func ruleTypes() []option {
	return []option{
		{string(cohort.RuleAll), "everything"}, {string(cohort.RuleCategory), "a category"}, {string(cohort.RuleProduct), "a product"},
		{string(cohort.RulePriceList), "prices of a price list"},
	}
}

// ruleMethods are the meanings of the amount of a rule.
func ruleMethods() []option {
	return []option{{string(cohort.MethodPercent), "percent off"}, {string(cohort.MethodPrice), "amount off"}, {string(cohort.MethodFixed), "fixed price"}}
}
