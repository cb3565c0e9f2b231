package console

import (
	"runtime"

	"cohort.example/cohort/internal/outbox"
	"cohort.example/cohort/internal/service"
)

func healthRoutes() []route {
	return []route{{method: "GET", path: "health", handle: (*call).health}}
}

// healthPage is what the page of the server's health shows.
type healthPage struct {
	Writes      string // why the database cannot be written to; "": it can
	Database    service.DatabaseInfo
	Pool        *service.DatabaseStats // nil: the database is a file
	FailedWrite int64
	Jobs        outbox.Counts
	Hooks       service.HookStats
	Deliveries  int64 // waiting
	Deleted     int   // stores whose rows are not deleted yet
	GoVersion   string
}

// health shows whether the server does its work.
func (c *call) health() (err error) {
	p := healthPage{FailedWrite: c.Service.FailedWrites(), Hooks: c.Service.HookStats(), GoVersion: runtime.Version()}
	if err := c.Service.Writable(c.ctx()); err != nil {
		_, p.Writes = explain(err)
	}
	if stats, ok := c.Service.DatabaseStats(); ok {
		p.Pool = &stats
	}
	if p.Database, err = c.Service.DatabaseInfo(c.ctx()); err != nil {
		return err
	}
	if p.Jobs, err = c.Service.Outbox().Counts(c.ctx()); err != nil {
		return err
	}
	if p.Deliveries, err = c.Service.WaitingDeliveries(c.ctx()); err != nil {
		return err
	}
	deleted, err := c.Service.DeletedStores(c.ctx())
	if err != nil {
		return err
	}
	p.Deleted = len(deleted)
	return c.render(page{name: "health", title: "Health", body: p, same: []example{
		{"curl", "curl -i " + c.APIURL + "/livez\ncurl -i " + c.APIURL + "/readyz"},
	}})
}
