package txn

// Stats describes the connection pool of PostgreSQL and counts events since the
// database was opened.
type Stats struct {
	InUse, Idle, Max int   // connections
	Repeated         int64 // retries of transactions
	Unknown          int64 // commits whose outcome stayed unknown
}

// Stats returns ok false on SQLite.
func (db *DB) Stats() (s Stats, ok bool) {
	p, ok := db.backend.(*postgresDB)
	if !ok {
		return Stats{}, false
	}
	s = Stats{Repeated: p.repeated.Load(), Unknown: p.unknown.Load()}
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
