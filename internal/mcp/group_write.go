package mcp

import (
	"context"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

func groupWriteTools() []tool {
	return []tool{
		define(tool{
			name: "create_group", title: "Create a customer group", operations: []string{"createGroup"}, writes: true,
			description: "Creates a customer group. It has no members. A flag is taken from the group that has it.",
		}, (*caller).createGroup),
		define(tool{
			name: "update_group", title: "Change a customer group", operations: []string{"updateGroup"}, writes: true, idempotent: true,
			description: "Changes the given fields of a customer group. Answers the group before and after. With dry_run it changes nothing, and shows what members would pay for ten products. discount_rules and category_access are replaced as a whole, so read them first.",
		}, (*caller).updateGroup),
		define(tool{
			name: "delete_group", title: "Delete a customer group", operations: []string{"deleteGroupSafely"}, writes: true, destructive: true, idempotent: true,
			description: "Deletes a customer group. Call it without confirm first: that changes nothing, and answers which members lose the group, and the value for confirm. Show that to the user. The value is refused when something has changed since.",
		}, (*caller).deleteGroup),
	}
}

// groupFields are the fields of a group, with the names of the REST API.
type groupFields struct {
	Name             *string      `json:"name,omitempty"`
	CategoryAccess   *accessInput `json:"category_access,omitempty" jsonschema:"what members see of the catalog"`
	DiscountRules    []ruleInput  `json:"discount_rules,omitzero" jsonschema:"a price_list rule must be the only one"`
	IsDefault        *bool        `json:"is_default,omitempty" jsonschema:"new customers join this group"`
	IsGroupForGuests *bool        `json:"is_group_for_guests,omitempty" jsonschema:"visitors who are not signed in count as members"`
}

type accessInput struct {
	Type       string  `json:"type" jsonschema:"all, none or specific"`
	Categories []int64 `json:"categories,omitempty" jsonschema:"ids, with specific"`
}

type ruleInput struct {
	Type        string   `json:"type" jsonschema:"all, category, product or price_list"`
	CategoryID  positive `json:"category_id,omitempty"`
	ProductID   positive `json:"product_id,omitempty"`
	PriceListID positive `json:"price_list_id,omitempty"`
	Method      string   `json:"method,omitempty" jsonschema:"percent: amount is per cent off; price: money off; fixed: the price"`
	Amount      amount   `json:"amount,omitempty"`
}

// update returns the fields as an update.
func (f groupFields) update() (u cohort.GroupUpdate, err error) {
	u = cohort.GroupUpdate{Name: f.Name, IsDefault: f.IsDefault, IsGroupForGuests: f.IsGroupForGuests}
	if a := f.CategoryAccess; a != nil {
		u.CategoryAccess = &cohort.CategoryAccess{Type: cohort.AccessType(a.Type), Categories: a.Categories}
	}
	if f.DiscountRules == nil {
		return u, nil
	}
	rules := []cohort.DiscountRule{}
	for _, in := range f.DiscountRules {
		r, err := in.rule()
		if err != nil {
			return u, err
		}
		rules = append(rules, r)
	}
	u.DiscountRules = &rules
	return u, nil
}

func (in ruleInput) rule() (r cohort.DiscountRule, err error) {
	r = cohort.DiscountRule{Type: cohort.RuleType(in.Type), Method: cohort.Method(in.Method)}
	for field, id := range map[string]positive{"category_id": in.CategoryID, "product_id": in.ProductID, "price_list_id": in.PriceListID} {
		wanted, known := r.Type.TargetField()
		switch {
		case id == 0:
		case known && field != wanted:
			return r, cohort.Invalid(field, "a rule of type "+in.Type+" does not have this field")
		default:
			r.TargetID = int64(id)
		}
	}
	if in.Amount == "" {
		if r.Method != "" {
			return r, cohort.Invalid("amount", "a rule with a method needs an amount")
		}
		return r, nil
	}
	if r.Amount, err = cohort.ParseAmount(string(in.Amount)); err != nil {
		return r, cohort.Invalid("amount", "the amount must be a decimal number")
	}
	return r, nil
}

// writtenGroup is the answer of a tool that writes a group.
type writtenGroup struct {
	Before  *groupView `json:"before,omitempty"`
	After   groupView  `json:"after"`
	DryRun  bool       `json:"dry_run,omitempty"`
	Warning string     `json:"warning,omitempty"`
	// Products says what members pay and see, in a dry run.
	Products []productPreview `json:"products,omitempty"`
}

func (c *caller) createGroup(ctx context.Context, in groupFields) (any, error) {
	u, err := in.update()
	if err != nil {
		return nil, err
	}
	if in.Name == nil {
		return nil, cohort.Invalid("name", "a group needs a name")
	}
	g, err := c.Service.CreateGroup(ctx, c.store.Key, u.Apply(cohort.Group{}))
	warning, err := partial(err)
	if err != nil {
		return nil, err
	}
	return writtenGroup{After: viewGroup(g), Warning: warning}, nil
}

type updateGroupInput struct {
	groupInput
	Changes groupFields `json:"changes"`
	DryRun  bool        `json:"dry_run,omitempty"`
}

func (c *caller) updateGroup(ctx context.Context, in updateGroupInput) (any, error) {
	u, err := in.Changes.update()
	if err != nil {
		return nil, err
	}
	if u.IsEmpty() {
		return nil, cohort.Invalid("changes", "give at least one of name, category_access, discount_rules, is_default and is_group_for_guests")
	}
	before, err := c.group(ctx, "group", in.Group)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return c.previewUpdate(ctx, before, u)
	}
	remember := func(g cohort.Group) error { before = g; return nil }
	after, err := c.Service.UpdateGroup(ctx, c.store.Key, before.ID, u, remember)
	warning, err := partial(err)
	if err != nil {
		return nil, err
	}
	return writtenGroup{Before: new(viewGroup(before)), After: viewGroup(after), Warning: warning}, nil
}

