package txn

// Claim marks the database as in use by a server until release is called or the
// process ends, and reports whether other servers use it. It excludes no server. On
// PostgreSQL, and on systems other than Linux, others is always false.
func (db *DB) Claim() (others bool, release func(), err error) {
	s, ok := db.backend.(*sqliteDB)
	if !ok {
		return false, func() {}, nil
	}
	return s.files.database.claim()
}
