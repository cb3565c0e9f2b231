package txn

// Stats is what a database behind a network tells of its connections and of what
// became of transactions since it was opened.
type Stats struct {
	InUse, Idle, Max int   // connections
	Repeated         int64 // attempts after which a transaction was tried again
	Unknown          int64 // commits of which nobody could say how they ended
}

// Stats returns ok false for a database that is a file.
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
