package txn

import (
	"slices"
	"strconv"
	"strings"
)

// ClosingRows describes rows that transactions insert as the last thing before they commit;
// see [Tx.InsertAtEnd].
type ClosingRows struct {
	types []string
	// byCount are the statements of an engine without arrays, by the number of their rows.
	byCount map[int]string
	// arrays is the statement of an engine that has them, with an array for each column.
	arrays string
}

// closingCounts are the numbers of rows for which SQLite has a statement. A few of them make
// any number.
var closingCounts = []int{32, 16, 8, 4, 2, 1}

// NewClosingRows describes rows of a table. columns are names and types, such as "id BIGINT"; the
// type is BIGINT or TEXT. A row is left out unless condition holds, where the row is "new".
// The rows get the values of other columns, such as a sequence, in their order.
func NewClosingRows(table, condition string, columns ...string) *ClosingRows {
	r := &ClosingRows{byCount: map[int]string{}}
	var names, arrays []string
	for i, c := range columns {
		name, kind, _ := strings.Cut(c, " ")
		names, r.types = append(names, name), append(r.types, kind)
		arrays = append(arrays, "CAST($"+strconv.Itoa(i+1)+" AS "+kind+"[])")
	}
	list := strings.Join(names, ", ")
	insert, where := "INSERT INTO "+table+" ("+list+") SELECT "+list+" FROM ", " WHERE "+condition
	r.arrays = insert + "unnest(" + strings.Join(arrays, ", ") + ") WITH ORDINALITY AS new (" + list + ", place)" + where + " ORDER BY place"
	// SQLite looks the names of parameters up one by one, and "?" has none.
	row := "(?" + strings.Repeat(", ?", len(names)-1) + ")"
	for _, n := range closingCounts {
		r.byCount[n] = "WITH new (" + list + ") AS (VALUES " + row + strings.Repeat(", "+row, n-1) + ") " + insert + "new" + where
	}
	return r
}

// closingRow is a row that waits for the end of its transaction.
type closingRow struct {
	of     *ClosingRows
	values []any // a string or an int64 for each column
}

// maxClosing is how many rows of one update wait in memory.
const maxClosing = 100

// InsertAtEnd inserts a row before the transaction commits, together with those of other
// updates that share the transaction. Statements of this transaction do not see it. If the
// row cannot be inserted, Update fails. values are a string or an int64 for each column.
func (t *Tx) InsertAtEnd(r *ClosingRows, values ...any) error {
	t.closing = append(t.closing, closingRow{r, values})
	if len(t.closing)-t.closingFrom < maxClosing {
		return nil
	}
	return t.InsertClosing()
}

// InsertClosing inserts the rows that InsertAtEnd has kept for this update, so that its
// statements see them.
func (t *Tx) InsertClosing() error {
	own := t.closing[t.closingFrom:] // others must remain if this update is undone
	t.closing = t.closing[:t.closingFrom]
	return t.insertClosing(own)
}

// InsertNow is InsertAtEnd for a row that later statements of this transaction see.
func (t *Tx) InsertNow(r *ClosingRows, values ...any) error {
	return t.insertClosing([]closingRow{{r, values}})
}

// insertClosing inserts rows.
func (t *Tx) insertClosing(rows []closingRow) error {
	for _, s := range t.engine.closingStatements(rows) {
		if err := t.Later(s.query, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// closingStatements are the statements that insert rows, in their order.
func (e *engine) closingStatements(rows []closingRow) (list []statement) {
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].of == rows[0].of {
			n++
		}
		if e.arrays {
			list = append(list, arraysOf(rows[:n]))
		} else {
			list = append(list, valuesOf(rows[:n])...)
		}
		rows = rows[n:]
	}
	return list
}

// valuesOf inserts rows of one table with a value for each column of each row.
func valuesOf(rows []closingRow) (list []statement) {
	for _, n := range closingCounts {
		for len(rows) >= n {
			args := make([]any, 0, n*len(rows[0].values))
			for _, r := range rows[:n] {
				args = append(args, r.values...)
			}
			list = append(list, statement{query: rows[0].of.byCount[n], args: args})
			rows = rows[n:]
		}
	}
	return list
}

// arraysOf inserts rows of one table with an array for each column.
func arraysOf(rows []closingRow) statement {
	of := rows[0].of
	args := make([]any, len(of.types))
	for column, kind := range of.types {
		if kind == "BIGINT" {
			args[column] = columnOf[int64](rows, column)
		} else {
			args[column] = columnOf[string](rows, column)
		}
	}
	return statement{query: of.arrays, args: args}
}

func columnOf[T any](rows []closingRow, column int) []T {
	values := make([]T, 0, len(rows))
	for _, r := range rows {
		v, _ := r.values[column].(T)
		values = append(values, v)
	}
	return slices.Clip(values)
}
