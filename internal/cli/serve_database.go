package cli

import (
	"context"
	"fmt"
	"log/slog"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

// watchDatabase logs problems of a database file, now and until stop is called. If no other
// server uses it, watchDatabase ends the leases that a killed one has left.
func watchDatabase(ctx context.Context, d *db.DB, jobs *outbox.Outbox, log *slog.Logger) (stop func()) {
	for _, f := range d.OpenToOthers() {
		log.Warn("other users can read or write a file of the database, which holds password hashes; chmod 600 prevents that",
			"file", f.Path, "mode", fmt.Sprintf("%04o", f.Mode))
	}
	if c, distributed := d.Cluster(); distributed {
		log.Info("Citus spreads the database over several servers", "citus", c.Version, "workers", c.Workers, "at", serverRole(c.Worker))
	}
	d.WatchFile(func(err error) {
		if err != nil {
			log.Error("the database file was moved or replaced: nothing is read or written until the same files are back", "error", err)
			return
		}
		log.Info("the database file is back")
	})
	// Read the leases before the claim: if this server is alone then, their owners have ended. A
	// server that starts a moment later may take further ones.
	left, leasesErr := jobs.Leases(ctx)
	others, alone, release, err := d.Claim()
	switch {
	case err != nil:
		log.Warn("cannot check whether another server uses the same database", "error", err)
		return func() {}
	case others:
		log.Warn("another server uses the same database: each counts limits for itself unless they share a Redis, and they wait for each other to write")
	case alone && leasesErr == nil:
		_, leasesErr = jobs.ReleaseDead(ctx, left)
	}
	if leasesErr != nil {
		log.Warn("cannot end the leases of a killed server; what it was delivering waits for some seconds", "error", leasesErr)
	}
	return release
}

func serverRole(worker bool) string {
	if worker {
		return "worker"
	}
	return "coordinator"
}
