package console

import (
	"fmt"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

func memberRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/members", handle: (*call).listMembers},
		{method: "POST", path: "stores/{hash}/members/move", handle: (*call).moveMembers},
	}
}

// membersPage is what the list of customers shows.
type membersPage struct {
	Customers []cohort.CustomerDetail
	Groups    []option         // to filter by, and to move to
	Names     map[int64]string // of the groups
	Group     string           // the id of the group that the list is filtered by; "": all
	Search    string
	Members   *int64 // of that group; nil: the list is not filtered by one
	HasMore   bool   // there are more groups than Groups
	pager
}

// listMembers shows the customers of the store, or of a group, by id.
func (c *call) listMembers() error {
	p := membersPage{Group: c.query("group"), Search: c.query("q")}
	if err := c.fillGroups(&p); err != nil {
		return err
	}
	filter, err := c.memberFilter(&p)
	if err != nil {
		return err
	}
	if err := c.readMembers(&p, filter); err != nil {
		return err
	}
	return c.render(page{name: "members", title: "Customers", body: p, same: c.memberExamples(p)})
}

// fillGroups reads the groups of the forms.
func (c *call) fillGroups(p *membersPage) error {
	groups, err := c.Service.ListGroups(c.ctx(), c.store.Key, cohort.GroupFilter{}, cohort.Page{Number: 1, Size: maxTargets + 1})
	if err != nil {
		return err
	}
	p.HasMore, p.Names = len(groups) > maxTargets, map[int64]string{}
	for _, g := range groups[:min(len(groups), maxTargets)] {
		p.Groups = append(p.Groups, option{fmt.Sprint(g.ID), g.Name})
		p.Names[g.ID] = g.Name
	}
	return nil
}

// memberFilter returns the filter of the address: a group, and an id, a whole e-mail address
// or a part of a name.
func (c *call) memberFilter(p *membersPage) (f cohort.CustomerFilter, err error) {
	if p.Group != "" {
		id, err := strconv.ParseInt(p.Group, 10, 64)
		if err != nil || id < 0 {
			return f, &statusError{404, "The store has no such group."}
		}
		f.GroupID = &id
		if id > 0 {
			n, err := c.Service.CountMembers(c.ctx(), c.store.Key, id)
			if err != nil {
				return f, err
			}
			p.Members = &n
		}
	}
	switch id, err := strconv.ParseInt(p.Search, 10, 64); {
	case p.Search == "":
	case err == nil:
		f.IDs = []int64{id}
	case strings.Contains(p.Search, "@"):
		f.Emails = []string{p.Search}
	default:
		f.NameParts = []string{p.Search}
	}
	return f, nil
}

// readMembers reads the rows of a page, and the addresses of those beside it. It does not
// count all customers.
func (c *call) readMembers(p *membersPage, f cohort.CustomerFilter) error {
	at := cohort.Page{Number: 1, Size: pageSize + 1, After: "0"}
	if after := c.query("after"); isNumber(after) {
		at.After = after
	}
	before := c.query("before")
	if isNumber(before) {
		at.After, at.Before = "", before
	}
	var found rows[cohort.CustomerDetail]
	if _, err := c.Service.ReadCustomerDetails(c.ctx(), c.store.Key, service.CustomerQuery{CustomerFilter: f}, at, &found); err != nil {
		return err
	}
	more := len(found.list) > pageSize
	switch p.Customers = found.list; {
	case more && at.Before != "":
		p.Customers = found.list[1:]
	case more:
		p.Customers = found.list[:pageSize]
	}
	if len(p.Customers) == 0 {
		return nil
	}
	first, last := fmt.Sprint(p.Customers[0].ID), fmt.Sprint(p.Customers[len(p.Customers)-1].ID)
	if at.Before != "" && more || at.Before == "" && at.After != "0" {
		p.Prev = c.with("before", first, "after")
	}
	if at.Before != "" || more {
		p.Next = c.with("after", last, "before")
	}
	return nil
}

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 63)
	return err == nil
}

func (c *call) memberExamples(p membersPage) []example {
	query := fmt.Sprintf("limit=%d", pageSize)
	if p.Group != "" {
		query += "&customer_group_id:in=" + p.Group
	}
	return []example{
		{"curl", fmt.Sprintf("curl -H \"X-Auth-Token: $TOKEN\" '%s/stores/%s/v3/customers?%s'", c.APIURL, c.store.Hash, query)},
		{"Command line", fmt.Sprintf("cohort group move --store %s --email ann@example.com --to 1 --dry-run", c.store.Hash)},
	}
}

// GroupName returns the name of a group, or its id if the page does not have the name.
func (p membersPage) GroupName(id int64) string {
	switch name := p.Names[id]; {
	case id == 0:
		return "none"
	case name != "":
		return name
	}
	return fmt.Sprintf("group %d", id)
}
