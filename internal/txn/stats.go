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
	pool := p.pool.Stat()
	return Stats{
		InUse: int(pool.AcquiredConns()), Idle: int(pool.IdleConns()), Max: int(pool.MaxConns()),
		Repeated: p.repeated.Load(), Unknown: p.unknown.Load(),
	}, true
}
