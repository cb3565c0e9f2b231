package txn

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// citusState is what a server of Citus says of itself and of the tables.
type citusState struct {
	version     string // "" without Citus
	group       int    // 0 on the coordinator
	coordinator string // HOST:PORT by which workers reach the coordinator; "" if Citus does not know it
	workers     []string
	placed      map[string]bool // the tables that Citus has spread

	limits []statement // see limitWorkers
}

// distributed reports whether Cohort's tables are spread over several servers.
func (c *citusState) distributed() bool { return c.placed["stores"] }

// readCitus returns the state of the server that db is connected to.
func readCitus(ctx context.Context, db *sql.DB) (*citusState, error) {
	c := &citusState{placed: map[string]bool{}}
	err := db.QueryRowContext(ctx, "SELECT extversion FROM pg_extension WHERE extname = 'citus'").Scan(&c.version)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if err := db.QueryRowContext(ctx, "SELECT groupid FROM pg_dist_local_group").Scan(&c.group); err != nil {
		return nil, err
	}
	if err := c.readNodes(ctx, db); err != nil {
		return nil, err
	}
	// Citus also has tables in its list that it keeps on the coordinator; these have the
	// replication model "s" and no column.
	return c, eachRow(ctx, db, `SELECT c.relname FROM pg_dist_partition AS p JOIN pg_class AS c ON c.oid = p.logicalrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND (p.partmethod = 'h' OR p.repmodel = 't')`,
		func(rows *sql.Rows) error {
			var table string
			err := rows.Scan(&table)
			c.placed[table] = true
			return err
		})
}

func (c *citusState) readNodes(ctx context.Context, db *sql.DB) error {
	return eachRow(ctx, db, `SELECT groupid, nodename, nodeport, shouldhaveshards FROM pg_dist_node
		WHERE noderole = 'primary' AND isactive ORDER BY nodename, nodeport`,
		func(rows *sql.Rows) error {
			var group, port int
			var host string
			var hasShards bool
			if err := rows.Scan(&group, &host, &port, &hasShards); err != nil {
				return err
			}
			addr := net.JoinHostPort(host, strconv.Itoa(port))
			switch {
			case group == 0:
				c.coordinator = addr
			case hasShards:
				c.workers = append(c.workers, addr)
			}
			return nil
		})
}

func eachRow(ctx context.Context, db *sql.DB, query string, scan func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// missing returns the tables that are not in their places.
func (c *citusState) missing(places []TablePlace) (tables []TablePlace) {
	for _, p := range places {
		if p.Place != Local && !c.placed[p.Table] {
			tables = append(tables, p)
		}
	}
	return tables
}

// refusal says why the tables cannot be distributed through this server, nil if they can.
func (c *citusState) refusal() error {
	switch {
	case c.version == "":
		return errors.New("it has no Citus: run CREATE EXTENSION citus in it on the coordinator and on each worker first")
	case c.group != 0 && c.coordinator != "":
		return fmt.Errorf("it is a worker of Citus; connect to the coordinator, %s", c.coordinator)
	case c.group != 0:
		return errors.New("it is a worker of Citus; connect to the coordinator")
	case len(c.workers) == 0:
		return errors.New("its Citus has no workers: add each with SELECT citus_add_node('HOST', PORT) first")
	}
	return nil
}
