package cli

import (
	"fmt"
	"log/slog"

	"cohort.example/cohort/internal/db"
)

// watchDatabase logs problems of a database file, now and until stop is called.
func watchDatabase(d *db.DB, log *slog.Logger) (stop func()) {
	for _, f := range d.OpenToOthers() {
		log.Warn("other users can read or write a file of the database, which holds password hashes; chmod 600 prevents that",
			"file", f.Path, "mode", fmt.Sprintf("%04o", f.Mode))
	}
	d.WatchFile(func(err error) {
		if err != nil {
			log.Error("the database file was moved or replaced: nothing is read or written until the same files are back", "error", err)
			return
		}
		log.Info("the database file is back")
	})
	others, release, err := d.Claim()
	switch {
	case err != nil:
		log.Warn("cannot check whether another server uses the same database", "error", err)
		return func() {}
	case others:
		log.Warn("another server uses the same database: each counts limits for itself unless they share a Redis, and they wait for each other to write")
	}
	return release
}
