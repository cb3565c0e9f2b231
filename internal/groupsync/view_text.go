package groupsync

import (
	"cmp"
	"slices"
	"strings"

	"cohort.example/cohort/client"
)

// shown returns a key as people read it.
func shown(key string) string {
	key = strings.TrimPrefix(key, separator)
	if key == "" {
		return "none"
	}
	key = strings.ReplaceAll(key, separator+separator, ": ")
	return strings.ReplaceAll(key, separator, " / ")
}

// access returns the keys of what a group sees.
func (v *view) access(a client.CategoryAccess) []string {
	if a.Type != client.AccessSpecific {
		return []string{a.Type}
	}
	keys := []string{a.Type}
	for _, id := range a.Categories {
		keys = append(keys, keyOf(v.categories, id))
	}
	slices.Sort(keys[1:])
	return slices.Compact(keys)
}

// accessText is what a group sees, for people.
func (v *view) accessText(a client.CategoryAccess) string {
	keys := v.access(a)
	if len(keys) == 1 {
		return keys[0]
	}
	for i, key := range keys {
		keys[i] = shown(key)
	}
	return strings.Join(keys[1:], ", ")
}

// rules returns the keys of rules. Their order has no meaning.
func (v *view) rules(rules []client.DiscountRule) []string {
	keys := make([]string, len(rules))
	for i, r := range rules {
		keys[i] = v.ruleKey(r)
	}
	slices.Sort(keys)
	return keys
}

// ruleText is a rule for people.
func (v *view) ruleText(r client.DiscountRule) string {
	var what string
	switch r.Type {
	case client.RulePriceList:
		return "price list " + shown(keyOf(v.lists, r.PriceListID))
	case client.RuleCategory:
		what = " on category " + shown(keyOf(v.categories, r.CategoryID))
	case client.RuleProduct:
		what = " on product " + shown(keyOf(v.products, r.ProductID))
	case client.RuleAll:
		what = " on all"
	default:
		what = " on " + r.Type
	}
	switch r.Method {
	case client.MethodPercent:
		return plain(r.Amount) + " % off" + what
	case client.MethodPrice:
		return plain(r.Amount) + " off" + what
	case client.MethodFixed:
		return plain(r.Amount) + what
	}
	return r.Method + " " + plain(r.Amount) + what
}

// rulesText has the rules of a group for people.
func (v *view) rulesText(rules []client.DiscountRule) string {
	var texts []string
	for _, r := range rules {
		texts = append(texts, v.ruleText(r))
	}
	slices.Sort(texts)
	return cmp.Or(strings.Join(texts, "; "), "none")
}
