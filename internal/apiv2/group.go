package apiv2

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// groupWire is a customer group in answers. The order of the fields is the
// vendor's.
type groupWire struct {
	ID               int64      `json:"id"`
	Name             string     `json:"name"`
	CategoryAccess   accessWire `json:"category_access"`
	DiscountRules    []ruleWire `json:"discount_rules"`
	DateCreated      string     `json:"date_created"`
	DateModified     string     `json:"date_modified"`
	IsGroupForGuests bool       `json:"is_group_for_guests"`
	IsDefault        bool       `json:"is_default"`
}

type accessWire struct {
	Type       cohort.AccessType `json:"type"`
	Categories []int64           `json:"categories,omitempty"`
}

type ruleWire struct {
	Type        cohort.RuleType `json:"type"`
	CategoryID  int64           `json:"category_id,omitempty"`
	ProductID   int64           `json:"product_id,omitempty"`
	PriceListID int64           `json:"price_list_id,omitempty"`
	Method      cohort.Method   `json:"method,omitempty"`
	Amount      string          `json:"amount,omitempty"`
}

// Group dates look like "2023-07-17 06:30:41", in UTC.
func groupDate(t time.Time) string { return t.UTC().Format(time.DateTime) }

func groupToWire(g cohort.Group) groupWire {
	rules := make([]ruleWire, len(g.DiscountRules))
	for i, r := range g.DiscountRules {
		rules[i] = ruleToWire(r)
	}
	return groupWire{
		ID:               g.ID,
		Name:             g.Name,
		CategoryAccess:   accessWire(g.CategoryAccess),
		DiscountRules:    rules,
		DateCreated:      groupDate(g.DateCreated),
		DateModified:     groupDate(g.DateModified),
		IsGroupForGuests: g.IsGroupForGuests,
		IsDefault:        g.IsDefault,
	}
}

func ruleToWire(r cohort.DiscountRule) ruleWire {
	w := ruleWire{Type: r.Type, Method: r.Method}
	switch r.Type {
	case cohort.RuleCategory:
		w.CategoryID = r.TargetID
	case cohort.RuleProduct:
		w.ProductID = r.TargetID
	case cohort.RulePriceList:
		w.PriceListID = r.TargetID
		return w
	}
	w.Amount = r.Amount.StringFixed(cohort.AmountScale)
	return w
}

// groupFields is what a body of a group may hold.
var groupFields = fields[cohort.GroupUpdate]{
	"id":                  nil,
	"name":                optional(func(u *cohort.GroupUpdate) **string { return &u.Name }, readText),
	"category_access":     optional(func(u *cohort.GroupUpdate) **cohort.CategoryAccess { return &u.CategoryAccess }, readAccess),
	"discount_rules":      optional(func(u *cohort.GroupUpdate) **[]cohort.DiscountRule { return &u.DiscountRules }, readRules),
	"date_created":        nil,
	"date_modified":       nil,
	"is_group_for_guests": optional(func(u *cohort.GroupUpdate) **bool { return &u.IsGroupForGuests }, readBool),
	"is_default":          optional(func(u *cohort.GroupUpdate) **bool { return &u.IsDefault }, readBool),
}

var accessFields = fields[cohort.CategoryAccess]{
	"type":       plain(func(a *cohort.CategoryAccess) *cohort.AccessType { return &a.Type }, readText),
	"categories": plain(func(a *cohort.CategoryAccess) *[]int64 { return &a.Categories }, readIDs),
}

func readAccess(v api.Value) (cohort.CategoryAccess, error) {
	var access cohort.CategoryAccess
	object, err := readObject(v)
	if err != nil {
		return access, err
	}
	required := []string{"type"}
	if object.Text("type") == string(cohort.AccessSpecific) {
		required = append(required, "categories")
	} else {
		// Categories mean nothing here, whatever they are.
		object = object.Without("categories")
	}
	if err := decodeObject(object, &access, accessFields, required...); err != nil {
		return access, err
	}
	return access, access.Validate()
}

