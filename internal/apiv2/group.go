package apiv2

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// groupFields has the fields of a body of a group.
var groupFields = api.Fields[cohort.GroupUpdate]{
	"id":                  nil,
	"name":                api.Optional(func(u *cohort.GroupUpdate) **string { return &u.Name }, readText),
	"category_access":     api.Optional(func(u *cohort.GroupUpdate) **cohort.CategoryAccess { return &u.CategoryAccess }, readAccess),
	"discount_rules":      api.Optional(func(u *cohort.GroupUpdate) **[]cohort.DiscountRule { return &u.DiscountRules }, readRules),
	"date_created":        nil,
	"date_modified":       nil,
	"is_group_for_guests": api.Optional(func(u *cohort.GroupUpdate) **bool { return &u.IsGroupForGuests }, texts.ReadBool),
	"is_default":          api.Optional(func(u *cohort.GroupUpdate) **bool { return &u.IsDefault }, texts.ReadBool),
}

var accessFields = api.Fields[cohort.CategoryAccess]{
	"type":       api.Plain(func(a *cohort.CategoryAccess) *cohort.AccessType { return &a.Type }, readWord(cohort.AccessAll, cohort.AccessNone, cohort.AccessSpecific)),
	"categories": api.Plain(func(a *cohort.CategoryAccess) *[]int64 { return &a.Categories }, readCategories),
}

func readAccess(v api.Value) (cohort.CategoryAccess, error) {
	var access cohort.CategoryAccess
	var buf [api.Usual]api.Member
	object, err := readObject(v, buf[:])
	if err != nil {
		return access, err
	}
	required := []string{"type", "categories"}
	if object.Text("type") != string(cohort.AccessSpecific) {
		required = required[:1]
		// With another type the categories are ignored, even if they are invalid.
		object = object.Without("categories")
	}
	if err := decodeObject(object, &access, accessFields, required...); err != nil {
		return access, err
	}
	// The service validates the access too; validated here, its error comes in the
	// order of the fields of the body.
	return access, access.Validate()
}

// readCategories counts the ids as sent, including duplicates, so that it can
// reject a long list before decoding it.
func readCategories(v api.Value) ([]int64, error) {
	var buf [api.Usual]api.Value
	values, err := readArray(v, buf[:], cohort.MaxCategoriesOfGroup)
	if err != nil {
		return nil, err
	}
	if len(values) > cohort.MaxCategoriesOfGroup {
		return nil, cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: make([]int64, len(values))}.Validate()
	}
	return texts.ReadIDs(values)
}

func readRules(v api.Value) ([]cohort.DiscountRule, error) {
	var buf [api.Usual]api.Value
	values, err := readArray(v, buf[:], cohort.MaxRules)
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

var ruleFields = api.Fields[cohort.DiscountRule]{
	"type":          api.Plain(func(r *cohort.DiscountRule) *cohort.RuleType { return &r.Type }, readWord(cohort.RuleAll, cohort.RuleCategory, cohort.RuleProduct, cohort.RulePriceList)),
	"category_id":   api.Plain(ruleTarget, texts.ReadID),
	"product_id":    api.Plain(ruleTarget, texts.ReadID),
	"price_list_id": api.Plain(ruleTarget, texts.ReadID),
	"method":        api.Plain(func(r *cohort.DiscountRule) *cohort.Method { return &r.Method }, readWord(cohort.MethodPercent, cohort.MethodFixed, cohort.MethodPrice)),
	"amount":        api.Plain(func(r *cohort.DiscountRule) *decimal.Decimal { return &r.Amount }, texts.ReadAmount),
}

func ruleTarget(r *cohort.DiscountRule) *int64 { return &r.TargetID }

// ruleFieldsOf has the fields of a rule of each type. All of them are required.
var ruleFieldsOf = map[cohort.RuleType][]string{
	cohort.RuleAll:       {"type", "method", "amount"},
	cohort.RuleCategory:  {"type", "category_id", "method", "amount"},
	cohort.RuleProduct:   {"type", "product_id", "method", "amount"},
	cohort.RulePriceList: {"type", "price_list_id"},
}

func readRule(v api.Value, rule *cohort.DiscountRule) error {
	var buf [api.Usual]api.Member
	object, err := readObject(v, buf[:])
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

// groupFilters has the filters of the list and the count of groups.
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
	r.Unread.ReadQuery() // not when the response is cached
	key := cacheKey{store: r.Store.Key, operation: "list", query: r.URL.RawQuery}
	return h.responses.write(w, r, key, func() (response, error) {
		filter, page, err := decodeQuery(r, groupFilters, defaultLimit)
		if err != nil {
			return response{}, err
		}
		var ids groupIDs
		read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Group]) error {
			ids.Piece = to
			return h.svc.ReadGroups(ctx, r.Store.Key, filter, p, &ids)
		}
		groups, err := api.ReadPage(r, groupList(page, read))
		if err != nil || groups.Count() == 0 {
			return response{}, err
		}
		body, whole := groups.Body()
		if !whole {
			return response{long: groups}, nil
		}
		res := response{document: api.NewUntagged(body)}
		if filter == (cohort.GroupFilter{}) && len(ids.read) == page.Size {
			res.page = ids.read
		}
		return res, nil
	})
}

