package txn

import (
	"context"
	"fmt"
)

// maxDamage bounds how many problems one check of a file reports.
const maxDamage = 100

// Damage checks the file of a SQLite database: its pages, its indexes, and that each row
// that another one refers to exists. It returns what is wrong, a line each and at most
// maxDamage of each kind, and reads the whole file. It returns none on PostgreSQL, which
// checks what it reads by itself.
func (db *DB) Damage(ctx context.Context) (lines []string, err error) {
	if _, ok := db.backend.(*sqliteDB); !ok {
		return nil, nil
	}
	err = db.Scratch(ctx, func(tx *Tx) error {
		lines, err = tx.damage()
		return err
	})
	return lines, err
}

func (t *Tx) damage() (lines []string, err error) {
	rows, err := t.Query(fmt.Sprintf("PRAGMA integrity_check(%d)", maxDamage))
	if err != nil {
		return nil, err
	}
	add := func(line string) bool { lines = append(lines, line); return true }
	scan := func(row Scanner) (line string, err error) { return line, row.Scan(&line) }
	if err := Each(rows, scan, func(line string) bool { return line == "ok" || add(line) }); err != nil {
		return nil, err
	}
	rows, err = t.Query("SELECT \"table\" || ' has ' || count(*) || ' rows that refer to missing rows of ' || parent" +
		" FROM pragma_foreign_key_check GROUP BY \"table\", parent ORDER BY 1 LIMIT " + fmt.Sprint(maxDamage))
	if err != nil {
		return nil, err
	}
	return lines, Each(rows, scan, add)
}
