package mcp

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// Bounds of what an answer shows of a group.
const (
	maxShownRules       = 20
	maxRulesInList      = 3
	maxShownCategories  = 100
	maxShownAssignments = 20
)

func groupTools() []tool {
	return []tool{
		define(tool{
			name: "list_groups", title: "List customer groups", operations: []string{"listGroups"},
			description: "Customer groups with their number of members and their discount rules in words.",
		}, (*caller).listGroups),
		define(tool{
			name: "get_group", title: "Show a customer group", operations: []string{"getGroup"},
			description: "All fields of one customer group, its number of members and its price lists.",
		}, (*caller).getGroup),
	}
}

type listGroupsInput struct {
	NameContains string `json:"name_contains,omitempty" jsonschema:"a part of the name, in any case"`
	listInput
}

type groupRow struct {
	ID               int64  `json:"id"`
	Name             string `json:"name"`
	Members          int64  `json:"members"`
	IsDefault        bool   `json:"is_default,omitempty"`
	IsGroupForGuests bool   `json:"is_group_for_guests,omitempty"`
	Access           string `json:"access"`
	Rules            string `json:"rules"`
}

func (c *caller) listGroups(ctx context.Context, in listGroupsInput) (any, error) {
	p, err := in.page()
	if err != nil {
		return nil, err
	}
	f := cohort.GroupFilter{NameLike: in.NameContains}
	list, err := c.Service.ListGroupMembers(ctx, c.store.Key, f, p)
	if err != nil {
		return nil, err
	}
	total, err := c.Service.CountGroups(ctx, c.store.Key, f)
	if err != nil {
		return nil, err
	}
	rows := make([]groupRow, len(list))
	for i, g := range list {
		rows[i] = groupRow{g.ID, g.Name, g.Members, g.IsDefault, g.IsGroupForGuests, accessText(g.CategoryAccess), rulesText(g.DiscountRules)}
	}
	return newList(in.listInput, rows, total, func(r groupRow) int64 { return r.ID })
}

func accessText(a cohort.CategoryAccess) string {
	if a.Type == cohort.AccessSpecific {
		return strconv.Itoa(len(a.Categories)) + " categories"
	}
	return string(a.Type)
}

// rulesText puts the first rules into words.
func rulesText(rules []cohort.DiscountRule) string {
	if len(rules) == 0 {
		return "none"
	}
	var texts []string
	for _, r := range rules[:min(len(rules), maxRulesInList)] {
		texts = append(texts, ruleText(r))
	}
	if more := len(rules) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(texts, "; ")
}

func ruleText(r cohort.DiscountRule) string {
	if r.Type == cohort.RulePriceList {
		return fmt.Sprintf("price list %d", r.TargetID)
	}
	of := "everything"
	if r.Type != cohort.RuleAll {
		of = fmt.Sprintf("%s %d", r.Type, r.TargetID)
	}
	switch r.Method {
	case cohort.MethodPercent:
		return r.Amount.String() + " % off " + of
	case cohort.MethodFixed:
		return of + " at the price " + r.Amount.String()
	case cohort.MethodPrice:
	}
	return r.Amount.String() + " off " + of
}

type groupInput struct {
	Group ref `json:"group" jsonschema:"id or exact name"`
}

func (c *caller) getGroup(ctx context.Context, in groupInput) (any, error) {
	g, err := c.group(ctx, "group", in.Group)
	if err != nil {
		return nil, err
	}
	return c.describeGroup(ctx, g)
}

// groupDetail is a group with what belongs to it.
type groupDetail struct {
	groupView
	Members int64 `json:"members"`
	// PriceLists are the assignments; null if the token may not read them.
	PriceLists []assignmentView `json:"price_lists"`
}

func (c *caller) describeGroup(ctx context.Context, g cohort.Group) (d groupDetail, err error) {
	d.groupView = viewGroup(g)
	if d.Members, err = c.Service.CountMembers(ctx, c.store.Key, g.ID); err != nil || !c.allows("listAssignments") {
		return d, err
	}
	d.PriceLists, _, err = c.assignments(ctx, cohort.AssignmentFilter{GroupIDs: []int64{g.ID}})
	return d, err
}

