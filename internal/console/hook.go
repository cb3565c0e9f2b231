package console

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"cohort.example/cohort"
)

func hookRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/hooks", handle: (*call).listHooks},
		{method: "GET", path: "stores/{hash}/hooks/{id}", handle: (*call).showHook},
		{method: "POST", path: "stores/{hash}/hooks/{id}/active", handle: (*call).setHookActive},
		{method: "POST", path: "stores/{hash}/hooks/{id}/delete", handle: (*call).deleteHook},
		{method: "POST", path: "stores/{hash}/hooks/{id}/redeliver", handle: (*call).redeliver},
	}
}

const (
	// maxHooks bounds how many webhooks a page shows.
	maxHooks = 200
	// maxDeliveriesShown is how many deliveries a page shows.
	maxDeliveriesShown = 25
)

// hooksPage is what the page of the webhooks shows.
type hooksPage struct {
	Hooks []cohort.Hook // at most maxHooks
	Total int
}

func (c *call) listHooks() error {
	hooks, err := c.Service.ListHooks(c.ctx(), c.store.Key)
	if err != nil {
		return err
	}
	p := hooksPage{hooks[:min(len(hooks), maxHooks)], len(hooks)}
	return c.render(page{name: "hooks", title: "Webhooks", body: p, same: []example{
		{"Command line", "cohort hooks list --store " + c.store.Hash},
		{"curl", fmt.Sprintf("curl -H \"X-Auth-Token: $TOKEN\" -H 'Content-Type: application/json' \\\n"+
			"  -d '{\"scope\":\"store/customerGroup/*\",\"destination\":\"https://example.com/hooks\",\"is_active\":true}' \\\n  %s/stores/%s/v3/hooks", c.APIURL, c.store.Hash)},
	}})
}

// hookPage is what the page of one webhook shows.
type hookPage struct {
	Hook       cohort.Hook
	Headers    []string // their names: the values are often credentials
	State      cohort.DeliveryState
	States     []cohort.DeliveryState
	Deliveries []cohort.HookDelivery
	Next       string // the address of the next page; "": this is the last one
	Prev       string
	Secrets    int // how many client secrets of its token are valid
}

func (c *call) showHook() error {
	h, err := c.hook()
	if err != nil {
		return err
	}
	p := hookPage{Hook: h, State: deliveryState(c.query("state")), States: deliveryStates()}
	for name := range h.Headers {
		p.Headers = append(p.Headers, name)
	}
	slices.Sort(p.Headers)
	f := cohort.DeliveryFilter{HookID: h.ID, State: p.State}
	f.After, _ = strconv.ParseInt(c.query("after"), 10, 64) // another text is the first page
	list, more, err := c.Service.HookDeliveries(c.ctx(), c.store.Key, "", f, maxDeliveriesShown)
	if err != nil {
		return err
	}
	p.Deliveries = list
	if more {
		p.Next = "?" + url.Values{"state": {string(p.State)}, "after": {fmt.Sprint(list[len(list)-1].ID)}}.Encode()
	}
	if f.After > 0 {
		p.Prev = "?" + url.Values{"state": {string(p.State)}}.Encode()
	}
	secrets, err := c.Service.ClientSecrets(c.ctx(), c.store.Key, h.ClientID)
	if err != nil && cohort.KindOf(err) != cohort.KindNotFound { // its token may be gone
		return err
	}
	p.Secrets = len(secrets)
	return c.render(page{name: "hook", section: "hooks", title: fmt.Sprintf("Webhook %d", h.ID), body: p, same: []example{
		{"Command line", fmt.Sprintf("cohort hooks deliveries --store %[1]s %[2]d\ncohort hooks redeliver --store %[1]s DELIVERY", c.store.Hash, h.ID)},
		{"curl", fmt.Sprintf("curl -H \"X-Auth-Token: $TOKEN\" %s/stores/%s/v3/hooks/%d", c.APIURL, c.store.Hash, h.ID)},
	}})
}

func deliveryStates() []cohort.DeliveryState {
	return []cohort.DeliveryState{cohort.DeliveryWaiting, cohort.DeliveryDelivered, cohort.DeliveryFailed}
}

// deliveryState returns the state that a text names; "": any.
func deliveryState(text string) cohort.DeliveryState {
	if s := cohort.DeliveryState(text); slices.Contains(deliveryStates(), s) {
		return s
	}
	return ""
}

// hook returns the webhook of the path.
func (c *call) hook() (cohort.Hook, error) {
	id, err := c.id()
	if err != nil {
		return cohort.Hook{}, err
	}
	return c.Service.Hook(c.ctx(), c.store.Key, "", id)
}

func (c *call) hookPath(id int64) string { return c.path("hooks", fmt.Sprint(id)) }

// setHookActive switches a webhook on or off.
func (c *call) setHookActive() error {
	h, err := c.hook()
	if err != nil {
		return err
	}
	active := c.form.Get("active") == "true"
	if _, err := c.Service.UpdateHook(c.because(), c.store.Key, h.ClientID, h.ID, cohort.HookUpdate{Active: &active}); err != nil {
		return err
	}
	said := "The webhook is off."
	if active {
		said = "The webhook is on. It is told of what happens from now on."
	}
	return c.sayAndGo(c.hookPath(h.ID), said)
}

// deleteHook asks, and then deletes a webhook with its log.
func (c *call) deleteHook() error {
	h, err := c.hook()
	if err != nil {
		return err
	}
	if c.form.Get("confirmed") == "" {
		return c.confirm(confirmation{
			Title: fmt.Sprintf("Delete webhook %d", h.ID), Section: "hooks", Button: "Delete the webhook", Back: c.hookPath(h.ID),
			Text:   []string{h.Destination + " gets no more messages. The log of its deliveries is deleted too."},
			Action: c.r.URL.Path, Fields: url.Values{"confirmed": {"yes"}},
		})
	}
	if _, err := c.Service.DeleteHook(c.because(), c.store.Key, h.ClientID, h.ID); err != nil {
		return err
	}
	return c.sayAndGo(c.path("hooks"), fmt.Sprintf("Webhook %d was deleted.", h.ID))
}

// redeliver makes a new attempt at a delivery now.
func (c *call) redeliver() error {
	h, err := c.hook()
	if err != nil {
		return err
	}
	delivery, err := strconv.ParseInt(c.form.Get("delivery"), 10, 64)
	if err != nil {
		return &statusError{400, "The form names no delivery."}
	}
	if err := c.Service.RedeliverHook(c.ctx(), c.store.Key, h.ID, delivery); err != nil {
		return err
	}
	return c.sayAndGo(c.hookPath(h.ID), fmt.Sprintf("Delivery %d is due now.", delivery))
}
