package txn

// Stats describes the connection pool of PostgreSQL and counts events since the
// database was opened.
type Stats struct {
	InUse, Idle, Max int   // connections
	Repeated         int64 // retries of transactions
	Unknown          int64 // commits whose outcome stayed unknown
	Followed         int64 // queries for the changes of other nodes
	NotFollowed      int64 // those of them that failed, or found a writer that does not record its changes
}

// Stats returns ok false on SQLite.
func (db *DB) Stats() (s Stats, ok bool) {
	p, ok := db.backend.(*postgresDB)
	if !ok {
		return Stats{}, false
	}
	s = Stats{
		Repeated: p.repeated.Load(), Unknown: p.unknown.Load(),
		Followed: p.follower.queries.Load(), NotFollowed: p.follower.failures.Load(),
	}
	add := func(server *postgresServer) {
		pool := server.pool.Stat()
		s.InUse += int(pool.AcquiredConns())
		s.Idle += int(pool.IdleConns())
		s.Max += int(pool.MaxConns())
	}
	add(p.home)
	if p.cluster != nil {
		p.cluster.each(add)
	}
	return s, true
}
