package db

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/txn"
)

// CopiedTables is the names of the tables that are copied, and CopiedColumns
// those of a table's columns.
func CopiedTables() (names []string) {
	for _, t := range copied {
		names = append(names, t.name)
	}
	return names
}

func CopiedColumns(name string) (columns []string) {
	for _, t := range copied {
		if t.name == name {
			for _, c := range t.columns {
				columns = append(columns, c.name)
			}
		}
	}
	return columns
}

// Schema returns the columns of every table that the database has, by table.
func (t *Tx) Schema(tb testing.TB) map[string][]string {
	tb.Helper()
	query := "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid"
	if t.SQL().ForUpdate != "" {
		query = `SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
			WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`
	}
	rows, err := t.Query(query)
	if err != nil {
		tb.Fatal(err)
	}
	type pair struct{ table, column string }
	pairs, err := txn.Collect(rows, func(row txn.Scanner) (p pair, err error) { return p, row.Scan(&p.table, &p.column) })
	if err != nil {
		tb.Fatal(err)
	}
	schema := map[string][]string{}
	for _, p := range pairs {
		schema[p.table] = append(schema[p.table], p.column)
	}
	return schema
}

// Dump returns every row of a table that is copied, as text.
func (t *Tx) Dump(tb testing.TB, name string) (list []string) {
	tb.Helper()
	i := slices.IndexFunc(copied, func(c table) bool { return c.name == name })
	table := copied[i]
	rows, err := t.Query("SELECT " + table.columnNames() + " FROM " + table.name)
	if err != nil {
		tb.Fatal(err)
	}
	list, err = txn.Collect(rows, func(row txn.Scanner) (string, error) {
		values := make([]any, len(table.columns))
		for i, c := range table.columns {
			values[i] = c.new()
		}
		if err := row.Scan(values...); err != nil {
			return "", err
		}
		var b strings.Builder
		for _, v := range values {
			switch v := v.(type) {
			case *string:
				fmt.Fprintf(&b, "%q ", *v)
			case *int64:
				fmt.Fprint(&b, *v, " ")
			case *bool:
				fmt.Fprint(&b, *v, " ")
			}
		}
		return b.String(), nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	slices.SortFunc(list, cmp.Compare)
	return list
}

// SweptTables returns the names of the tables that SweepStore empties, in order.
func SweptTables() (names []string) {
	for _, t := range sweptTables() {
		names = append(names, t.name)
	}
	return names
}
