package console

import (
	"fmt"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

func customerRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/customers/{id}", handle: (*call).showCustomer},
		{method: "POST", path: "stores/{hash}/customers/{id}/group", handle: (*call).moveCustomer},
	}
}

// customerPage is what the page of a customer shows.
type customerPage struct {
	cohort.CustomerDetail
	Group      *cohort.Group // nil: none
	Attributes []namedValue
	Segments   []cohort.Segment
	Groups     membersPage // to move to
	Problem    *problem
}

// namedValue is a value with the name of its attribute.
type namedValue struct{ Name, Value string }

// showCustomer shows a customer with all that belongs to her.
func (c *call) showCustomer() error { return c.renderCustomer(0, nil) }

func (c *call) renderCustomer(status int, wrong *problem) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	p := customerPage{Problem: wrong}
	if p.CustomerDetail, err = c.customerWithParts(id); err != nil {
		return err
	}
	if p.GroupID != 0 {
		g, err := c.Service.Group(c.ctx(), c.store.Key, p.GroupID)
		if err != nil {
			return err
		}
		p.Group = &g
	}
	if p.Attributes, err = c.namedValues(p.AttributeValues); err != nil {
		return err
	}
	if p.ShopperProfileID != "" {
		var found rows[cohort.Segment]
		if _, err := c.Service.ReadSegmentsOfProfile(c.ctx(), c.store.Key, p.ShopperProfileID, cohort.Page{Number: 1, Size: pageSize}, &found); err != nil {
			return err
		}
		p.Segments = found.list
	}
	if err := c.fillGroups(&p.Groups); err != nil {
		return err
	}
	return c.render(page{name: "customer", section: "members", status: status, title: p.FirstName + " " + p.LastName, body: p, same: []example{
		{"curl", fmt.Sprintf("curl -H \"X-Auth-Token: $TOKEN\" '%s/stores/%s/v3/customers?id:in=%d&include=addresses,attributes,formfields'", c.APIURL, c.store.Hash, id)},
		{"Command line", fmt.Sprintf("cohort group member --store %[1]s %[2]d\ncohort group move --store %[1]s --customer %[2]d --to 1 --dry-run", c.store.Hash, id)},
	}})
}

// customerWithParts reads a customer, or returns KindNotFound.
func (c *call) customerWithParts(id int64) (cohort.CustomerDetail, error) {
	q := service.CustomerQuery{
		CustomerFilter: cohort.CustomerFilter{IDs: []int64{id}},
		Parts:          service.CustomerParts{Addresses: true, Attributes: true, FormFields: true, ShopperProfile: true},
	}
	var found rows[cohort.CustomerDetail]
	if _, err := c.Service.ReadCustomerDetails(c.ctx(), c.store.Key, q, cohort.Page{Number: 1, Size: 1}, &found); err != nil {
		return cohort.CustomerDetail{}, err
	}
	if len(found.list) == 0 {
		return cohort.CustomerDetail{}, cohort.NotFound(fmt.Sprintf("customer %d", id))
	}
	return found.list[0], nil
}

// namedValues gives values the names of their attributes.
func (c *call) namedValues(values []cohort.AttributeValue) (list []namedValue, err error) {
	if len(values) == 0 {
		return nil, nil
	}
	var found rows[cohort.Attribute]
	if _, err := c.Service.ReadAttributes(c.ctx(), c.store.Key, cohort.AttributeFilter{}, cohort.Page{Number: 1, Size: cohort.MaxAttributes}, &found); err != nil {
		return nil, err
	}
	names := map[int64]string{}
	for _, a := range found.list {
		names[a.ID] = a.Name
	}
	for _, v := range values {
		list = append(list, namedValue{names[v.AttributeID], v.Value})
	}
	return list, nil
}

// moveCustomer moves the customer to another group, if she is still in the group that the
// page has shown.
func (c *call) moveCustomer() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	to, err := strconv.ParseInt(c.form.Get("to"), 10, 64)
	if err != nil || to < 0 {
		return c.renderCustomer(422, &problem{Text: "Choose the group that the customer moves to."})
	}
	customer, err := c.customerWithParts(id)
	if err != nil {
		return err
	}
	if seen := c.form.Get("seen"); seen != fmt.Sprint(customer.GroupID) {
		return c.renderCustomer(409, &problem{Text: "Another operator or a client has moved the customer meanwhile. Check the group below, and move her again if you still want to."})
	}
	one := int64(1)
	if customer.GroupID == to {
		one = 0
	}
	moved, err := c.Service.MoveMembers(c.because(), c.store.Key, service.MemberMove{IDs: []int64{id}, GroupID: to, Confirmation: service.Confirmation{Expected: &one}})
	if err != nil {
		wrong, status, err := refused(err)
		if err != nil {
			return err
		}
		return c.renderCustomer(status, wrong)
	}
	said := "The customer was moved."
	if moved.Count == 0 {
		said = "The customer is in this group already."
	}
	return c.sayAndGo(c.path("customers", fmt.Sprint(id)), said)
}
