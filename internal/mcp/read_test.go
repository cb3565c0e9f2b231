package mcp_test

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/mcp"

	"github.com/shopspring/decimal"
)

func TestReadGroups(t *testing.T) {
	eachOwner(t, mcp.Options{}, func(t *testing.T, f *fixture, c client) {
		c.want(t, "list_groups", nil, `"total":3`, `{"id":1,"name":"Retail","members":0,"is_default":true,"is_group_for_guests":true,"access":"all","rules":"none"}`,
			`{"id":2,"name":"Wholesale","members":2,"access":"all","rules":"10 % off everything"}`)
		c.want(t, "list_groups", args{"name_contains": "SALE"}, `"total":1`, "Wholesale")
		first := c.want(t, "list_groups", args{"limit": 2}, `"total":3`, "Wholesale")
		if strings.Contains(first, "Staff") {
			t.Errorf("two rows: %s", first)
		}
		rest := c.want(t, "list_groups", args{"limit": 2, "cursor": field(t, first, "next_cursor")}, `"total":3`, "Staff")
		if strings.Contains(rest, "next_cursor") || strings.Contains(rest, "Retail") {
			t.Errorf("the last page: %s", rest)
		}
		for _, group := range []any{2, "2", "Wholesale", " Wholesale "} {
			c.want(t, "get_group", args{"group": group}, `"id":2`, `"members":2`, `"discount_rules":[{"type":"all","method":"percent","amount":"10"}]`, `"price_lists":[]`)
		}
		c.refuses(t, "get_group", args{"group": "Wholesal"}, `group: group "Wholesal" not found; near: Wholesale (2)`)
		c.refuses(t, "get_group", args{"group": "Wholsale"}, "near: Wholesale (2)")
		c.refuses(t, "get_group", args{"group": 99}, `"99" not found`)
		c.refuses(t, "get_group", args{"grup": "Retail"}, "grup")
		c.refuses(t, "list_groups", args{"limit": 51}, "limit")
		c.refuses(t, "list_groups", args{"cursor": "x"}, "cursor: Send next_cursor")
	})
}

func TestCustomers(t *testing.T) {
	eachOwner(t, mcp.Options{}, func(t *testing.T, f *fixture, c client) {
		c.want(t, "list_members", args{"group": "Wholesale"}, `{"rows":[{"id":1,"name":"Ann Lee","email":"ann@example.com"},{"id":2,"name":"Bob Ray","email":"bob@example.com"}],"total":2}`)
		page := c.want(t, "list_members", args{"group": 2, "limit": 1}, `"next_cursor":"1"`)
		c.want(t, "list_members", args{"group": 2, "cursor": field(t, page, "next_cursor")}, "Bob")
		c.want(t, "find_customer", args{"email": "ANN@example.com"}, `"id":1`, `"group_id":2,"group":"Wholesale"`, `"total":1`)
		c.want(t, "find_customer", args{"id": 3}, `"name":"Cleo Annis"`, `"group":"Staff"`)
		c.want(t, "find_customer", args{"name": "ann"}, `"total":2`, "Ann Lee", "Cleo Annis")
		c.want(t, "find_customer", args{"email": "nobody@example.com"}, `"rows":[],"total":0`)
		c.refuses(t, "find_customer", args{"email": "a@example.com", "id": 1}, "exactly one of id, email and name")
	})
}

func TestPrices(t *testing.T) {
	eachOwner(t, mcp.Options{}, func(t *testing.T, f *fixture, c client) {
		c.want(t, "explain_price", args{"customer": "ann@example.com", "product": "Linen shirt"}, `"price":"26.96 USD"`, `customer 1 in the group \"Wholesale\" (2)`,
			"rule for everything: 10 % off 29.95", "catalog price", `"why_group":"The customer is in this group."`)
		c.want(t, "explain_price", args{"group": "Staff", "sku": "LINEN", "quantity": 3}, `"price":"14.98 USD"`, `"total":"44.94 USD"`)
		c.want(t, "explain_price", args{"guest": true, "product": 1}, `"price":"29.95 USD"`, "The shopper is a guest")
		c.want(t, "explain_price", args{"group": 0, "product": 1}, `"price":"29.95 USD"`, "in no group")
		c.refuses(t, "explain_price", args{"product": 1}, "exactly one of customer, group and guest")
		c.refuses(t, "explain_price", args{"guest": true}, "give either product or sku")
		c.refuses(t, "explain_price", args{"guest": true, "sku": "NONE"}, `no variant has the SKU "NONE"`)
		c.refuses(t, "explain_price", args{"guest": true, "product": "Linen"}, "near: Linen shirt (1)")
		c.refuses(t, "explain_price", args{"customer": "Ann", "product": 1}, "find_customer")
		c.refuses(t, "explain_price", args{"customer": 77, "product": 1}, "There is no customer 77")
		c.refuses(t, "explain_price", args{"guest": true, "product": 1, "currency": "EUR"}, "no price in EUR")
		c.want(t, "compare_prices", args{"products": []any{1, "Hat"}, "group_a": 0, "group_b": "Staff"},
			`{"id":1,"name":"Linen shirt","price_a":"29.95","price_b":"14.98","b_minus_a":"-14.97"}`, `{"id":2,"name":"Hat","price_a":"10","price_b":"5","b_minus_a":"-5"}`)
		c.refuses(t, "compare_prices", args{"products": []any{}, "group_a": 0, "group_b": 1}, "give 1 to 10 products")
		c.want(t, "check_access", args{"customer": 3, "product": "Hat"}, `"sees":false`, "Staff")
		c.want(t, "check_access", args{"guest": true, "product": "Hat"}, `"sees":true`)
		c.want(t, "check_access", args{"group": "Staff", "category": 7}, `"sees":false`)
		c.refuses(t, "check_access", args{"group": "Staff", "category": "Shoes"}, `category "Shoes" not found`)
		c.refuses(t, "check_access", args{"group": "Staff"}, "give either product or category")
	})
}

