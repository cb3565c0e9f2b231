package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
)

// Group is a customer group.
type Group struct {
	ID               int64          `json:"id"`
	Name             string         `json:"name"`
	CategoryAccess   CategoryAccess `json:"category_access"`
	DiscountRules    []DiscountRule `json:"discount_rules"`
	DateCreated      Time           `json:"date_created"`
	DateModified     Time           `json:"date_modified"`
	IsGroupForGuests bool           `json:"is_group_for_guests"`
	IsDefault        bool           `json:"is_default"`
}

// CategoryAccess says what a group sees of the catalog.
type CategoryAccess struct {
	// Type is "all", "none" or "specific".
	Type string `json:"type"`
	// Categories are ids, if the type is "specific".
	Categories []int64 `json:"categories,omitempty"`
}

// The types of category access.
const (
	AccessAll      = "all"
	AccessNone     = "none"
	AccessSpecific = "specific"
)

// UnmarshalJSON accepts ids as numbers and as strings.
func (a *CategoryAccess) UnmarshalJSON(text []byte) error {
	var wire struct {
		Type       string    `json:"type"`
		Categories []looseID `json:"categories"`
	}
	if err := json.Unmarshal(text, &wire); err != nil {
		return err
	}
	*a = CategoryAccess{Type: wire.Type}
	for _, id := range wire.Categories {
		a.Categories = append(a.Categories, int64(id))
	}
	return nil
}

// DiscountRule is what the members of a group pay differently, and for what. A rule has
// the fields of its type only:
//
//	{Type: RuleAll, Method: MethodPercent, Amount: …}
//	{Type: RuleCategory, CategoryID: 18, Method: MethodPrice, Amount: …}
//	{Type: RuleProduct, ProductID: 7, Method: MethodFixed, Amount: …}
//	{Type: RulePriceList, PriceListID: 5}
type DiscountRule struct {
	Type        string
	CategoryID  int64
	ProductID   int64
	PriceListID int64
	// Method is "percent" (off), "price" (money off) or "fixed" (the final price).
	Method string
	Amount Amount
}

// The types and methods of discount rules.
const (
	RuleAll       = "all"
	RuleCategory  = "category"
	RuleProduct   = "product"
	RulePriceList = "price_list"

	MethodPercent = "percent"
	MethodPrice   = "price"
	MethodFixed   = "fixed"
)