// groupView is a group in answers, with the names that the fields have in the REST API. A list
// that is too long is cut, and a number says how many elements it has.
type groupView struct {
	ID               int64      `json:"id,omitempty"`
	Name             string     `json:"name"`
	IsDefault        bool       `json:"is_default"`
	IsGroupForGuests bool       `json:"is_group_for_guests"`
	CategoryAccess   accessView `json:"category_access"`
	DiscountRules    []ruleView `json:"discount_rules"`
	RulesInAll       int        `json:"discount_rules_in_all,omitempty"`
	DateCreated      string     `json:"date_created,omitempty"`
	DateModified     string     `json:"date_modified,omitempty"`
}

type accessView struct {
	Type       cohort.AccessType `json:"type"`
	Categories []int64           `json:"categories,omitempty"`
	InAll      int               `json:"categories_in_all,omitempty"`
}

type ruleView struct {
	Type        cohort.RuleType `json:"type"`
	CategoryID  int64           `json:"category_id,omitempty"`
	ProductID   int64           `json:"product_id,omitempty"`
	PriceListID int64           `json:"price_list_id,omitempty"`
	Method      cohort.Method   `json:"method,omitempty"`
	Amount      string          `json:"amount,omitempty"`
}

func viewGroup(g cohort.Group) groupView {
	v := groupView{
		ID: g.ID, Name: g.Name, IsDefault: g.IsDefault, IsGroupForGuests: g.IsGroupForGuests,
		CategoryAccess: accessView{Type: g.CategoryAccess.Type, Categories: g.CategoryAccess.Categories}, DiscountRules: []ruleView{},
	}
	if n := len(v.CategoryAccess.Categories); n > maxShownCategories {
		v.CategoryAccess.Categories, v.CategoryAccess.InAll = v.CategoryAccess.Categories[:maxShownCategories], n
	}
	rules := g.DiscountRules
	if len(rules) > maxShownRules {
		v.RulesInAll, rules = len(rules), rules[:maxShownRules]
	}
	for _, r := range rules {
		v.DiscountRules = append(v.DiscountRules, viewRule(r))
	}
	if !g.DateCreated.IsZero() {
		v.DateCreated, v.DateModified = dateText(g.DateCreated), dateText(g.DateModified)
	}
	return v
}

func viewRule(r cohort.DiscountRule) ruleView {
	v := ruleView{Type: r.Type, Method: r.Method, Amount: r.Amount.String()}
	switch r.Type {
	case cohort.RuleCategory:
		v.CategoryID = r.TargetID
	case cohort.RuleProduct:
		v.ProductID = r.TargetID
	case cohort.RulePriceList:
		v.PriceListID, v.Amount = r.TargetID, ""
	case cohort.RuleAll: // without a target
	}
	return v
}

// productPreview is what a change of a group means for a product.
type productPreview struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Before string `json:"price_before"`
	After  string `json:"price_after"`
	Saw    bool   `json:"sees_before"`
	Sees   bool   `json:"sees_after"`
}

// preview returns what a change of a group means for some products. Group 0 is a new one.
func (c *caller) preview(ctx context.Context, id int64, u cohort.GroupUpdate) (list []productPreview, err error) {
	done, err := c.admit("explainPrices")
	if err != nil {
		return nil, err
	}
	defer done()
	p, err := c.Service.PreviewGroup(ctx, c.store.Key, id, u)
	for _, product := range p.Products {
		text := func(o service.GroupOutcome) string {
			return o.Price.StringFixed(p.Currency.Decimals) + " " + p.Currency.Code
		}
		list = append(list, productPreview{
			product.ID, clip(product.Name, maxShown), text(product.Before), text(product.After), product.Before.Sees, product.After.Sees,
		})
	}
	return list, err
}
