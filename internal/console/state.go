package console

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/clock"
	"cohort.example/cohort/internal/numeral"
	"cohort.example/cohort/internal/seed"
)

func stateRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/state", handle: (*call).showState, tests: true},
		{method: "POST", path: "stores/{hash}/state/clock", handle: (*call).setClock, tests: true},
		{method: "POST", path: "stores/{hash}/state/save", handle: (*call).saveSnapshot, tests: true},
		{method: "POST", path: "stores/{hash}/state/restore", handle: (*call).restoreSnapshot, tests: true},
		{method: "POST", path: "stores/{hash}/state/remove", handle: (*call).removeSnapshot, tests: true},
		{method: "POST", path: "stores/{hash}/state/reset", handle: (*call).resetStore, tests: true},
		{method: "POST", path: "stores/{hash}/state/seed", handle: (*call).seedStore, tests: true},
		{method: "GET", path: "stores/{hash}/state/export", handle: (*call).exportStore, tests: true},
	}
}

// statePage is what the page of the state of a store shows.
type statePage struct {
	Snapshots []cohort.Snapshot // without the one of a reset
	Base      *cohort.Snapshot  // what a reset goes back to; nil: the empty store
	Clock     clock.State
	Problem   *problem
	At        string // the part of the page with the problem: clock, snapshots or seed
	Seed      string // that was refused
	Content   storeContent
}

func (c *call) showState() error { return c.renderState(0, statePage{}) }

func (c *call) renderState(status int, p statePage) error {
	snapshots, err := c.Service.Snapshots(c.ctx(), c.store.Key)
	if err != nil {
		return err
	}
	for _, s := range snapshots {
		if s.Name == "" {
			p.Base = &s
			continue
		}
		p.Snapshots = append(p.Snapshots, s)
	}
	if p.Content, err = c.content(); err != nil {
		return err
	}
	p.Clock = c.Service.Clocks().Get(c.store.Key)
	hash := c.store.Hash
	return c.render(page{name: "state", status: status, title: "State", body: p, same: []example{
		{"Command line", fmt.Sprintf("cohort reset --store %[1]s\ncohort seed --store %[1]s seed.yaml\ncohort export --store %[1]s > seed.yaml\ncohort snapshot save --store %[1]s before\ncohort snapshot restore --store %[1]s before\n"+
			"cohort clock freeze --store %[1]s 2026-01-01T00:00:00Z\ncohort clock advance --store %[1]s 48h\ncohort clock reset --store %[1]s", hash)},
		{"curl", fmt.Sprintf("curl -X POST %[1]s/_cohort/v1/stores/%[2]s/reset\ncurl -X PUT %[1]s/_cohort/v1/stores/%[2]s/snapshots/before\ncurl %[1]s/_cohort/v1/stores/%[2]s/clock/advance -d '{\"by\":\"48h\"}'", c.APIURL, hash)},
	}})
}

// stateRefused shows the page again, with why something was refused, beside its form.
func (c *call) stateRefused(at string, err error) error {
	wrong, status, err := refused(err)
	if err != nil {
		return err
	}
	p := statePage{Problem: wrong, At: at}
	if text := c.form.Get("seed"); len(text) <= maxForm { // a larger one stays in its file
		p.Seed = text
	}
	return c.renderState(status, p)
}

