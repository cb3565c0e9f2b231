package cli

import (
	"encoding/json"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type eventsCommand struct {
	Store string   `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	After int64    `placeholder:"NUMBER" help:"Only events after the one with this number."`
	Type  []string `placeholder:"TYPE" help:"Only events of these types, such as customerGroup.created, with commas between them."`
	jsonFlag
	dbFlag
}

// eventJSON is an event as --json prints it.
type eventJSON struct {
	Number     int64            `json:"number"`
	Type       cohort.EventKind `json:"type"`
	Date       string           `json:"date"`                        // RFC 3339, UTC
	GroupID    int64            `json:"customer_group_id,omitempty"` // 0: none
	CustomerID int64            `json:"customer_id,omitempty"`       // 0: none
	Actor      string           `json:"actor"`
	RequestID  string           `json:"request_id,omitempty"`
	Changes    json.RawMessage  `json:"changes"`
}

// Run prints the events that the store has, by number.
func (c *eventsCommand) Run(in *invocation) error {
	f := cohort.EventFilter{After: c.After}
	if c.After < 0 {
		return usageError("--after is the number of an event, or 0")
	}
	for _, name := range c.Type {
		kind, err := cohort.ParseEventKind(name)
		if err != nil {
			return err
		}
		f.Kinds = append(f.Kinds, kind)
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		l := c.newListing(in, "NUMBER", "DATE", "TYPE", "GROUP", "CUSTOMER", "ACTOR", "CHANGES")
		for more := true; more; {
			page, err := svc.Events(in.ctx, st.Key, f, service.MaxEvents)
			if err != nil {
				return err
			}
			for _, e := range page.Events {
				if err := addEvent(l, e); err != nil {
					return err
				}
			}
			f.After, more = page.Next, page.More
		}
		return l.end()
	})
}

func addEvent(l *listing, e cohort.Event) error {
	date := e.Date.Format(time.RFC3339)
	value := eventJSON{e.Number, e.Kind, date, e.GroupID, e.CustomerID, e.Actor, e.RequestID, e.Changes}
	return l.add(value, idText(e.Number), date, string(e.Kind), idOrEmpty(e.GroupID), idOrEmpty(e.CustomerID), e.Actor, string(e.Changes))
}

// idOrEmpty returns the text of an id, "" for 0.
func idOrEmpty(id int64) string {
	if id == 0 {
		return ""
	}
	return idText(id)
}
