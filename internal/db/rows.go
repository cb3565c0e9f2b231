package db

import (
	"strconv"
	"strings"
)

// insertValues inserts rows of one store with one statement. into is the table, columns
// are its columns after store_hash, and each row has a value for each of them. end
// follows the rows.
func (t *Tx) insertValues(storeKey, into, columns string, rows [][]any, end string) error {
	if len(rows) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("INSERT INTO " + into + " (store_hash, " + columns + ") VALUES ")
	args := make([]any, 0, 1+len(rows)*len(rows[0]))
	args = append(args, storeKey)
	for i, row := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("($1")
		for _, value := range row {
			args = append(args, value)
			b.WriteString(", $" + strconv.Itoa(len(args)))
		}
		b.WriteByte(')')
	}
	b.WriteString(end)
	return t.Later(b.String(), args...)
}
