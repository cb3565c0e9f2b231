package console

import (
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

func groupRoutes() []route {
	return []route{{method: "GET", path: "stores/{hash}/groups", handle: (*call).listGroups}}
}

// groupsPage is what the list of groups shows.
type groupsPage struct {
	Groups []groupRow
	Total  int64
	Like   string // the part of the name that the list is filtered by
	pager
}

// groupRow is a group in the list.
type groupRow struct {
	service.GroupMembers
	Rules string // in words
}

// listGroups shows the groups of the store, by id.
func (c *call) listGroups() error {
	p := groupsPage{Like: c.query("name")}
	filter := cohort.GroupFilter{NameLike: p.Like}
	groups, err := c.Service.ListGroupMembers(c.ctx(), c.store.Key, filter, cohort.Page{Number: c.number(), Size: pageSize})
	if err != nil {
		return err
	}
	if p.Total, err = c.Service.CountGroups(c.ctx(), c.store.Key, filter); err != nil {
		return err
	}
	plain := make([]cohort.Group, len(groups))
	for i, g := range groups {
		plain[i] = g.Group
	}
	names, err := c.namesIn(c.ctx(), plain)
	if err != nil {
		return err
	}
	for _, g := range groups {
		p.Groups = append(p.Groups, groupRow{g, names.summary(g.DiscountRules)})
	}
	p.pager = c.pagesOf(p.Total)
	return c.render(page{name: "groups", title: "Groups", body: p, same: []example{
		{"curl", fmt.Sprintf("curl -H \"X-Auth-Token: $TOKEN\" '%s/stores/%s/v2/customer_groups?limit=%d'", c.APIURL, c.store.Hash, pageSize)},
		{"Command line", "cohort group list --store " + c.store.Hash},
	}})
}
