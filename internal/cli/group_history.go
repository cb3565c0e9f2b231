package cli

import (
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type groupHistory struct {
	ID      int64  `arg:"" name:"id" help:"The id of the group, also of a deleted one."`
	Store   string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	Members bool   `help:"List the events of its members too."`
	jsonFlag
	dbFlag
}

// Run prints the events of the group, by number.
func (c *groupHistory) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		l := c.newListing(in, "NUMBER", "DATE", "TYPE", "GROUP", "CUSTOMER", "ACTOR", "CHANGES")
		of, f := cohort.EventSubject{GroupID: c.ID, WithoutMembers: !c.Members}, cohort.EventFilter{}
		for more := true; more; {
			page, _, err := svc.History(in.ctx, st.Key, of, f, service.MaxEvents)
			if err != nil {
				return err
			}
			for _, e := range page.Events {
				if err := l.add(api.NewEvent(e), eventCells(e)...); err != nil {
					return err
				}
			}
			f.After, more = page.Next, page.More
		}
		return l.end()
	})
}

type groupMember struct {
	ID    int64  `arg:"" name:"customer" help:"The id of the customer."`
	Store string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	AsOf  string `placeholder:"TIME" help:"The time, such as 2026-11-03T00:00:00Z (now)."`
	JSON  bool   `name:"json" help:"Print a JSON object instead of a table."`
	dbFlag
}

// membershipJSON is a membership as --json prints it.
type membershipJSON struct {
	CustomerID int64      `json:"customer_id"`
	GroupID    *int64     `json:"customer_group_id"` // null: none
	Event      *api.Event `json:"event"`             // null: older than the events
	KnownSince time.Time  `json:"known_since"`
}

// Run prints in which group the customer was, and who moved her.
func (c *groupMember) Run(in *invocation) error {
	at, err := readPastTime(c.AsOf)
	if err != nil {
		return err
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		if at.IsZero() {
			at = svc.Now(st.Key)
		}
		m, err := svc.Membership(in.ctx, st.Key, c.ID, at)
		if err != nil {
			return err
		}
		return c.print(in, m)
	})
}

// readPastTime reads the flag --as-of; "" is the zero time.
func readPastTime(text string) (at time.Time, err error) {
	if text == "" {
		return at, nil
	}
	if at, err = time.Parse(time.RFC3339, text); err != nil {
		return at, usageError("--as-of is a time such as 2026-11-03T00:00:00Z")
	}
	return at.UTC(), nil
}

func (c *groupMember) print(in *invocation, m cohort.Membership) error {
	j := membershipJSON{CustomerID: m.CustomerID, KnownSince: m.Since}
	if m.GroupID != 0 {
		j.GroupID = &m.GroupID
	}
	if m.Change != nil {
		j.Event = new(api.NewEvent(*m.Change))
	}
	if c.JSON {
		return printJSON(in, j)
	}
	t := newTable(in, "CUSTOMER", idText(m.CustomerID))
	group := "none"
	if m.GroupID != 0 {
		group = idText(m.GroupID)
	}
	t.row("GROUP", group)
	since, actor, reason := "before "+dateText(m.Since), "", ""
	if m.Change != nil {
		cells := eventCells(*m.Change)
		since, actor, reason = cells[1], cells[5], m.Change.Reason
	}
	t.row("SINCE", since)
	t.row("ACTOR", actor)
	t.row("REASON", reason)
	return t.Flush()
}