// setClock freezes the clock of the store, sets it while it runs, moves it forward, or gives
// it back to the system.
func (c *call) setClock() error {
	var err error
	switch c.form.Get("do") {
	case "freeze":
		at := c.form.Get("at")
		if at == "" {
			at = "now"
		} else if t, wrong := time.Parse("2006-01-02T15:04", at); wrong == nil {
			at = t.Format(time.RFC3339) // as a field of a browser has it
		}
		_, err = c.control("PUT", map[string]string{"frozen_at": at}, "clock")
	case "set":
		t, wrong := time.Parse("2006-01-02T15:04", c.form.Get("at"))
		if wrong != nil {
			return c.stateRefused("clock", cohort.Invalid("at", "The clock needs a time such as 2026-01-31T12:00."))
		}
		_, err = c.control("PUT", map[string]string{"offset": t.Sub(c.Now()).String()}, "clock")
	case "advance":
		_, err = c.control("POST", map[string]string{"by": c.form.Get("by")}, "clock", "advance")
	case "system":
		_, err = c.control("DELETE", nil, "clock")
	default:
		return &statusError{400, "The form does not say what to do with the clock."}
	}
	if err != nil {
		return c.stateRefused("clock", err)
	}
	return c.sayAndGo(c.path("state"), "The clock of the store was set.")
}

func (c *call) saveSnapshot() error {
	name := c.form.Get("name")
	if _, err := c.control("PUT", nil, "snapshots", name); err != nil {
		return c.stateRefused("snapshots", err)
	}
	return c.sayAndGo(c.path("state"), "The snapshot "+name+" was saved.")
}

// restoreSnapshot asks, and then puts the content of a snapshot in place of that of the store.
func (c *call) restoreSnapshot() error {
	name := c.form.Get("name")
	if sure, err := c.confirmState("restore", "Restore the snapshot "+name, "What the store contains now is replaced.", url.Values{"name": {name}}); !sure {
		return err
	}
	if _, err := c.control("POST", nil, "snapshots", name, "restore"); err != nil {
		return c.stateRefused("snapshots", err)
	}
	return c.sayAndGo(c.path("state"), "The snapshot "+name+" was restored.")
}

func (c *call) removeSnapshot() error {
	name := c.form.Get("name")
	if sure, err := c.confirmState("remove", "Remove the snapshot "+name, "The store stays as it is.", url.Values{"name": {name}}); !sure {
		return err
	}
	if _, err := c.control("DELETE", nil, "snapshots", name); err != nil {
		return c.stateRefused("snapshots", err)
	}
	return c.sayAndGo(c.path("state"), "The snapshot "+name+" was removed.")
}

// resetStore asks, and then brings the store back to its seed, or empties it.
func (c *call) resetStore() error {
	to := c.form.Get("to")
	title := "Reset the store to its seed"
	if to == "empty" {
		title = "Empty the store"
	}
	rules := numeral.Plural(int64(len(c.Tests.Faults.List(c.store.Key))), "fault rule", "fault rules")
	text := "What was created since is deleted. " + rules + ", the requests of the list, the clock of the store and what is used of its limits go too."
	if sure, err := c.confirmState("reset", title, text, url.Values{"to": {to}}); !sure {
		return err
	}
	if _, err := c.control("POST", map[string]string{"to": to}, "reset"); err != nil {
		return c.stateRefused("seed", err)
	}
	return c.sayAndGo(c.path("state"), "The store was reset.")
}

// seedStore replaces the content of the store by that of a file, or of a text.
func (c *call) seedStore() error {
	text, err := c.uploaded("seed", seed.MaxBytes)
	if err != nil {
		return c.stateRefused("seed", err)
	}
	now, err := c.content()
	if err != nil {
		return err
	}
	if c.form.Get("replace") != now.Key() {
		return c.stateRefused("seed", &statusError{409, "Nothing was changed. The store has " + now.Words() + " now: tick the box to replace them."})
	}
	if _, err = c.control("PUT", []byte(text), "seed"); err != nil {
		return c.stateRefused("seed", err)
	}
	return c.sayAndGo(c.path("state"), "The store has the content of the seed.")
}

// exportStore sends the content of the store as a seed.
func (c *call) exportStore() error {
	a, err := c.control("GET", nil, "export")
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/yaml")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", c.store.Hash+".yaml"))
	c.w.WriteHeader(http.StatusOK)
	_, _ = a.body.WriteTo(c.w) // it fails when the client has left
	return nil
}
