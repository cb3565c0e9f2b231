package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/snippet"
)

func groupEditRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/groups/new", handle: (*call).newGroup},
		{method: "POST", path: "stores/{hash}/groups/new", handle: (*call).createGroup},
		{method: "GET", path: "stores/{hash}/groups/{id}", handle: (*call).showGroup},
		{method: "POST", path: "stores/{hash}/groups/{id}", handle: (*call).updateGroup},
	}
}

// maxIndent is the depth of the tree from which it is indented no further.
const maxIndent = 8

// maxBoxes bounds the categories that a form has boxes for.
const maxBoxes = 500

// groupPage is what the page of a group shows.
type groupPage struct {
	Group   cohort.Group // without an id for a new one
	Members int64
	Form    groupForm
	Problem *problem
	Changed *cohort.Group         // the group as it is now, if it has changed since the form was made
	Preview *service.GroupPreview // nil: none was asked for
	// ChangedRules says what members of Changed pay.
	ChangedRules string
	Tree         []categoryBox
	HasMore      bool // there are more categories than boxes
	Lists        []assignedList
	Action       string
}

// categoryBox is a category in the tree of a form.
type categoryBox struct {
	ID      int64
	Name    string
	Depth   int
	Checked bool
}

// assignedList is a price list that members of the group get.
type assignedList struct {
	cohort.PriceListAssignment
	Name string
}

// errChanged says that a group is no longer as the form shows it.
var errChanged = errors.New("the group has changed")

func (c *call) newGroup() error {
	return c.renderGroup(0, groupPage{Form: groupForm{Access: cohort.AccessAll}})
}

func (c *call) showGroup() error {
	g, err := c.group()
	if err != nil {
		return err
	}
	return c.renderGroup(0, groupPage{Group: g, Form: formOf(g)})
}

// group returns the group of the path.
func (c *call) group() (cohort.Group, error) {
	id, err := c.id()
	if err != nil {
		return cohort.Group{}, err
	}
	return c.Service.Group(c.ctx(), c.store.Key, id)
}

func (c *call) groupPath(id int64) string { return c.path("groups", fmt.Sprint(id)) }

func (c *call) createGroup() error {
	f := readGroupForm(c.form)
	if c.editRules(&f) {
		return c.renderGroup(0, groupPage{Form: f})
	}
	u, err := f.update()
	if err == nil && c.form.Get("do") == "preview" {
		return c.previewGroup(groupPage{Form: f}, u)
	}
	if err == nil {
		var g cohort.Group
		if g, err = c.Service.CreateGroup(c.because(), c.store.Key, u.Apply(cohort.Group{})); err == nil {
			return c.sayAndGo(c.groupPath(g.ID), "The group was created.")
		}
	}
	p, status, err := refused(err)
	if err != nil {
		return err
	}
	return c.renderGroup(status, groupPage{Form: f, Problem: p})
}

// updateGroup saves a group as the form has it, unless it has changed since.
func (c *call) updateGroup() error {
	g, err := c.group()
	if err != nil {
		return err
	}
	f := readGroupForm(c.form)
	if c.editRules(&f) {
		return c.renderGroup(0, groupPage{Group: g, Form: f})
	}
	u, err := f.update()
	if err == nil && c.form.Get("do") == "preview" {
		return c.previewGroup(groupPage{Group: g, Form: f}, u)
	}
	if err == nil {
		_, err = c.Service.UpdateGroup(c.because(), c.store.Key, g.ID, u, func(now cohort.Group) error {
			if versionOf(now) != f.Seen {
				return errChanged
			}
			return nil
		})
	}
	if err == nil {
		return c.sayAndGo(c.groupPath(g.ID), "The group was saved.")
	}
	if errors.Is(err, errChanged) {
		return c.groupHasChanged(g.ID, f)
	}
	p, status, err := refused(err)
	if err != nil {
		return err
	}
	return c.renderGroup(status, groupPage{Group: g, Form: f, Problem: p})
}

