package dbtest

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
)

// Texts returns the values of all columns of a database as text, by "table.column".
func Texts(t testing.TB, d *db.DB) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := d.View(t.Context(), func(tx *db.Tx) error {
		query := "SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"
		if tx.SQL().ForUpdate != "" {
			query = `SELECT CAST(table_name AS TEXT) || '.' || CAST(column_name AS TEXT) FROM information_schema.columns
				WHERE table_schema = current_schema()`
		}
		columns, err := textsOf(tx, query)
		for _, name := range columns {
			if err != nil {
				return err
			}
			table, column, _ := strings.Cut(name, ".")
			var values []string
			values, err = textsOf(tx, fmt.Sprintf("SELECT coalesce(CAST(%s AS TEXT), '') FROM %s", column, table))
			texts[name] = strings.Join(values, "\n")
		}
		return err
	})
	if err != nil || len(texts) < 100 {
		t.Fatalf("%d columns, %v", len(texts), err)
	}
	return texts
}

// textsOf returns the rows of a query for one text.
func textsOf(tx *db.Tx, query string) (list []string, err error) {
	rows, err := tx.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}
