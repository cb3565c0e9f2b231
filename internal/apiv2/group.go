package apiv2

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

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
	"type":       plain(func(a *cohort.CategoryAccess) *cohort.AccessType { return &a.Type }, readWord(cohort.AccessAll, cohort.AccessNone, cohort.AccessSpecific)),
	"categories": plain(func(a *cohort.CategoryAccess) *[]int64 { return &a.Categories }, readCategories),
}

func readAccess(v api.Value) (cohort.CategoryAccess, error) {
	var access cohort.CategoryAccess
	var room [api.Usual]api.Member
	object, err := readObject(v, room[:])
	if err != nil {
		return access, err
	}
	required := []string{"type", "categories"}
	if object.Text("type") != string(cohort.AccessSpecific) {
		required = required[:1]
		// Categories mean nothing here, whatever they are.
		object = object.Without("categories")
	}
	if err := decodeObject(object, &access, accessFields, required...); err != nil {
		return access, err
	}
	return access, access.Validate()
}

// readCategories counts the ids as they were sent, repeats included, so that a long
// list is refused before it is decoded.
func readCategories(v api.Value) ([]int64, error) {
	var room [api.Usual]api.Value
	values, err := readArray(v, room[:], cohort.MaxCategoriesOfGroup)
	if err != nil {
		return nil, err
	}
	if len(values) > cohort.MaxCategoriesOfGroup {
		return nil, cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: make([]int64, len(values))}.Validate()
	}
	return readIDs(values)
}

