package apiv3

import (
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

var groupDeletionFields = confirmationFields(api.Fields[service.GroupDeletion]{
	"reassign_to": optional(func(d *service.GroupDeletion) **int64 { return &d.ReassignTo }, texts.ReadIDOrNone),
}, func(d *service.GroupDeletion) *service.Confirmation { return &d.Confirmation })

func (h *handler) deleteGroupSafely(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	deletion, err := decodeBody(r, groupDeletionFields)
	if err != nil {
		return err
	}
	members, err := h.svc.DeleteGroupSafely(r.Context(), r.Store.Key, id, deletion)
	if err != nil {
		return err
	}
	return writeSingle(w, affectedToWire(deletion.DryRun, members))
}

// groupClone is the body of a clone.
type groupClone struct {
	name   string
	dryRun bool
}

var groupCloneFields = api.Fields[groupClone]{
	"name":    api.Plain(func(c *groupClone) *string { return &c.name }, readText[string]),
	"dry_run": nullable(func(c *groupClone) *bool { return &c.dryRun }, texts.ReadBool),
}

// clonedGroupWire is a new group. Figures are numbers, as in other responses of this
// dialect. The id and the dates are null in a dry run.
type clonedGroupWire struct {
	DryRun           bool                  `json:"dry_run"`
	ID               *int64                `json:"id"`
	Name             string                `json:"name"`
	CategoryAccess   categoryAccessOfGroup `json:"category_access"`
	DiscountRules    []groupRuleWire       `json:"discount_rules"`
	Assignments      []clonedAssignment    `json:"price_list_assignments"`
	IsDefault        bool                  `json:"is_default"`
	IsGroupForGuests bool                  `json:"is_group_for_guests"`
	DateCreated      *string               `json:"date_created"`
	DateModified     *string               `json:"date_modified"`
}

type categoryAccessOfGroup struct {
	Type       cohort.AccessType `json:"type"`
	Categories []int64           `json:"categories,omitempty"`
}

// groupRuleWire is a discount rule. A price_list rule has neither method nor amount.
type groupRuleWire struct {
	Type        cohort.RuleType `json:"type"`
	CategoryID  int64           `json:"category_id,omitempty"`
	ProductID   int64           `json:"product_id,omitempty"`
	PriceListID int64           `json:"price_list_id,omitempty"`
	Method      cohort.Method   `json:"method,omitempty"`
	Amount      *amount         `json:"amount,omitempty"`
}

type clonedAssignment struct {
	PriceListID int64  `json:"price_list_id"`
	ChannelID   *int64 `json:"channel_id"` // null: every channel
}

func (h *handler) cloneGroup(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	body, err := decodeBody(r, groupCloneFields, "name")
	if err != nil {
		return err
	}
	clone, err := h.svc.CloneGroup(r.Context(), r.Store.Key, id, body.name, body.dryRun)
	if err != nil {
		return err
	}
	return writeSingle(w, clonedGroupToWire(body.dryRun, clone))
}

func clonedGroupToWire(dryRun bool, g service.ClonedGroup) clonedGroupWire {
	w := clonedGroupWire{
		DryRun: dryRun, Name: g.Name, CategoryAccess: categoryAccessOfGroup(g.CategoryAccess),
		DiscountRules: allToWire(g.DiscountRules, groupRuleToWire), Assignments: allToWire(g.Assignments, clonedAssignmentToWire),
		IsDefault: g.IsDefault, IsGroupForGuests: g.IsGroupForGuests,
	}
	if !dryRun {
		w.ID, w.DateCreated, w.DateModified = &g.ID, new(dateText(g.DateCreated)), new(dateText(g.DateModified))
	}
	return w
}

func groupRuleToWire(r cohort.DiscountRule) groupRuleWire {
	w := groupRuleWire{Type: r.Type, Method: r.Method, Amount: new(amount(r.Amount))}
	switch r.Type {
	case cohort.RuleCategory:
		w.CategoryID = r.TargetID
	case cohort.RuleProduct:
		w.ProductID = r.TargetID
	case cohort.RulePriceList:
		w.PriceListID, w.Amount = r.TargetID, nil
	case cohort.RuleAll: // without a target
	}
	return w
}

func clonedAssignmentToWire(a cohort.PriceListAssignment) clonedAssignment {
	w := clonedAssignment{PriceListID: a.PriceListID}
	if a.ChannelID != 0 {
		w.ChannelID = &a.ChannelID
	}
	return w
}
