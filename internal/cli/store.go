package cli

import (
	"cmp"
	"fmt"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type storeCommands struct {
	Create storeCreate `cmd:"" help:"Create a store."`
	List   storeList   `cmd:"" help:"List the stores."`
	Show   storeShow   `cmd:"" help:"Show all settings of a store."`
	Update storeUpdate `cmd:"" help:"Change settings of a store. Settings that are not given stay."`
	Delete storeDelete `cmd:"" help:"Delete a store and everything in it."`
}

type hashArg struct {
	Hash string `arg:"" help:"The hash of the store, its name in paths: lower-case letters, digits, '-' and '_'."`
}

type storeCreate struct {
	hashArg
	Plan          cohort.Plan `env:"COHORT_PLAN" enum:",unlimited,standard,plus,pro,enterprise" default:"" placeholder:"PLAN" help:"The plan, which sets the request quota per 30 seconds: unlimited (no quota; the default), standard (150), plus (150), pro (450), or enterprise (--quota; the default if --quota is given)."`
	Quota         int         `env:"COHORT_QUOTA" placeholder:"N" help:"Requests per 30 seconds, instead of the figure of the plan."`
	MaxConcurrent int         `env:"COHORT_MAX_CONCURRENT" placeholder:"N" help:"How many requests of one operation run at once, for the operations that have such a limit (40)."`

	Catalog    cohort.CatalogMode `env:"COHORT_CATALOG" enum:"external,managed" default:"external" help:"Which system holds the catalog: external, another one, so ids in rules are not checked; or managed, Cohort, so rules that name something unknown are rejected."`
	Currency   string             `env:"COHORT_CURRENCY" default:"USD" placeholder:"CODE" help:"The currency of catalog prices and of amounts in rules, a code of ISO 4217 (${default})."`
	Events     string             `env:"COHORT_EVENTS" enum:"on,off" default:"off" help:"Whether changes of the store are recorded as events: on or off (${default})."`
	EventDays  int                `env:"COHORT_EVENT_DAYS" placeholder:"N" help:"For how many days events are kept (30)."`
	EventCount int64              `env:"COHORT_EVENT_COUNT" placeholder:"N" help:"How many events are kept (100000)."`
	profileFlags
	dbFlag
}

// Run creates the store, and the database if it does not exist.
func (c *storeCreate) Run(in *invocation) error {
	wanted := cohort.Store{
		Hash: c.Hash, Plan: c.Plan, Quota: c.Quota, Concurrency: c.MaxConcurrent, Catalog: c.Catalog, Currency: c.Currency,
		Events: c.Events == eventsOn, EventDays: c.EventDays, EventCount: c.EventCount, Profile: c.update().Apply(cohort.StoreProfile{}),
	}.WithDefaults()
	if err := wanted.Validate(); err != nil {
		return err // before the database is created
	}
	return c.with(in.ctx, db.Open, func(svc *service.Service) error {
		st, err := svc.CreateStore(in.ctx, wanted)
		if err != nil {
			return err
		}
		fmt.Fprintf(in.Out, "Store %s is created (plan %s).\n", st.Hash, st.Plan)
		return nil
	})
}

type storeList struct {
	jsonFlag
	dbFlag
}

// storeJSON is a store as --json prints it.
type storeJSON struct {
	Store         string             `json:"store"`
	Plan          cohort.Plan        `json:"plan"`
	Quota         *int               `json:"quota"`          // requests per 30 seconds; null: no quota
	MaxConcurrent *int               `json:"max_concurrent"` // null: the operations' own limits
	Catalog       cohort.CatalogMode `json:"catalog"`
	Currency      string             `json:"currency"`
	Events        bool               `json:"events"`
	EventDays     int                `json:"event_days"`
	EventCount    int64              `json:"event_count"`
	Created       string             `json:"created"` // RFC 3339, UTC
	profileJSON
}

func newStoreJSON(st cohort.Store) storeJSON {
	j := storeJSON{
		Store: st.Hash, Plan: st.Plan, Catalog: st.Catalog, Currency: st.Currency,
		Events: st.Events, EventDays: eventDays(st), EventCount: st.MostEvents(),
		Created: dateText(st.DateCreated), profileJSON: newProfileJSON(st),
	}
	if quota, metered := st.RequestQuota(); metered {
		j.Quota = &quota
	}
	if st.Concurrency != 0 {
		j.MaxConcurrent = &st.Concurrency
	}
	return j
}

// Run prints the stores, sorted by hash.
func (c *storeList) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		stores, err := svc.ListStores(in.ctx)
		if err != nil {
			return err
		}
		l := c.newListing(in, "STORE", "PLAN", "QUOTA", "MAX CONCURRENT", "CREATED")
		for _, st := range stores {
			if err := l.add(newStoreJSON(st), st.Hash, string(st.Plan), quotaText(st), concurrencyText(st), dateText(st.DateCreated)); err != nil {
				return err
			}
		}
		return l.end()
	})
}

type storeShow struct {
	hashArg
	JSON bool `name:"json" help:"Print a JSON object instead of a table."`
	dbFlag
}

