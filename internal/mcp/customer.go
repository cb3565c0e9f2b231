package mcp

import (
	"context"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// maxFound is how many customers a search returns.
const maxFound = 10

func memberTools() []tool {
	return []tool{
		define(tool{
			name: "list_members", title: "List the members of a group", operations: []string{"listCustomers"},
			description: "Customers of a group: id, name and e-mail.",
		}, (*caller).listMembers),
		define(tool{
			name: "find_customer", title: "Find a customer", operations: []string{"listCustomersV3"},
			description: "Finds customers by exactly one of id, e-mail and a part of the name. Answers their groups.",
		}, (*caller).findCustomer),
		define(tool{
			name: "move_members", title: "Move customers to a group", operations: []string{"moveMembers"}, writes: true, destructive: true, idempotent: true,
			description: "Moves customers, or all members of from_group, to a group. Call it without confirm first: that changes nothing, and answers who would move, and the value for confirm. Show that to the user. The value is refused when something has changed since.",
		}, (*caller).moveMembers),
	}
}

// customerRow is a customer in answers. Without personal data it has the id only.
type customerRow struct {
	ID      int64  `json:"id"`
	Name    string `json:"name,omitempty"`
	Email   string `json:"email,omitempty"`
	Company string `json:"company,omitempty"`
}

func (c *caller) viewCustomer(customer cohort.Customer) customerRow {
	if c.NoPersonalData {
		return customerRow{ID: customer.ID}
	}
	return customerRow{
		ID: customer.ID, Name: clip(strings.TrimSpace(customer.FirstName+" "+customer.LastName), maxShown), Email: customer.Email,
		Company: clip(customer.Company, maxShown),
	}
}

type listMembersInput struct {
	groupInput
	listInput
}

func (c *caller) listMembers(ctx context.Context, in listMembersInput) (any, error) {
	p, err := in.page()
	if err != nil {
		return nil, err
	}
	g, err := c.group(ctx, "group", in.Group)
	if err != nil {
		return nil, err
	}
	list, err := c.Service.ListCustomers(ctx, c.store.Key, cohort.CustomerFilter{GroupID: &g.ID}, p)
	if err != nil {
		return nil, err
	}
	total, err := c.Service.CountMembers(ctx, c.store.Key, g.ID)
	if err != nil {
		return nil, err
	}
	rows := make([]customerRow, len(list))
	for i, customer := range list {
		rows[i] = c.viewCustomer(customer)
		rows[i].Company = ""
	}
	return newList(in.listInput, rows, total, func(r customerRow) int64 { return r.ID })
}

type findCustomerInput struct {
	ID    positive `json:"id,omitempty"`
	Email string   `json:"email,omitempty"`
	Name  string   `json:"name,omitempty"`
}

// foundCustomer is a customer with its group.
type foundCustomer struct {
	customerRow
	GroupID int64  `json:"group_id"` // 0: none
	Group   string `json:"group,omitempty"`
}

func (c *caller) findCustomer(ctx context.Context, in findCustomerInput) (any, error) {
	var f cohort.CustomerFilter
	given := 0
	if in.ID != 0 {
		f.IDs = []int64{int64(in.ID)}
		given++
	}
	if in.Email != "" {
		f.Emails = []string{in.Email}
		given++
	}
	if in.Name != "" {
		f.NameParts = []string{in.Name}
		given++
	}
	if given != 1 {
		return nil, cohort.Invalid("", "give exactly one of id, email and name")
	}
	var list collected[cohort.CustomerDetail]
	total, err := c.Service.ReadCustomerDetails(ctx, c.store.Key, service.CustomerQuery{CustomerFilter: f}, cohort.Page{Number: 1, Size: maxFound}, &list)
	if err != nil {
		return nil, err
	}
	rows := []foundCustomer{}
	names := map[int64]string{}
	for _, d := range list.rows {
		row := foundCustomer{customerRow: c.viewCustomer(d.Customer), GroupID: d.GroupID}
		if row.Group, err = c.groupName(ctx, names, d.GroupID); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return newList(listInput{}, rows, total, func(r foundCustomer) int64 { return r.ID })
}

// groupName returns the name of a group, shortened; "": there is none. It keeps names that it
// has read.
func (c *caller) groupName(ctx context.Context, names map[int64]string, id int64) (string, error) {
	if id == 0 {
		return "", nil
	}
	if name, ok := names[id]; ok {
		return name, nil
	}
	g, err := c.Service.Group(ctx, c.store.Key, id)
	if missing(err) { // it was deleted in this moment
		err = nil
	}
	names[id] = clip(g.Name, maxShown)
	return names[id], err
}