// groupIDs is a piece that also records the ids of the groups.
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
	r.Unread.ReadQuery() // not when the response is cached
	r.IgnoreParams("page", "limit")
	key := cacheKey{store: r.Store.Key, operation: "count", query: r.URL.RawQuery}
	return h.responses.write(w, r, key, func() (response, error) {
		filter, _, err := decodeQuery(r, groupFilters, defaultLimit)
		if err != nil {
			return response{}, err
		}
		n, err := h.svc.CountGroups(r.Context(), r.Store.Key, filter)
		return response{document: countDocument(n)}, err
	})
}

// getGroup ignores the query string: the reference lists the parameters of the list
// here by mistake, and clients send them.
func (h *handler) getGroup(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	return h.responses.write(w, r, cacheKey{store: r.Store.Key, group: id}, func() (response, error) {
		g, err := h.svc.Group(r.Context(), r.Store.Key, id)
		if err != nil {
			return response{}, err
		}
		return response{document: groupDocument(g)}, nil
	})
}

func (h *handler) createGroup(w http.ResponseWriter, r *api.Request) error {
	body, err := decodeBody(r, groupFields, "name")
	if err != nil {
		return err
	}
	g, err := h.svc.CreateGroup(r.Context(), r.Store.Key, body.Apply(cohort.Group{}))
	created := func(w http.ResponseWriter) error {
		setGroupLocation(w, r, g)
		return writeGroup(w, g)
	}
	if err != nil {
		r.Settled = created
		return sitewideFailed(w, r, g, err, "created")
	}
	return created(w)
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
	on, err := groupCondition(r)
	if err != nil {
		return err
	}
	g, err := h.svc.UpdateGroup(r.Context(), r.Store.Key, id, body, on...)
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
	on, err := groupCondition(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteGroup(r.Context(), r.Store.Key, id, on...); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// groupCondition returns the condition of the If-Match header, if there is one. Its tags are
// those of getGroup.
func groupCondition(r *api.Request) ([]service.GroupCondition, error) {
	c, err := r.IfMatch()
	if c == nil || err != nil {
		return nil, err
	}
	return []service.GroupCondition{func(g cohort.Group) error {
		if c.Holds(appendGroup(make([]byte, 0, usualGroup), g)) {
			return nil
		}
		return &api.HTTPError{Status: http.StatusPreconditionFailed, Message: "The customer group has changed since your If-Match. Get it again before you retry."}
	}}, nil
}

// setGroupLocation sets the Location of a group.
func setGroupLocation(w http.ResponseWriter, r *api.Request, g cohort.Group) {
	setLocation(w, r, "/customer_groups/"+strconv.FormatInt(g.ID, 10))
}

// sitewideFailed gives a KindPartial error the message of V2, and sets the Location,
// because the body of a 207 does not name the group. It returns other errors as they
// are. done is "created" or "updated".
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