func readRules(v api.Value) ([]cohort.DiscountRule, error) {
	var room [api.Usual]api.Value
	values, err := readArray(v, room[:], cohort.MaxRules)
	if err != nil {
		return nil, err
	}
	if len(values) > cohort.MaxRules {
		return nil, cohort.Invalid("", fmt.Sprintf("A group has at most %d discount rules.", cohort.MaxRules))
	}
	rules := make([]cohort.DiscountRule, len(values))
	for i, v := range values {
		if err := readRule(v, &rules[i]); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

var ruleFields = fields[cohort.DiscountRule]{
	"type":          plain(func(r *cohort.DiscountRule) *cohort.RuleType { return &r.Type }, readWord(cohort.RuleAll, cohort.RuleCategory, cohort.RuleProduct, cohort.RulePriceList)),
	"category_id":   plain(ruleTarget, readID),
	"product_id":    plain(ruleTarget, readID),
	"price_list_id": plain(ruleTarget, readID),
	"method":        plain(func(r *cohort.DiscountRule) *cohort.Method { return &r.Method }, readWord(cohort.MethodPercent, cohort.MethodFixed, cohort.MethodPrice)),
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

func readRule(v api.Value, rule *cohort.DiscountRule) error {
	var room [api.Usual]api.Member
	object, err := readObject(v, room[:])
	if err != nil {
		return err
	}
	needs, known := ruleFieldsOf[cohort.RuleType(object.Text("type"))]
	if !known {
		needs = []string{"type"}
	}
	if err := decodeObject(object, rule, ruleFields, needs...); err != nil {
		return err
	}
	if !known {
		return cohort.Invalid("type", "The type must be all, category, product or price_list.")
	}
	for _, m := range object {
		if !slices.Contains(needs, m.Name) {
			return cohort.Invalid(m.Name, fmt.Sprintf("A rule of type %s does not have this field.", rule.Type))
		}
	}
	return nil
}

// groupFilters is what the list and the count of groups can be filtered by.
var groupFilters = filters[cohort.GroupFilter]{
	"name":                api.TextFilter(func(f *cohort.GroupFilter) **string { return &f.Name }),
	"name:like":           func(f *cohort.GroupFilter, v string) error { f.NameLike = v; return nil },
	"is_default":          boolFilter(func(f *cohort.GroupFilter) **bool { return &f.IsDefault }),
	"is_group_for_guests": boolFilter(func(f *cohort.GroupFilter) **bool { return &f.IsGroupForGuests }),
	"date_created":        api.DateFilter(groupCreated, api.OnDate),
	"date_created:min":    api.DateFilter(groupCreated, api.FromDate),
	"date_created:max":    api.DateFilter(groupCreated, api.UntilDate),
	"date_modified":       api.DateFilter(groupModified, api.OnDate),
	"date_modified:min":   api.DateFilter(groupModified, api.FromDate),
	"date_modified:max":   api.DateFilter(groupModified, api.UntilDate),
}

func groupCreated(f *cohort.GroupFilter) *cohort.TimeRange  { return &f.DateCreated }
func groupModified(f *cohort.GroupFilter) *cohort.TimeRange { return &f.DateModified }

func (h *handler) listGroups(w http.ResponseWriter, r *api.Request) error {
	key := answerKey{store: r.Store.Key, what: "list", query: r.URL.RawQuery}
	return h.answers.write(w, r, key, func() (answer, error) {
		filter, page, err := decodeQuery(r, groupFilters, defaultLimit)
		if err != nil {
			return answer{}, err
		}
		var ids groupIDs
		read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Group]) error {
			ids.Piece = to
			return h.svc.ReadGroups(ctx, r.Store.Key, filter, p, &ids)
		}
		groups, err := api.ReadPage(r, groupList(page, read))
		if err != nil || groups.Count() == 0 {
			return answer{}, err
		}
		body, whole := groups.Body()
		if !whole {
			return answer{long: groups}, nil
		}
		a := answer{document: api.NewUntagged(body)}
		if filter == (cohort.GroupFilter{}) && len(ids.read) == page.Size {
			a.page = ids.read
		}
		return a, nil
	})
}

// groupIDs notes which groups are read.
type groupIDs struct {
	*api.Piece[cohort.Group]
	read []int64
}

func (g *groupIDs) Begin() {
	g.read = nil
	g.Piece.Begin()
}

func (g *groupIDs) Add(row cohort.Group) bool {
	g.read = append(g.read, row.ID)
	return g.Piece.Add(row)
}

func (h *handler) countGroups(w http.ResponseWriter, r *api.Request) error {
	key := answerKey{store: r.Store.Key, what: "count", query: r.URL.RawQuery}
	return h.answers.write(w, r, key, func() (answer, error) {
		filter, _, err := decodeQuery(r, groupFilters, defaultLimit)
		if err != nil {
			return answer{}, err
		}
		n, err := h.svc.CountGroups(r.Context(), r.Store.Key, filter)
		return answer{document: countDocument(n)}, err
	})
}

// getGroup ignores the query: the reference shows list parameters here by
// mistake, and clients send them.
func (h *handler) getGroup(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	return h.answers.write(w, r, answerKey{store: r.Store.Key, group: id}, func() (answer, error) {
		g, err := h.svc.Group(r.Context(), r.Store.Key, id)
		if err != nil {
			return answer{}, err
		}
		return answer{document: groupDocument(g)}, nil
	})
}

func (h *handler) createGroup(w http.ResponseWriter, r *api.Request) error {
	body, err := decodeBody(r, groupFields, "name")
	if err != nil {
		return err
	}
	g, err := h.svc.CreateGroup(r.Context(), r.Store.Key, body.Apply(cohort.Group{}))
	if err != nil {
		return sitewideFailed(w, r, g, err, "created")
	}
	setGroupLocation(w, r, g)
	return writeGroup(w, g)
}

func (h *handler) updateGroup(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	body, err := decodeBody(r, groupFields)
	if err != nil {
		return err
	}
	g, err := h.svc.UpdateGroup(r.Context(), r.Store.Key, id, body)
	if err != nil {
		return sitewideFailed(w, r, g, err, "updated")
	}
	return writeGroup(w, g)
}

func (h *handler) deleteGroup(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	if err := h.svc.DeleteGroup(r.Context(), r.Store.Key, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// setGroupLocation names the group that was made or changed.
func setGroupLocation(w http.ResponseWriter, r *api.Request, g cohort.Group) {
	setLocation(w, r, "/customer_groups/"+strconv.FormatInt(g.ID, 10))
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