func readRules(v api.Value) ([]cohort.DiscountRule, error) {
	values, err := readArray(v)
	if err != nil {
		return nil, err
	}
	if len(values) > cohort.MaxRules {
		return nil, cohort.Invalid("", fmt.Sprintf("A group has at most %d discount rules.", cohort.MaxRules))
	}
	rules := make([]cohort.DiscountRule, len(values))
	for i, v := range values {
		if rules[i], err = readRule(v); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

var ruleFields = fields[cohort.DiscountRule]{
	"type":          plain(func(r *cohort.DiscountRule) *cohort.RuleType { return &r.Type }, readText),
	"category_id":   plain(ruleTarget, readID),
	"product_id":    plain(ruleTarget, readID),
	"price_list_id": plain(ruleTarget, readID),
	"method":        plain(func(r *cohort.DiscountRule) *cohort.Method { return &r.Method }, readText),
	"amount":        plain(func(r *cohort.DiscountRule) *decimal.Decimal { return &r.Amount }, readAmount),
}

func ruleTarget(r *cohort.DiscountRule) *int64 { return &r.TargetID }

// ruleFieldsOf names the fields that a rule of each type has, and must have.
var ruleFieldsOf = map[cohort.RuleType][]string{
	cohort.RuleAll:       {"type", "method", "amount"},
	cohort.RuleCategory:  {"type", "category_id", "method", "amount"},
	cohort.RuleProduct:   {"type", "product_id", "method", "amount"},
	cohort.RulePriceList: {"type", "price_list_id"},
}

func readRule(v api.Value) (cohort.DiscountRule, error) {
	var rule cohort.DiscountRule
	object, err := readObject(v)
	if err != nil {
		return rule, err
	}
	needs, known := ruleFieldsOf[cohort.RuleType(object.Text("type"))]
	if !known {
		needs = []string{"type"}
	}
	if err := decodeObject(object, &rule, ruleFields, needs...); err != nil {
		return rule, err
	}
	if !known {
		return rule, cohort.Invalid("type", "The type must be all, category, product or price_list.")
	}
	for _, m := range object {
		if !slices.Contains(needs, m.Name) {
			return rule, cohort.Invalid(m.Name, fmt.Sprintf("A rule of type %s does not have this field.", rule.Type))
		}
	}
	return rule, nil
}

// groupFilters is what the list and the count of groups can be filtered by.
var groupFilters = filters[cohort.GroupFilter]{
	"name":                textFilter(func(f *cohort.GroupFilter) **string { return &f.Name }),
	"name:like":           func(f *cohort.GroupFilter, v string) error { f.NameLike = v; return nil },
	"is_default":          boolFilter(func(f *cohort.GroupFilter) **bool { return &f.IsDefault }),
	"is_group_for_guests": boolFilter(func(f *cohort.GroupFilter) **bool { return &f.IsGroupForGuests }),
	"date_created":        dateFilter(groupCreated, onDate),
	"date_created:min":    dateFilter(groupCreated, fromDate),
	"date_created:max":    dateFilter(groupCreated, untilDate),
	"date_modified":       dateFilter(groupModified, onDate),
	"date_modified:min":   dateFilter(groupModified, fromDate),
	"date_modified:max":   dateFilter(groupModified, untilDate),
}

func groupCreated(f *cohort.GroupFilter) *cohort.TimeSpan  { return &f.DateCreated }
func groupModified(f *cohort.GroupFilter) *cohort.TimeSpan { return &f.DateModified }

func (h *handler) listGroups(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeQuery(r, groupFilters, defaultLimit)
	if err != nil {
		return err
	}
	groups, err := h.svc.ListGroups(r.Context(), r.Store.Hash, filter, page)
	if err != nil {
		return err
	}
	return writeList(w, groups, groupToWire)
}

func (h *handler) countGroups(w http.ResponseWriter, r *api.Request) error {
	filter, _, err := decodeQuery(r, groupFilters, defaultLimit)
	if err != nil {
		return err
	}
	n, err := h.svc.CountGroups(r.Context(), r.Store.Hash, filter)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, countWire{n})
}

// getGroup ignores the query: the reference shows list parameters here by
// mistake, and clients send them.
func (h *handler) getGroup(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	g, err := h.svc.Group(r.Context(), r.Store.Hash, id)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, groupToWire(g))
}

func (h *handler) createGroup(w http.ResponseWriter, r *api.Request) error {
	body, err := decodeBody(w, r, groupFields, "name")
	if err != nil {
		return err
	}
	g, err := h.svc.CreateGroup(r.Context(), r.Store.Hash, body.Apply(cohort.Group{}))
	if err != nil {
		return sitewideFailed(w, r, g, err, "created")
	}
	setGroupLocation(w, r, g)
	return api.WriteJSON(w, http.StatusOK, groupToWire(g))
}

func (h *handler) updateGroup(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	body, err := decodeBody(w, r, groupFields)
	if err != nil {
		return err
	}
	g, err := h.svc.UpdateGroup(r.Context(), r.Store.Hash, id, body)
	if err != nil {
		return sitewideFailed(w, r, g, err, "updated")
	}
	return api.WriteJSON(w, http.StatusOK, groupToWire(g))
}

func (h *handler) deleteGroup(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	if err := h.svc.DeleteGroup(r.Context(), r.Store.Hash, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// setGroupLocation names the group that was made or changed.
func setGroupLocation(w http.ResponseWriter, r *api.Request, g cohort.Group) {
	setLocation(w, r, fmt.Sprintf("/customer_groups/%d", g.ID))
}

// sitewideFailed gives a KindPartial error the text that V2 has for it, and
// names the group, which the body of a 207 does not. Other errors pass.
func sitewideFailed(w http.ResponseWriter, r *api.Request, g cohort.Group, err error, done string) error {
	if cohort.KindOf(err) != cohort.KindPartial {
		return err
	}
	setGroupLocation(w, r, g)
	return &cohort.Error{
		Kind:    cohort.KindPartial,
		Message: fmt.Sprintf("The customer group was %s, but the sitewide discount update failed. You may retry the request.", done),
		Err:     err,
	}
}
