package txn

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// citusParameters are the settings of a connection to a database whose tables are spread.
var citusParameters = map[string]string{
	// SET LOCAL reaches the workers; see limitWorkers.
	"citus.propagate_set_commands": "local",
	// A transaction may write a reference table after it has read or written several shards,
	// which Citus allows only on one connection for each server.
	"citus.multi_shard_modify_mode": "sequential",
	// A host that is gone does not hold a request for longer. Citus waits 30 s.
	"citus.node_connection_timeout": "1s",
}

// workerLimits are the parameters of a connection that its transactions set on the workers
// too. Citus does not pass on what the connection begins with.
var workerLimits = []string{"lock_timeout", "statement_timeout"}

// setLimits takes the timeouts for the workers from the parameters of a connection.
func (c *citusState) setLimits(parameters map[string]string) {
	if c == nil {
		return
	}
	for _, name := range workerLimits {
		c.limits = append(c.limits, statement{query: "SET LOCAL " + name + " = " + quoted(parameters[name])})
	}
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// limitWorkers adds to the statements that begin a transaction those that give the workers the
// timeouts of the connection, if the transaction runs on a server that passes its statements
// on.
func (d *postgresDB) limitWorkers(begin []statement, p storePlace) []statement {
	if len(begin) == 0 || p.isDirect() || d.engine.citus == nil {
		return begin
	}
	return slices.Insert(slices.Clone(begin), 1, d.engine.citus.limits...)
}

// prepareCitus brings a schema that is spread over servers up to date: the coordinator
// migrates, and puts new tables into their places.
func (e *engine) prepareCitus(ctx context.Context, db *sql.DB) error {
	if e.citus.group != 0 {
		return e.isCurrent(ctx, db)
	}
	if _, err := db.ExecContext(ctx, "SET citus.multi_shard_modify_mode = 'sequential'"); err != nil {
		return err
	}
	if err := lockAndMigrate(ctx, db, e); err != nil {
		return err
	}
	now, err := readCitus(ctx, db)
	if err != nil {
		return err
	}
	e.citus = now
	tables := now.missing(e.places)
	if len(tables) == 0 {
		return nil
	}
	err = distribute(ctx, db, &Distribution{Tables: tables}, e.places, 0)
	if err != nil {
		return fmt.Errorf("the new tables %s cannot be distributed: %w", names(tables), err)
	}
	e.citus, err = readCitus(ctx, db)
	return err
}

// isCurrent returns an error unless a worker has the schema of this version. Only the
// coordinator can change it.
func (e *engine) isCurrent(ctx context.Context, db *sql.DB) error {
	p, err := goose.NewProvider(e.dialect, db, e.migrations)
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if current > target {
		return errNewerSchema
	}
	if current == target && len(e.citus.missing(e.places)) == 0 {
		return nil
	}
	at := e.citus.coordinator
	if at == "" {
		at = "the coordinator"
	}
	return errors.New("it is a worker of Citus and has the schema of an older version; run `cohort db distribute` or start a node on " + at + " first, which upgrades all servers")
}

func names(tables []TablePlace) string {
	var all []string
	for _, t := range tables {
		all = append(all, t.Table)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
