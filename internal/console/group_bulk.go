package console

import (
	"fmt"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

func groupBulkRoutes() []route {
	return []route{
		{method: "POST", path: "stores/{hash}/groups/{id}/clone", handle: (*call).cloneGroup},
		{method: "POST", path: "stores/{hash}/groups/{id}/delete", handle: (*call).deleteGroup},
	}
}

// cloneGroup copies a group with its rules and price lists, without members.
func (c *call) cloneGroup() error {
	g, err := c.group()
	if err != nil {
		return err
	}
	clone, err := c.Service.CloneGroup(c.because(), c.store.Key, g.ID, strings.TrimSpace(c.form.Get("name")), false)
	if err == nil {
		return c.sayAndGo(c.groupPath(clone.ID), fmt.Sprintf("This is the copy of group %d. It has no members yet.", g.ID))
	}
	p, status, err := refused(err)
	if err != nil {
		return err
	}
	return c.renderGroup(status, groupPage{Group: g, Form: formOf(g), Problem: &problem{Text: "The group was not copied. " + p.Text}})
}

// deletePage asks what happens to the members of a group that is deleted.
type deletePage struct {
	Group   cohort.Group
	Members int64
	Sample  []cohort.Customer
	Default *cohort.Group  // nil: the store has none, or it is this one
	Groups  []cohort.Group // that the members may move to
	HasMore bool           // there are more groups than that
	Problem *problem
	To      string
}

// maxTargets bounds the groups that a form offers to move members to.
const maxTargets = 200

// deleteGroup asks with the number of members, again if it has changed, and then deletes the
// group.
func (c *call) deleteGroup() error {
	g, err := c.group()
	if err != nil {
		return err
	}
	expected, err := strconv.ParseInt(c.form.Get("members"), 10, 64)
	if err != nil {
		return c.askDelete(0, g, nil)
	}
	d := service.GroupDeletion{Confirmation: service.Confirmation{Expected: &expected}}
	if to := c.form.Get("to"); to != "" {
		id, err := strconv.ParseInt(to, 10, 64)
		if err != nil {
			return &statusError{400, "The form names no group."}
		}
		d.ReassignTo = &id
	}
	if _, err = c.Service.DeleteGroupSafely(c.because(), c.store.Key, g.ID, d); err == nil {
		return c.sayAndGo(c.path("groups"), fmt.Sprintf("Group %d, %s, was deleted.", g.ID, g.Name))
	}
	p, status, err := refused(err)
	if err != nil {
		return err
	}
	return c.askDelete(status, g, p)
}

func (c *call) askDelete(status int, g cohort.Group, wrong *problem) error {
	members, err := c.Service.DeleteGroupSafely(c.ctx(), c.store.Key, g.ID, service.GroupDeletion{Confirmation: service.Confirmation{DryRun: true}})
	if err != nil {
		return err
	}
	p := deletePage{Group: g, Members: members.Count, Sample: members.Sample, Problem: wrong, To: c.form.Get("to")}
	yes := true
	defaults, err := c.Service.ListGroups(c.ctx(), c.store.Key, cohort.GroupFilter{IsDefault: &yes}, cohort.Page{Number: 1, Size: 1})
	if err != nil {
		return err
	}
	if len(defaults) > 0 && defaults[0].ID != g.ID {
		p.Default = &defaults[0]
	}
	groups, err := c.Service.ListGroups(c.ctx(), c.store.Key, cohort.GroupFilter{}, cohort.Page{Number: 1, Size: maxTargets + 1})
	if err != nil {
		return err
	}
	p.HasMore = len(groups) > maxTargets
	for _, other := range groups[:min(len(groups), maxTargets)] {
		if other.ID != g.ID {
			p.Groups = append(p.Groups, other)
		}
	}
	return c.render(page{name: "group_delete", section: "groups", status: status, title: "Delete group " + g.Name, body: p, same: []example{
		{"Command line", fmt.Sprintf("cohort group delete --store %[1]s %[2]d --dry-run\ncohort group delete --store %[1]s %[2]d --reassign-to 0 --expect %[3]d", c.store.Hash, g.ID, p.Members)},
		{"curl", fmt.Sprintf("curl -X POST -H \"X-Auth-Token: $TOKEN\" -H 'Content-Type: application/json' \\\n  -d '{\"reassign_to\":0,\"expected\":%d}' \\\n  %s/stores/%s/cohort/v1/groups/%d/delete",
			p.Members, c.APIURL, c.store.Hash, g.ID)},
	}})
}