func TestPriceLists(t *testing.T) {
	eachOwner(t, mcp.Options{}, func(t *testing.T, f *fixture, c client) {
		f.group(t, cohort.Group{Name: "Dealers", DiscountRules: []cohort.DiscountRule{{Type: cohort.RulePriceList, TargetID: 1}}})
		c.want(t, "list_price_lists", nil, `{"rows":[{"id":1,"name":"Dealers 2026","active":true}],"total":1}`)
		c.want(t, "get_price_list", args{"price_list": "Dealers 2026"}, `"assignments":[{"price_list_id":1,"price_list":"Dealers 2026","group_id":4}]`, `"records_in_all":1`, `"currency":"USD","price":"7"`)
		c.refuses(t, "get_price_list", args{"price_list": "Dealers"}, "near: Dealers 2026 (1)")
		c.want(t, "get_group", args{"group": "Dealers"}, `"price_list_id":1`, `"price_lists":[{"price_list_id":1,"price_list":"Dealers 2026","group_id":4}]`)
	})
}

func TestSearchDocs(t *testing.T) {
	eachOwner(t, mcp.Options{}, func(t *testing.T, f *fixture, c client) {
		for query, page := range map[string]string{
			"bulk tier quantity price computation": "prices.md", "webhook signature": "webhooks.md", "X-Rate-Limit-Requests-Left": "wire.md",
			"fault rules commit_then": "testing.md", "set up Claude": "mcp.md",
		} {
			if answer := c.want(t, "search_docs", args{"query": query}, page); len(answer) > maxAnswer {
				t.Errorf("%s: %d bytes", query, len(answer))
			}
		}
		c.want(t, "search_docs", args{"query": "qqqqq"}, `"rows":[],"total":0`)
		c.refuses(t, "search_docs", args{"query": "?"}, "query: give a few words")
	})
}

// maxAnswer is the most that an answer may have, in bytes: 4 000 tokens.
const maxAnswer = 16_000

// Every answer about the largest resources has a bound, and lists go on after it.
func TestAnswersAreBounded(t *testing.T) {
	eachOwner(t, mcp.Options{AllowWrites: true}, func(t *testing.T, f *fixture, c client) {
		long := strings.Repeat("<", cohort.MaxNameLength-4) // which JSON escapes
		rules := []cohort.DiscountRule{}
		categories := make([]int64, cohort.MaxCategoriesOfGroup)
		for i := range categories {
			categories[i] = int64(1e15) + int64(i)
			rules = append(rules, cohort.DiscountRule{Type: cohort.RuleCategory, TargetID: categories[i], Method: cohort.MethodFixed, Amount: decimal.New(1, 0)})
		}
		for i := range 60 {
			f.group(t, cohort.Group{
				Name: fmt.Sprintf("%s%d", long, 100+i), DiscountRules: rules, CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: categories},
			})
		}
		for i := range 12 {
			name := fmt.Sprintf("%s%d", long[:240], i)
			must[cohort.Product](t)(f.svc.CreateProduct(t.Context(), f.store.Key, cohort.Product{Name: name, Type: cohort.ProductPhysical, SKU: fmt.Sprint(i)}))
		}
		seen, cursor := 0, ""
		for more := true; more; {
			a := args{"limit": 50}
			if cursor != "" {
				a["cursor"] = cursor
			}
			answer := c.ask(t, "list_groups", a)
			seen += strings.Count(answer, `"members"`)
			if more = strings.Contains(answer, "next_cursor"); more {
				cursor = field(t, answer, "next_cursor").(string)
			}
			wantBounded(t, answer)
		}
		if seen != 63 {
			t.Errorf("the pages have %d groups of 63", seen)
		}
		wantBounded(t, c.want(t, "get_group", args{"group": 20}, `"discount_rules_in_all":1000`, `"categories_in_all":1000`))
		wantBounded(t, c.ask(t, "update_group", args{"group": 20, "dry_run": true, "changes": args{"is_default": true}}))
		wantBounded(t, c.ask(t, "compare_prices", args{"products": []any{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, "group_a": 20, "group_b": 21}))
		wantBounded(t, c.ask(t, "explain_price", args{"product": 3, "group": 20}))
		text, _ := c.call(t, "get_group", args{"group": "<<"})
		wantBounded(t, text)
	})
}

func wantBounded(t *testing.T, answer string) {
	t.Helper()
	if len(answer) > maxAnswer {
		t.Errorf("an answer of %d bytes: %.200s", len(answer), answer)
	}
}

func TestNoPersonalData(t *testing.T) {
	eachOwner(t, mcp.Options{NoPersonalData: true, AllowWrites: true}, func(t *testing.T, f *fixture, c client) {
		answers := c.want(t, "list_members", args{"group": 2}, `{"rows":[{"id":1},{"id":2}],"total":2}`) +
			c.want(t, "find_customer", args{"email": "ann@example.com"}, `{"rows":[{"id":1,"group_id":2,"group":"Wholesale"}],"total":1}`) +
			c.ask(t, "explain_price", args{"customer": "ann@example.com", "product": 1}) +
			c.ask(t, "move_members", args{"from_group": 2, "to_group": 1}) +
			c.ask(t, "delete_group", args{"group": 2, "reassign_to": 0})
		for _, secret := range []string{"ann@", "bob@", "Ann", "Lee"} {
			if strings.Contains(answers, secret) {
				t.Errorf("the answers have %s: %s", secret, answers)
			}
		}
	})
}
