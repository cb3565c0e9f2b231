package cli

import (
	"fmt"
	"log/slog"

	"cohort.example/cohort/internal/db"
)

// watchDatabase has the log tell of a database file whatever an operator should
// know, now and later, until stop is called.
func watchDatabase(d *db.DB, log *slog.Logger) (stop func()) {
	for _, f := range d.OpenToOthers() {
		log.Warn("others than its owner can read or write a file of the database, which holds hashes of passwords; let nobody else with chmod 600",
			"file", f.Path, "mode", fmt.Sprintf("%04o", f.Mode))
	}
	d.WatchFile(func(err error) {
		if err != nil {
			log.Error("the database was taken away from the server: nothing is read or written until the same files are back in place", "error", err)
			return
		}
		log.Info("the database is back in place")
	})
	others, release, err := d.Claim()
	switch {
	case err != nil:
		log.Warn("cannot tell whether another server has the same database", "error", err)
		return func() {}
	case others:
		log.Warn("another server has the same database: each of the two counts quotas and other limits for itself, unless they share a Redis, and they wait for each other to write")
	}
	return release
}
