package txn

import (
	"context"
	"fmt"
	"time"
)

// Cluster describes the servers of a database whose tables Citus spreads.
type Cluster struct {
	Version string // of Citus
	Workers int    // servers with rows of stores
	// Worker says that the database is open at a worker, not at the coordinator.
	Worker bool
}

// Cluster returns ok false if the tables are on one server.
func (db *DB) Cluster() (c Cluster, ok bool) {
	s := db.engine.citus
	if s == nil {
		return Cluster{}, false
	}
	return Cluster{Version: s.version, Workers: len(s.workers), Worker: s.group != 0}, true
}

// serversTimeout is how long LostWorkers waits for the workers.
const serversTimeout = 2 * time.Second

// LostWorkers returns the addresses, HOST:PORT, of the workers of Citus that do not respond.
// It returns an error if it cannot find that out in time.
func (db *DB) LostWorkers(ctx context.Context) (lost []string, err error) {
	if db.engine.citus == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, serversTimeout)
	defer cancel()
	err = db.View(ctx, func(tx *Tx) error {
		rows, err := tx.Query("SELECT nodename, nodeport FROM run_command_on_workers('SELECT 1') WHERE NOT success ORDER BY 1, 2")
		if err != nil {
			return err
		}
		lost, err = Collect(rows, func(row Scanner) (string, error) {
			var host string
			var port int
			err := row.Scan(&host, &port)
			return fmt.Sprintf("%s:%d", host, port), err
		})
		return err
	})
	return lost, err
}
