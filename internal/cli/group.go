package cli

import (
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type groupCommands struct {
	List   groupList   `cmd:"" help:"List the customer groups of a store, with the number of members of each."`
	Move   groupMove   `cmd:"" help:"Move customers to a group."`
	Delete groupDelete `cmd:"" help:"Delete a group, and move its members."`
	Clone  groupClone  `cmd:"" help:"Copy a group with its rules and price lists, without members."`

	History groupHistory `cmd:"" help:"List the events of a group."`
	Member  groupMember  `cmd:"" help:"Show in which group a customer was at a time, and who moved her."`
}

type groupList struct {
	Store string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	jsonFlag
	dbFlag
}

// groupJSON is a customer group as --json prints it.
type groupJSON struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Members  int64  `json:"members"`
	Default  bool   `json:"default"`
	Guests   bool   `json:"guests"`
	Rules    int    `json:"rules"`    // how many discount rules it has
	Modified string `json:"modified"` // RFC 3339, UTC
}

// groupsAtATime bounds how many groups are read into memory at once.
const groupsAtATime = 1000

// Run prints the groups, sorted by id.
func (c *groupList) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		l := c.newListing(in, "ID", "NAME", "MEMBERS", "DEFAULT", "GUESTS", "RULES", "MODIFIED")
		for page := (cohort.Page{Number: 1, Size: groupsAtATime}); ; page.Number++ {
			groups, err := svc.ListGroupMembers(in.ctx, st.Key, cohort.GroupFilter{}, page)
			if err != nil {
				return err
			}
			for _, g := range groups {
				rules, modified := len(g.DiscountRules), dateText(g.DateModified)
				err := l.add(groupJSON{g.ID, g.Name, g.Members, g.IsDefault, g.IsGroupForGuests, rules, modified},
					idText(g.ID), g.Name, idText(g.Members), yes(g.IsDefault), yes(g.IsGroupForGuests), strconv.Itoa(rules), modified)
				if err != nil {
					return err
				}
			}
			if len(groups) < page.Size {
				return l.end()
			}
		}
	})
}
