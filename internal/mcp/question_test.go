package mcp_test

import (
	"testing"

	"cohort.example/cohort/internal/mcp"
)

// questions are what people ask, with the tool and the arguments that answer it. They document
// what the tools are for, and each must work.
var questions = []struct {
	question, tool string
	arguments      args
}{
	{"Which groups are there?", "list_groups", args{}},
	{"Is there a group for wholesalers?", "list_groups", args{"name_contains": "whole"}},
	{"What does Wholesale get?", "get_group", args{"group": "Wholesale"}},
	{"Who belongs to Staff?", "list_members", args{"group": "Staff"}},
	{"In which group is ann@example.com?", "find_customer", args{"email": "ann@example.com"}},
	{"Why does Ann pay 26.96 for the linen shirt?", "explain_price", args{"customer": "ann@example.com", "product": "Linen shirt"}},
	{"What do visitors pay for ten HAT?", "explain_price", args{"guest": true, "sku": "HAT", "quantity": 10}},
	{"How much cheaper is Staff than Wholesale?", "compare_prices", args{"products": []string{"Linen shirt", "Hat"}, "group_a": "Wholesale", "group_b": "Staff"}},
	{"Why does Cleo not see the hat?", "check_access", args{"customer": 3, "product": "Hat"}},
	{"What is in the price list for dealers?", "get_price_list", args{"price_list": "Dealers 2026"}},
	{"Is something stuck?", "list_jobs", args{"state": "dead"}},
	{"How do bulk prices work?", "search_docs", args{"query": "bulk tiers quantity"}},
	{"Make a group with 5 % off.", "create_group", args{"name": "Club", "discount_rules": []args{{"type": "all", "method": "percent", "amount": 5}}}},
	{"What would 15 % for Wholesale mean?", "update_group", args{
		"group": "Wholesale", "dry_run": true, "changes": args{"discount_rules": []args{{"type": "all", "method": "percent", "amount": 15}}},
	}},
	{"Move everybody from Wholesale to Retail.", "move_members", args{"from_group": "Wholesale", "to_group": "Retail"}},
	{"Delete Staff.", "delete_group", args{"group": "Staff"}},
}

func TestQuestions(t *testing.T) {
	eachOwner(t, mcp.Options{AllowWrites: true}, func(t *testing.T, f *fixture, c client) {
		for _, q := range questions {
			if text, failed := c.call(t, q.tool, q.arguments); failed || len(text) > maxAnswer {
				t.Errorf("%s %s %v: %s", q.question, q.tool, q.arguments, text)
			}
		}
	})
}
