package console

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
)

// assignmentLine is an assignment with its names.
type assignmentLine struct {
	cohort.PriceListAssignment
	Group, Channel string
	Members        int64 // of the group
}

// fillAssignments reads for whom the list is.
func (c *call) fillAssignments(p *priceListPage) (err error) {
	p.Assignments, p.More, err = c.assignments(p, cohort.AssignmentFilter{PriceListIDs: []int64{p.List.ID}})
	return err
}

// assignments reads assignments with their names.
func (c *call) assignments(p *priceListPage, f cohort.AssignmentFilter) (lines []assignmentLine, more bool, err error) {
	var found rows[cohort.PriceListAssignment]
	total, err := c.Service.ReadAssignments(c.ctx(), c.store.Key, f, cohort.Page{Number: 1, Size: pageSize}, &found)
	if err != nil {
		return nil, false, err
	}
	names := map[string]string{}
	for _, ch := range p.Channels {
		names[ch.Value] = ch.Text
	}
	for _, a := range found.list {
		line := assignmentLine{PriceListAssignment: a, Group: "all shoppers", Channel: "all channels"}
		if a.ChannelID != 0 {
			line.Channel = strings.TrimSpace(fmt.Sprintf("%s (%d)", names[fmt.Sprint(a.ChannelID)], a.ChannelID))
		}
		if a.GroupID != 0 {
			if err := c.nameGroup(&line); err != nil {
				return nil, false, err
			}
		}
		lines = append(lines, line)
	}
	return lines, total > int64(len(lines)), nil
}

// nameGroup gives an assignment the name and the members of its group.
func (c *call) nameGroup(line *assignmentLine) error {
	g, err := c.Service.Group(c.ctx(), c.store.Key, line.GroupID)
	if cohort.KindOf(err) == cohort.KindNotFound {
		g.Name, err = fmt.Sprintf("group %d, which does not exist", line.GroupID), nil
	}
	if err != nil {
		return err
	}
	line.Group = g.Name
	line.Members, err = c.Service.CountMembers(c.ctx(), c.store.Key, line.GroupID)
	return err
}

// whose says whose prices an assignment decides.
func (l assignmentLine) whose() string {
	if l.GroupID == 0 {
		return fmt.Sprintf("Shoppers in %s get other prices from now on.", l.Channel)
	}
	return fmt.Sprintf("%s of the group %s in %s get other prices from now on.", numeral.Plural(l.Members, "member", "members"), l.Group, l.Channel)
}

// assignPriceList assigns the list to a group in a channel; 0 stands for all.
func (c *call) assignPriceList() error {
	l, err := c.priceList()
	if err != nil {
		return err
	}
	group, err1 := strconv.ParseInt(c.form.Get("group"), 10, 64)
	channel, err2 := strconv.ParseInt(c.form.Get("channel"), 10, 64)
	if err1 != nil || err2 != nil {
		return &statusError{400, "The form does not say for whom the list is."}
	}
	err = c.Service.CreateAssignments(c.because(), c.store.Key, []cohort.PriceListAssignment{{PriceListID: l.ID, GroupID: group, ChannelID: channel}})
	if err == nil {
		return c.sayAndGo(c.listPath(l.ID), "The list was assigned.")
	}
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
		err = items[0]
	}
	wrong, status, err := refused(err)
	if err != nil {
		return err
	}
	return c.renderPriceList(status, priceListPage{Problem: wrong, Chosen: c.form})
}

// unassignPriceList asks, with the number of members, again if that has changed, and then ends
// an assignment.
func (c *call) unassignPriceList() error {
	l, err := c.priceList()
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(c.form.Get("assignment"), 10, 64)
	if err != nil {
		return &statusError{400, "The form names no assignment."}
	}
	p := priceListPage{List: l}
	if err := c.fillTargets(&p); err != nil {
		return err
	}
	one := cohort.AssignmentFilter{IDs: []int64{id}, PriceListIDs: []int64{l.ID}}
	found, _, err := c.assignments(&p, one)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return c.sayAndGo(c.listPath(l.ID), "The assignment has ended already.")
	}
	if members := fmt.Sprint(found[0].Members); c.form.Get("members") != members {
		return c.confirm(confirmation{
			Title: "End the assignment to " + found[0].Group, Section: "pricelists", Button: "End the assignment", Back: c.listPath(l.ID),
			Text: []string{found[0].whose()}, Action: c.r.URL.Path, Fields: url.Values{"assignment": {fmt.Sprint(id)}, "members": {members}},
		})
	}
	if err := c.Service.DeleteAssignments(c.because(), c.store.Key, one); err != nil {
		return err
	}
	return c.sayAndGo(c.listPath(l.ID), "The assignment was ended.")
}
