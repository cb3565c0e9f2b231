package txn

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"testing"
)

// BenchmarkLookup compares one lookup by key in a read transaction: through a
// session of this package and through database/sql, with a prepared statement.
func BenchmarkLookup(b *testing.B) {
	const query = "SELECT name FROM g WHERE store_hash = $1 AND id = $2"
	const rows = 10_000
	ctx := context.Background()
	raw, err := sql.Open("sqlite", filepath.Join(b.TempDir(), "lookup.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	raw.SetMaxOpenConns(1)
	for _, q := range []string{
		"CREATE TABLE g (store_hash TEXT, id INTEGER, name TEXT, PRIMARY KEY (store_hash, id))",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10000) INSERT INTO g SELECT 'bench', x, 'Group ' || x FROM c",
	} {
		if _, err := raw.ExecContext(ctx, q); err != nil {
			b.Fatal(err)
		}
	}
	id := func(i int) int64 { return int64(i*7919%rows + 1) }

	b.Run("session", func(b *testing.B) {
		conn, err := raw.Conn(ctx)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		b.ReportAllocs()
		if err := conn.Raw(func(c any) error {
			s := &sqliteConn{conn: c.(driver.Conn), statements: map[string]*sqliteStmt{}}
			for i := 0; b.Loop(); i++ {
				if err := lookUp(ctx, s, query, id(i)); err != nil {
					return err
				}
			}
			return s.forget()
		}); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("database-sql", func(b *testing.B) {
		stmt, err := raw.PrepareContext(ctx, query)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = stmt.Close() }()
		b.ReportAllocs()
		var name string
		for i := 0; b.Loop(); i++ {
			tx, err := raw.BeginTx(ctx, nil)
			if err != nil {
				b.Fatal(err)
			}
			if err := tx.StmtContext(ctx, stmt).QueryRowContext(ctx, "bench", id(i)).Scan(&name); err != nil { //nolint:sqlclosecheck // the transaction closes its copy of the statement
				b.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// lookUp reads one row in a read transaction.
func lookUp(ctx context.Context, s *sqliteConn, query string, id int64) error {
	if _, err := s.exec(ctx, "BEGIN", nil); err != nil {
		return err
	}
	var name string
	rows, err := s.query(ctx, query, []any{"bench", id})
	if err := (Row{rows, err}).Scan(&name); err != nil {
		return err
	}
	_, err = s.exec(ctx, "COMMIT", nil)
	return err
}
