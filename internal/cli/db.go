package cli

import (
	"fmt"
	"strings"

	"cohort.example/cohort/internal/db"
)

type dbCommands struct {
	Distribute dbDistribute `cmd:"" help:"Spread the tables over the workers of Citus, each store on one. --db names the coordinator. Again after an upgrade, it places new tables."`
}

type dbDistribute struct {
	Shards      int    `default:"32" placeholder:"N" help:"How many parts the tables are split into (${default}). Workers share them evenly. It cannot be changed later."`
	Coordinator string `placeholder:"HOST:PORT" help:"The address by which the workers reach the coordinator, if Citus does not know it yet (that of --db)."`
	DryRun      bool   `help:"Change nothing, and print what would be done."`
	dbFlag
}

// maxShards is far more than workers that a database has.
const maxShards = 1024

// Run distributes the database, and prints what it has done.
func (c *dbDistribute) Run(in *invocation) error {
	if c.Shards < 1 || c.Shards > maxShards {
		return usageError(fmt.Sprintf("--shards is a number from 1 to %d", maxShards))
	}
	d, err := db.Distribute(in.ctx, c.DB, db.DistributeOptions{Shards: c.Shards, Coordinator: c.Coordinator, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "Citus %s with %d workers: %s.\n", d.Version, len(d.Workers), strings.Join(d.Workers, ", "))
	if d.Coordinator != "" {
		fmt.Fprintf(in.Out, "Citus gets to know the coordinator as %s.\n", d.Coordinator)
	}
	if len(d.Tables) == 0 {
		fmt.Fprintf(in.Out, "All %d tables are in their places.\n", d.Placed)
		return nil
	}
	t := newTable(in, "TABLE", "PLACE")
	for _, table := range d.Tables {
		t.row(table.Table, table.Place.String())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if c.DryRun {
		fmt.Fprintf(in.Out, "\n%d tables would be placed, %d are in their places. Nothing was changed.\n", len(d.Tables), d.Placed)
		return nil
	}
	fmt.Fprintf(in.Out, "\n%d tables are placed, %d were in their places. Start the nodes that serve this database again.\n", len(d.Tables), d.Placed)
	return nil
}
