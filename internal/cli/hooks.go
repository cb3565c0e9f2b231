package cli

import (
	"encoding/json"
	"fmt"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type hookCommands struct {
	List       hookList       `cmd:"" help:"List the webhooks of a store, of all tokens."`
	Deliveries hookDeliveries `cmd:"" help:"List what a webhook was told, and what it is yet to be told."`
	Redeliver  hookRedeliver  `cmd:"" help:"Make new attempts at deliveries now, whatever has become of them."`
}

type hookList struct {
	Store string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	jsonFlag
	dbFlag
}

// hookJSON is a webhook as --json prints it. The values of its headers are not printed: they
// are often credentials.
type hookJSON struct {
	ID          int64             `json:"id"`
	Token       string            `json:"token"` // the id of the token that has created it
	Scope       string            `json:"scope"`
	Destination string            `json:"destination"`
	Status      cohort.HookStatus `json:"status"`
	Created     string            `json:"created"` // RFC 3339, UTC
	Updated     string            `json:"updated"` // RFC 3339, UTC
}

// Run prints the webhooks by id.
func (c *hookList) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		hooks, err := svc.ListHooks(in.ctx, st.Key)
		if err != nil {
			return err
		}
		l := c.newListing(in, "ID", "TOKEN", "SCOPE", "DESTINATION", "STATUS", "CREATED")
		for _, h := range hooks {
			created := dateText(h.DateCreated)
			value := hookJSON{h.ID, h.ClientID, h.Scope, h.Destination, h.Status(), created, dateText(h.DateModified)}
			if err := l.add(value, idText(h.ID), h.ClientID, h.Scope, h.Destination, string(h.Status()), created); err != nil {
				return err
			}
		}
		return l.end()
	})
}

type hookDeliveries struct {
	Store string               `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store of the webhook."`
	Hook  int64                `arg:"" help:"The id of the webhook, as \"cohort hooks list\" prints it."`
	State cohort.DeliveryState `env:"COHORT_STATE" enum:",waiting,delivered,failed" default:"" placeholder:"STATE" help:"Only deliveries in this state: waiting, delivered, or failed (no more attempts are made)."`
	jsonFlag
	dbFlag
}

// deliveryJSON is a delivery as --json prints it.
type deliveryJSON struct {
	ID           int64                `json:"id"`
	Event        int64                `json:"event"` // the number of the first event of which it tells; 0: none
	Scope        string               `json:"scope"`
	State        cohort.DeliveryState `json:"state"`
	Attempts     int                  `json:"attempts"`
	Status       int                  `json:"status"`       // of the last response; 0: none
	NextAttempt  string               `json:"next_attempt"` // RFC 3339, UTC; empty: none
	Error        string               `json:"error"`
	Milliseconds int64                `json:"milliseconds"` // that the last attempt took
	Request      map[string]string    `json:"request_headers"`
	Body         json.RawMessage      `json:"request_body"`
	Response     string               `json:"response_body"`
	Created      string               `json:"created"` // RFC 3339, UTC
	Updated      string               `json:"updated"` // RFC 3339, UTC
}

func newDeliveryJSON(d cohort.HookDelivery) deliveryJSON {
	next := ""
	if !d.NextAttempt.IsZero() {
		next = dateText(d.NextAttempt)
	}
	return deliveryJSON{
		ID: d.ID, Event: d.EventNumber, Scope: d.Scope, State: d.State, Attempts: d.Attempt, Status: d.Status, NextAttempt: next,
		Error: d.Error, Milliseconds: d.Duration.Milliseconds(), Request: d.RequestHeader, Body: json.RawMessage(d.Body),
		Response: d.Response, Created: dateText(d.DateCreated), Updated: dateText(d.DateModified),
	}
}

// Run prints the deliveries by id.
func (c *hookDeliveries) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		l := c.newListing(in, "ID", "EVENT", "SCOPE", "STATE", "ATTEMPTS", "STATUS", "NEXT ATTEMPT", "ERROR")
		f := cohort.DeliveryFilter{HookID: c.Hook, State: c.State}
		for more := true; more; {
			var list []cohort.HookDelivery
			if list, more, err = svc.HookDeliveries(in.ctx, st.Key, "", f, service.MaxDeliveries); err != nil {
				return err
			}
			for _, d := range list {
				value := newDeliveryJSON(d)
				err := l.add(value, idText(d.ID), idOrEmpty(d.EventNumber), d.Scope, string(d.State), strconv.Itoa(d.Attempt),
					idOrEmpty(int64(d.Status)), value.NextAttempt, d.Error)
				if err != nil {
					return err
				}
				f.After = d.ID
			}
		}
		return l.end()
	})
}

type hookRedeliver struct {
	Store string  `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store of the deliveries."`
	IDs   []int64 `arg:"" name:"id" help:"The ids of the deliveries, as \"cohort hooks deliveries\" prints them."`
	dbFlag
}

// Run makes the deliveries due, for the server that runs on the database.
func (c *hookRedeliver) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		for _, id := range c.IDs {
			hook, err := svc.HookOfDelivery(in.ctx, st.Key, id)
			if err != nil {
				return err
			}
			if err := svc.RedeliverHook(in.ctx, st.Key, hook, id); err != nil {
				return err
			}
			fmt.Fprintf(in.Out, "Delivery %d of webhook %d is due now.\n", id, hook)
		}
		return nil
	})
}
