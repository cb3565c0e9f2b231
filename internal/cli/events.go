package cli

import (
	"fmt"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type eventsCommand struct {
	Store  string   `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	After  int64    `placeholder:"NUMBER" help:"Only events after the one with this number."`
	Type   []string `placeholder:"TYPE" help:"Only events of these types, such as customerGroup.created, with commas between them."`
	Follow bool     `short:"f" help:"Print events as they come too, until Ctrl-C."`
	JSON   bool     `name:"json" help:"Print a JSON array instead of a table; with --follow a line for each event."`
	JSONL  bool     `name:"jsonl" help:"Print a line of JSON for each event, for exports of any size."`
	dbFlag
}

// Run prints the events that the store has, by number, and follows it if that is wanted.
func (c *eventsCommand) Run(in *invocation) error {
	f := cohort.EventFilter{After: c.After}
	if c.After < 0 {
		return usageError("--after is the number of an event, or 0")
	}
	if c.JSON && c.JSONL {
		return usageError("--json and --jsonl do not go together")
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
		if c.Follow {
			return c.follow(in, svc, st.Key, f)
		}
		return c.list(in, svc, st.Key, f)
	})
}

func (c *eventsCommand) list(in *invocation, svc *service.Service, storeKey string, f cohort.EventFilter) error {
	if c.JSONL {
		_, err := eachEvent(in, svc, storeKey, f, func(e cohort.Event) error { return printJSON(in, api.NewEvent(e)) })
		return err
	}
	l := jsonFlag{c.JSON}.newListing(in, "NUMBER", "DATE", "TYPE", "GROUP", "CUSTOMER", "ACTOR", "CHANGES")
	_, err := eachEvent(in, svc, storeKey, f, func(e cohort.Event) error { return l.add(api.NewEvent(e), eventCells(e)...) })
	if err != nil {
		return err
	}
	return l.end()
}

// eachEvent calls fn with the events that the store has. It returns the number of the last
// one that it has looked at.
func eachEvent(in *invocation, svc *service.Service, storeKey string, f cohort.EventFilter, fn func(cohort.Event) error) (last int64, err error) {
	for more := true; more; {
		page, err := svc.Events(in.ctx, storeKey, f, service.MaxEvents)
		if err != nil {
			return f.After, err
		}
		if page.Missed {
			fmt.Fprintf(in.Err, "Events after %d may have been deleted.\n", f.After)
		}
		for _, e := range page.Events {
			if err := fn(e); err != nil {
				return f.After, err
			}
		}
		f.After, more = page.Next, page.More
	}
	return f.After, nil
}

// eventLine is a line of --follow: the columns have widths that most cells fit into.
const eventLine = "%-8s  %-20s  %-30s  %-6s  %-8s  %-16s  %s"

// follow prints events until the context ends.
func (c *eventsCommand) follow(in *invocation, svc *service.Service, storeKey string, f cohort.EventFilter) error {
	follower := svc.Follow(storeKey)
	defer follower.Close()
	for {
		changed := follower.Changed()
		last, err := eachEvent(in, svc, storeKey, f, func(e cohort.Event) error {
			if c.JSON || c.JSONL {
				return printJSON(in, api.NewEvent(e))
			}
			return printEventLine(in, e)
		})
		if in.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		f.After = last
		select {
		case <-changed:
		case <-in.ctx.Done():
			return nil
		}
	}
}

func printEventLine(in *invocation, e cohort.Event) error {
	var cells []any
	for _, cell := range eventCells(e) {
		cells = append(cells, visibleText(cell))
	}
	_, err := fmt.Fprintln(in.Out, strings.TrimRight(fmt.Sprintf(eventLine, cells...), " "))
	return err
}

// eventCells returns the row of an event.
func eventCells(e cohort.Event) []string {
	actor := e.Actor
	if e.ActorName != "" {
		actor += " (" + e.ActorName + ")"
	}
	return []string{idText(e.Number), e.Date.Format(time.RFC3339), string(e.Kind), idOrEmpty(e.GroupID), idOrEmpty(e.CustomerID), actor, string(e.Changes)}
}

// idOrEmpty returns the text of an id, "" for 0.
func idOrEmpty(id int64) string {
	if id == 0 {
		return ""
	}
	return idText(id)
}