// Run prints the settings, a line each.
func (c *storeShow) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Hash)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(in, newStoreJSON(st))
		}
		t := newTable(in, "STORE", st.Hash)
		t.row("PLAN", string(st.Plan))
		t.row("QUOTA", quotaText(st))
		t.row("MAX CONCURRENT", concurrencyText(st))
		t.row("CATALOG", string(st.Catalog))
		t.row("CURRENCY", st.Currency)
		t.row("EVENTS", switchText(st.Events))
		t.row("EVENT DAYS", strconv.Itoa(eventDays(st)))
		t.row("EVENT COUNT", idText(st.MostEvents()))
		t.row("CREATED", dateText(st.DateCreated))
		t.profileRows(st)
		return t.Flush()
	})
}

type storeUpdate struct {
	hashArg
	Plan          *cohort.Plan `placeholder:"PLAN" help:"The plan: unlimited, standard, plus, pro or enterprise."`
	Quota         *int         `placeholder:"N" help:"Requests per 30 seconds; 0 for the figure of the plan."`
	MaxConcurrent *int         `placeholder:"N" help:"How many requests of one operation run at once; 0 for the limits of the operations."`

	Catalog    *cohort.CatalogMode `placeholder:"MODE" help:"Which system holds the catalog: external or managed."`
	Currency   *string             `placeholder:"CODE" help:"The currency of catalog prices and of amounts in rules, a code of ISO 4217. Nothing is converted."`
	Events     *string             `placeholder:"on|off" help:"Whether changes of the store are recorded as events."`
	EventDays  *int                `placeholder:"N" help:"For how many days events are kept; 0 for 30."`
	EventCount *int64              `placeholder:"N" help:"How many events are kept; 0 for 100000."`
	profileFlags
	dbFlag
}

// eventsOn is the value of --events that records events.
const eventsOn = "on"

// readSwitch returns the meaning of an optional on or off.
func readSwitch(flag string, value *string) (*bool, error) {
	if value == nil {
		return nil, nil //nolint:nilnil // the flag is not given
	}
	if *value != eventsOn && *value != "off" {
		return nil, usageError(flag + " is on or off")
	}
	return new(*value == eventsOn), nil
}

// Run changes the settings that are given.
func (c *storeUpdate) Run(in *invocation) error {
	events, err := readSwitch("--events", c.Events)
	if err != nil {
		return err
	}
	update := cohort.StoreUpdate{
		Plan: c.Plan, Quota: c.Quota, Concurrency: c.MaxConcurrent, Catalog: c.Catalog, Currency: c.Currency,
		Events: events, EventDays: c.EventDays, EventCount: c.EventCount, Profile: c.update(),
	}
	if update == (cohort.StoreUpdate{}) {
		return usageError("nothing to change: give --plan, --quota, --max-concurrent, --catalog, --currency, --events, --event-days, --event-count, --name, --domain, --timezone, --email, --first-name or --last-name")
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Hash)
		if err != nil {
			return err
		}
		st, err = svc.UpdateStore(in.ctx, st.Key, update)
		if err != nil {
			return err
		}
		fmt.Fprintf(in.Out, "Store %s: plan %s, quota %s, max concurrent %s.\n", st.Hash, st.Plan, quotaText(st), concurrencyText(st))
		if c.Catalog != nil || c.Currency != nil {
			fmt.Fprintf(in.Out, "Its catalog is %s, its currency %s.\n", st.Catalog, st.Currency)
		}
		if c.Events != nil || c.EventDays != nil || c.EventCount != nil {
			fmt.Fprintf(in.Out, "Its events are %s, and kept for %d days, up to %d.\n", switchText(st.Events), eventDays(st), st.MostEvents())
		}
		if update.Profile != (cohort.StoreProfileUpdate{}) {
			p := st.FullProfile()
			fmt.Fprintf(in.Out, "Its name is %s, its domain %s, its time zone %s; the contact is %s %s, %s.\n",
				p.Name, p.Domain, p.Timezone, p.FirstName, p.LastName, p.Email)
		}
		return nil
	})
}

// eventDays returns for how many days the events of a store are kept.
func eventDays(st cohort.Store) int { return cmp.Or(st.EventDays, cohort.DefaultEventDays) }

func switchText(on bool) string {
	if on {
		return eventsOn
	}
	return "off"
}

func quotaText(st cohort.Store) string {
	quota, metered := st.RequestQuota()
	if !metered {
		return "none"
	}
	return strconv.Itoa(quota)
}

func concurrencyText(st cohort.Store) string {
	if st.Concurrency == 0 {
		return "default"
	}
	return strconv.Itoa(st.Concurrency)
}

// optionalKey returns the key of the store with a hash. For an empty hash it returns "",
// which means every store. It returns KindNotFound if there is no such store.
func optionalKey(in *invocation, svc *service.Service, hash string) (string, error) {
	if hash == "" {
		return "", nil
	}
	st, err := svc.Store(in.ctx, hash)
	return st.Key, err
}