// previewGroup shows what some products would cost, and saves nothing.
func (c *call) previewGroup(p groupPage, u cohort.GroupUpdate) error {
	preview, err := c.Service.PreviewGroup(c.ctx(), c.store.Key, p.Group.ID, u)
	if err == nil {
		p.Preview = &preview
		return c.renderGroup(0, p)
	}
	wrong, status, err := refused(err)
	if err != nil {
		return err
	}
	p.Problem = wrong
	return c.renderGroup(status, p)
}

// groupHasChanged shows what was typed beside the group as it is now. Saving again
// overwrites that.
func (c *call) groupHasChanged(id int64, f groupForm) error {
	now, err := c.Service.Group(c.ctx(), c.store.Key, id)
	if err != nil {
		return err
	}
	names, err := c.namesIn(c.ctx(), []cohort.Group{now})
	if err != nil {
		return err
	}
	f.Seen = versionOf(now)
	return c.renderGroup(http.StatusConflict, groupPage{Group: now, Form: f, Changed: &now, ChangedRules: names.summary(now.DiscountRules)})
}

// editRules adds a row of rules or removes one, if a button asks for it.
func (c *call) editRules(f *groupForm) bool {
	do := c.form.Get("do")
	if do == "add" {
		f.Rules = append(f.Rules, ruleRow{Type: string(cohort.RuleCategory), Method: string(cohort.MethodPercent)})
		return true
	}
	text, ok := strings.CutPrefix(do, "remove-")
	i, err := strconv.Atoi(text)
	if ok && err == nil && i >= 0 && i < len(f.Rules) {
		f.Rules = slices.Delete(f.Rules, i, i+1)
	}
	return ok
}

func (c *call) renderGroup(status int, p groupPage) error {
	title := "New group"
	p.Action = c.path("groups", "new")
	if p.Group.ID != 0 {
		title, p.Action = p.Group.Name, c.groupPath(p.Group.ID)
	}
	for _, fill := range []func(*groupPage) error{c.fillTree, c.fillNames, c.fillMembers, c.fillLists} {
		if err := fill(&p); err != nil {
			return err
		}
	}
	return c.render(page{name: "group", status: status, title: title, section: "groups", body: p, same: c.groupExamples(p)})
}

// fillTree makes the boxes of the categories.
func (c *call) fillTree(p *groupPage) error {
	nodes, err := c.Service.AllCategories(c.ctx(), c.store.Key)
	if cohort.KindOf(err) == cohort.KindTooLarge {
		nodes, err, p.HasMore = nil, nil, true
	}
	if err != nil {
		return err
	}
	p.Tree = boxes(nodes, p.Form.Categories)
	if len(p.Tree) > maxBoxes {
		p.Tree, p.HasMore = nil, true
	}
	// What has no box stays in the form as an id.
	shown := map[int64]bool{}
	for _, b := range p.Tree {
		shown[b.ID] = true
	}
	for _, id := range p.Form.Categories {
		if !shown[id] {
			p.Form.Others = strings.TrimSpace(p.Form.Others + " " + fmt.Sprint(id))
		}
	}
	return nil
}

// boxes puts categories into the order of their tree. A category whose parent is not there
// is a root.
func boxes(nodes []cohort.CategoryNode, checked []int64) (list []categoryBox) {
	there, children := map[int64]bool{}, map[int64][]cohort.CategoryNode{}
	for _, n := range nodes {
		there[n.ID] = true
	}
	for _, n := range nodes {
		parent := n.ParentID
		if !there[parent] {
			parent = 0
		}
		children[parent] = append(children[parent], n)
	}
	var add func(parent int64, depth int)
	add = func(parent int64, depth int) {
		for _, n := range children[parent] {
			list = append(list, categoryBox{ID: n.ID, Name: n.Name, Depth: min(depth, maxIndent), Checked: slices.Contains(checked, n.ID)})
			if depth < cohort.MaxCategoryDepth {
				add(n.ID, depth+1)
			}
		}
	}
	add(0, 0)
	return list
}

