package txn

// Place says where the rows of a table are in a database that Citus distributes over
// several servers. On other databases all rows are in one place.
type Place int

// The places of tables.
const (
	// ByStore spreads the rows by store_hash. All rows of a store, of all these tables, are
	// on one server.
	ByStore Place = iota + 1
	// OnEveryServer keeps a copy of all rows on every server. A read is local; a write is made
	// on all servers, and fails if one of them is down.
	OnEveryServer
	// Local is a table that is used only where nothing is distributed. Citus does not get
	// to know it.
	Local
)

// TablePlace is the place of one table.
type TablePlace struct {
	Table string
	Place Place
}

// String implements [fmt.Stringer].
func (p Place) String() string {
	switch p {
	case ByStore:
		return "distributed by store_hash"
	case OnEveryServer:
		return "reference table"
	case Local:
		return "local"
	}
	return "unknown"
}

// spread returns how many tables Citus has to know.
func spread(places []TablePlace) (n int) {
	for _, p := range places {
		if p.Place != Local {
			n++
		}
	}
	return n
}
