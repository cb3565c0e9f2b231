package txn

import (
	"slices"
	"strconv"
	"strings"
)

// RowInsert describes a row that many updates insert, each its own. On PostgreSQL those that
// share a transaction are inserted by one statement.
type RowInsert struct {
	types  []string
	single string // the statement for one row
	many   string // that for several, with an array for each column
}

// NewRowInsert describes rows of a table. columns are names and types, such as "id BIGINT"; the
// type is BIGINT, BOOLEAN or TEXT.
func NewRowInsert(table string, columns ...string) *RowInsert {
	r := &RowInsert{}
	var names, values, arrays []string
	for i, c := range columns {
		name, kind, _ := strings.Cut(c, " ")
		arg := "$" + strconv.Itoa(i+1)
		names, r.types = append(names, name), append(r.types, kind)
		values, arrays = append(values, arg), append(arrays, "CAST("+arg+" AS "+kind+"[])")
	}
	list := strings.Join(names, ", ")
	insert := "INSERT INTO " + table + " (" + list + ") "
	r.single = insert + "VALUES (" + strings.Join(values, ", ") + ")"
	r.many = insert + "SELECT " + list + " FROM unnest(" + strings.Join(arrays, ", ") + ") WITH ORDINALITY AS new (" + list + ", place) ORDER BY place"
	return r
}

// InsertInOrder inserts a row as LaterInOrder does. values are an int64, bool or string for
// each column.
func (t *Tx) InsertInOrder(order string, r *RowInsert, values ...any) error {
	if err := t.LaterInOrder(order, r.single, values...); err != nil {
		return err
	}
	if s, ok := t.session.(*postgresSession); ok && len(s.queued) > 0 {
		s.queued[len(s.queued)-1].row = r
	}
	return nil
}

// joinRows returns the statements that insert rows, those of a table together, in the order
// of the first ones.
func joinRows(rows []statement) (list []statement) {
	for len(rows) > 0 {
		same, others := rows[:0:0], rows[:0:0]
		for _, s := range rows {
			if s.row == rows[0].row {
				same = append(same, s)
			} else {
				others = append(others, s)
			}
		}
		list, rows = append(list, joinSame(same)), others
	}
	return list
}

func joinSame(rows []statement) statement {
	if len(rows) == 1 {
		return rows[0]
	}
	r := rows[0].row
	args := make([]any, len(r.types))
	for column, kind := range r.types {
		switch kind {
		case "BIGINT":
			args[column] = argsOf[int64](rows, column)
		case "BOOLEAN":
			args[column] = argsOf[bool](rows, column)
		default:
			args[column] = argsOf[string](rows, column)
		}
	}
	return statement{query: r.many, args: args, order: rows[0].order}
}

func argsOf[T any](rows []statement, column int) []T {
	values := make([]T, 0, len(rows))
	for _, s := range rows {
		v, _ := s.args[column].(T)
		values = append(values, v)
	}
	return slices.Clip(values)
}