// ruleWire is a rule in JSON. The order of the fields is that of the vendor.
type ruleWire struct {
	Type        string  `json:"type"`
	CategoryID  looseID `json:"category_id,omitempty"`
	ProductID   looseID `json:"product_id,omitempty"`
	PriceListID looseID `json:"price_list_id,omitempty"`
	Method      string  `json:"method,omitempty"`
	Amount      *Amount `json:"amount,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (r DiscountRule) MarshalJSON() ([]byte, error) {
	w := ruleWire{r.Type, looseID(r.CategoryID), looseID(r.ProductID), looseID(r.PriceListID), r.Method, nil}
	if r.Type != RulePriceList {
		w.Amount = &r.Amount
	}
	return json.Marshal(w)
}

// UnmarshalJSON implements [json.Unmarshaler]. It accepts ids and amounts as numbers and as
// strings.
func (r *DiscountRule) UnmarshalJSON(text []byte) error {
	var w ruleWire
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*r = DiscountRule{Type: w.Type, CategoryID: int64(w.CategoryID), ProductID: int64(w.ProductID), PriceListID: int64(w.PriceListID), Method: w.Method}
	if w.Amount != nil {
		r.Amount = *w.Amount
	}
	return nil
}

// GroupUpdate has the fields of a group to set. Absent fields stay as they are, and have
// their defaults in a new group.
type GroupUpdate struct {
	Name Opt[string] `json:"name,omitzero"`
	// CategoryAccess is replaced as a whole.
	CategoryAccess Opt[CategoryAccess] `json:"category_access,omitzero"`
	// DiscountRules are replaced as a whole; Set([]DiscountRule{}) removes them.
	DiscountRules    Opt[[]DiscountRule] `json:"discount_rules,omitzero"`
	IsGroupForGuests Opt[bool]           `json:"is_group_for_guests,omitzero"`
	IsDefault        Opt[bool]           `json:"is_default,omitzero"`
}

// GroupFilter selects groups. All fields that are set must match.
type GroupFilter struct {
	// Name is the whole name, with its case; NameLike is a part of it, in any case.
	Name             Opt[string] `query:"name"`
	NameLike         string      `query:"name:like"`
	IsDefault        Opt[bool]   `query:"is_default"`
	IsGroupForGuests Opt[bool]   `query:"is_group_for_guests"`
	Created          TimeRange   `query:"date_created"`
	Modified         TimeRange   `query:"date_modified"`
}

// GroupService has the operations on customer groups, of V2.
type GroupService struct{ service }

const groupsPath = "/v2/customer_groups"

func groupPath(id int64) string { return fmt.Sprintf("%s/%d", groupsPath, id) }

// List returns a page of groups in the order of their ids. A page past the end is empty.
func (s *GroupService) List(ctx context.Context, f GroupFilter, p Page) ([]Group, error) {
	q, err := listQuery(f, p)
	if err != nil {
		return nil, err
	}
	return listV2[Group](ctx, s.c, request{method: http.MethodGet, path: groupsPath, query: q, gate: gateListGroups})
}

// All yields all groups that match, in the order of their ids, and reads pages as it goes
// on. An error is the last thing that it yields. A group that is deleted meanwhile moves
// those after it, so one of them may be missing; see the documentation of the package.
func (s *GroupService) All(ctx context.Context, f GroupFilter) iter.Seq2[Group, error] {
	q, err := params(f)
	if err != nil {
		return failed[Group](err)
	}
	r := request{method: http.MethodGet, path: groupsPath, query: q, gate: gateListGroups}
	return allV2(ctx, s.c, r, func(g Group) int64 { return g.ID }, nil)
}

// Count returns how many groups match.
func (s *GroupService) Count(ctx context.Context, f GroupFilter) (int, error) {
	q, err := params(f)
	if err != nil {
		return 0, err
	}
	return count(ctx, s.c, request{method: http.MethodGet, path: groupsPath + "/count", query: q})
}

// Get returns a group. [WithResponse] gives its tag, if the server has tags.
func (s *GroupService) Get(ctx context.Context, id int64) (Group, error) {
	return get[Group](ctx, s.c, request{method: http.MethodGet, path: groupPath(id)})
}

// Create creates a group, which needs a name. If the error is a [*PartialError], the group
// exists and is returned; otherwise it was not created.
func (s *GroupService) Create(ctx context.Context, g GroupUpdate) (Group, error) {
	return s.write(ctx, request{method: http.MethodPost, path: groupsPath, body: g, gate: gateCreateGroup, creates: true})
}

// Update changes a group and returns it. If the error is a [*PartialError], the group is
// changed and returned.
func (s *GroupService) Update(ctx context.Context, id int64, g GroupUpdate) (Group, error) {
	return s.write(ctx, request{method: http.MethodPut, path: groupPath(id), body: g})
}

// write sends a change. The response with status 207 has no group, so the group is read.
func (s *GroupService) write(ctx context.Context, r request) (g Group, err error) {
	rep, err := s.c.call(ctx, r)
	if err != nil {
		return g, err
	}
	if rep.status != http.StatusMultiStatus {
		return g, rep.decode(&g)
	}
	partial := &PartialError{RequestID: rep.requestID()}
	var body struct {
		Message string `json:"message"`
	}
	if err := rep.decode(&body); err == nil {
		partial.Message = body.Message
	}
	return s.afterPartial(ctx, r, rep, partial)
}

// afterPartial reads a group that was written with status 207. If it cannot be read, the
// group has only the id.
func (s *GroupService) afterPartial(ctx context.Context, r request, rep *reply, partial *PartialError) (g Group, err error) {
	id := idOfPath(r.path)
	if r.method == http.MethodPost {
		id = idOfPath(rep.header.Get("Location"))
	}
	if id == 0 {
		return g, partial
	}
	stored, err := s.Get(with(ctx, func(s *settings) { s.response = nil }), id)
	if err != nil {
		return Group{ID: id}, partial
	}
	return stored, partial
}

// Delete deletes a group. Its members are in no group then.
func (s *GroupService) Delete(ctx context.Context, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: groupPath(id), gate: gateDeleteGroup})
}
