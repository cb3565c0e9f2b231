package cli

import (
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type groupCommands struct {
	List groupList `cmd:"" help:"List a store's customer groups and how many members each has."`
}

type groupList struct {
	Store string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	dbFlag
}

// groupsAtATime bounds what is in memory for a long list.
const groupsAtATime = 1000

// Run prints a table of the groups.
func (c *groupList) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		t := newTable(in, "ID", "NAME", "MEMBERS", "DEFAULT", "GUESTS", "RULES", "MODIFIED")
		for page := (cohort.Page{Number: 1, Size: groupsAtATime}); ; page.Number++ {
			groups, err := svc.ListGroupMembers(in.ctx, st.Key, cohort.GroupFilter{}, page)
			if err != nil {
				return err
			}
			for _, g := range groups {
				t.row(strconv.FormatInt(g.ID, 10), g.Name, strconv.FormatInt(g.Members, 10),
					yes(g.IsDefault), yes(g.IsGroupForGuests), strconv.Itoa(len(g.DiscountRules)), dateText(g.DateModified))
			}
			if len(groups) < page.Size {
				return t.Flush()
			}
		}
	})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