func (c *caller) previewUpdate(ctx context.Context, before cohort.Group, u cohort.GroupUpdate) (any, error) {
	after := u.Apply(before)
	if err := u.Validate(after); err != nil {
		return nil, err
	}
	w := writtenGroup{Before: new(viewGroup(before)), After: viewGroup(after), DryRun: true}
	if !c.allows("explainPrices") {
		w.Warning = "the token lacks the scope to show prices"
		return w, nil
	}
	var err error
	w.Products, err = c.preview(ctx, before.ID, u)
	return w, err
}

type deleteGroupInput struct {
	groupInput
	ReassignTo ref    `json:"reassign_to,omitempty" jsonschema:"group for the members, 0 for none; needed if there are members"`
	Confirm    string `json:"confirm,omitempty"`
}

// affectedAnswer is the answer of a tool that changes members. Without a confirmation it is
// what would happen.
type affectedAnswer struct {
	Done    bool             `json:"done"`
	Members int64            `json:"members"`
	Sample  []affectedMember `json:"sample,omitempty"`
	Note    string           `json:"note,omitempty"`
	Confirm string           `json:"confirm,omitempty"`
}

// affectedMember is a customer without personal data; find_customer has that.
type affectedMember struct {
	ID        int64 `json:"id"`
	FromGroup int64 `json:"from_group"`
}

func newAffected(a service.AffectedMembers) affectedAnswer {
	answer := affectedAnswer{Members: a.Count}
	for _, m := range a.Sample {
		answer.Sample = append(answer.Sample, affectedMember{m.ID, m.GroupID})
	}
	return answer
}

func (c *caller) deleteGroup(ctx context.Context, in deleteGroupInput) (any, error) {
	g, err := c.group(ctx, "group", in.Group)
	if err != nil {
		return nil, err
	}
	d := service.GroupDeletion{Confirmation: service.Confirmation{DryRun: true}}
	if in.ReassignTo != "" {
		to, err := c.groupOrNone(ctx, "reassign_to", in.ReassignTo)
		if err != nil {
			return nil, err
		}
		d.ReassignTo = &to.ID
	}
	members, err := c.Service.DeleteGroupSafely(ctx, c.store.Key, g.ID, d)
	if err != nil {
		return nil, err
	}
	answer := newAffected(members)
	if members.Count > 0 && in.ReassignTo == "" {
		answer.Note = "the group has members: give reassign_to, a group or 0 for none"
		return answer, nil
	}
	confirm := confirmation(members, "delete_group", c.store.Key, g, in.ReassignTo)
	if answer.Confirm, err = checkConfirm(in.Confirm, confirm); err != nil || answer.Confirm != "" {
		return answer, err
	}
	d.Confirmation = service.Confirmation{Expected: &members.Count}
	if members, err = c.Service.DeleteGroupSafely(ctx, c.store.Key, g.ID, d); err != nil {
		return nil, err
	}
	answer.Done, answer.Members = true, members.Count
	return answer, nil
}

// dateText is a time of an answer.
func dateText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