// fillNames gives the rules the names of their targets.
func (c *call) fillNames(p *groupPage) error {
	wanted := map[cohort.RuleType][]int64{}
	for _, r := range p.Form.Rules {
		if id, err := strconv.ParseInt(r.Target, 10, 64); err == nil && id > 0 {
			wanted[cohort.RuleType(r.Type)] = append(wanted[cohort.RuleType(r.Type)], id)
		}
	}
	n, err := c.names(c.ctx(), wanted)
	if err != nil {
		return err
	}
	for i, r := range p.Form.Rules {
		id, _ := strconv.ParseInt(r.Target, 10, 64) // without an id, there is no name
		p.Form.Rules[i].Name = map[string]string{"category": n.categories[id], "product": n.products[id], "price_list": n.lists[id]}[r.Type]
	}
	return nil
}

func (c *call) fillMembers(p *groupPage) (err error) {
	if p.Group.ID == 0 {
		return nil
	}
	p.Members, err = c.Service.CountMembers(c.ctx(), c.store.Key, p.Group.ID)
	return err
}

// fillLists reads the price lists of the group.
func (c *call) fillLists(p *groupPage) error {
	if p.Group.ID == 0 {
		return nil
	}
	var found rows[cohort.PriceListAssignment]
	_, err := c.Service.ReadAssignments(c.ctx(), c.store.Key, cohort.AssignmentFilter{GroupIDs: []int64{p.Group.ID}}, cohort.Page{Number: 1, Size: pageSize}, &found)
	if err != nil {
		return err
	}
	wanted := map[cohort.RuleType][]int64{}
	for _, a := range found.list {
		wanted[cohort.RulePriceList] = append(wanted[cohort.RulePriceList], a.PriceListID)
	}
	n, err := c.names(c.ctx(), wanted)
	for _, a := range found.list {
		p.Lists = append(p.Lists, assignedList{a, n.lists[a.PriceListID]})
	}
	return err
}

// groupExamples shows the request that makes the group as the form has it.
func (c *call) groupExamples(p groupPage) []example {
	curl := func(method, path, body string) example {
		return example{"curl", fmt.Sprintf("curl -X %s -H \"X-Auth-Token: $TOKEN\" -H 'Content-Type: application/json' \\\n  -d %s \\\n  %s/stores/%s/v2/customer_groups%s",
			method, snippet.Word(body), c.APIURL, c.store.Hash, path)}
	}
	body := groupBody(p.Form)
	if p.Group.ID == 0 {
		return []example{curl("POST", "", body)}
	}
	id := fmt.Sprint(p.Group.ID)
	return []example{curl("PUT", "/"+id, body), {"Command line", fmt.Sprintf(
		"cohort group history --store %[1]s %[2]s\ncohort group clone --store %[1]s %[2]s --name %[3]s\ncohort group delete --store %[1]s %[2]s --dry-run",
		c.store.Hash, id, snippet.Word("Copy of "+p.Group.Name))}}
}

// groupBody returns the body of the API for a form, as far as the form is right.
func groupBody(f groupForm) string {
	u, err := f.update()
	if err != nil {
		return `{"name":"…"}`
	}
	type rule map[string]any
	body := struct {
		Name    string         `json:"name"`
		Default bool           `json:"is_default"`
		Guests  bool           `json:"is_group_for_guests"`
		Access  map[string]any `json:"category_access"`
		Rules   []rule         `json:"discount_rules"`
	}{*u.Name, f.Default, f.Guests, map[string]any{"type": u.CategoryAccess.Type}, []rule{}}
	if u.CategoryAccess.Type == cohort.AccessSpecific {
		body.Access["categories"] = u.CategoryAccess.Categories
	}
	for _, r := range *u.DiscountRules {
		one := rule{"type": r.Type}
		if field, _ := r.Type.TargetField(); field != "" {
			one[field] = r.TargetID
		}
		if r.Method != "" {
			one["method"], one["amount"] = r.Method, json.Number(r.Amount.String())
		}
		body.Rules = append(body.Rules, one)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return `{"name":"…"}`
	}
	return string(text)
}
