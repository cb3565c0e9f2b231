package txn

import (
	"io/fs"

	"cohort.example/cohort"
)

// Schema describes the tables of a database to [Open].
type Schema struct {
	// Migrations are the files of goose that create the tables.
	Migrations fs.FS
	// Unique are the unique indexes whose violation is a mistake of the caller.
	Unique []UniqueIndex
	// Places says where each table is on Citus. [Distribute] goes through it in this order.
	// The first table by store decides which server has which stores.
	Places []TablePlace
}

// UniqueIndex is a unique index whose violation is a mistake of the caller. [DB.Update]
// returns Taken for a violation and does not retry. For a violation of any other
// index it returns KindConflict, on PostgreSQL after some attempts.
type UniqueIndex struct {
	// Name is the name of the index, which PostgreSQL reports.
	Name string
	// Column is a column of this index only, as "table.column". SQLite reports the
	// columns of an index instead of its name.
	Column string
	// Taken has the kind KindInvalid. Update returns a copy with the cause.
	Taken *cohort.Error
}

// taken returns the error of the unique index that a driver error is a violation of,
// or nil for another error.
func (e *engine) taken(err error) *cohort.Error {
	if !e.conflict(err) {
		return nil
	}
	for _, u := range e.unique {
		if e.violates(err, u) {
			taken := *u.Taken
			taken.Err = err
			return &taken
		}
	}
	return nil
}
