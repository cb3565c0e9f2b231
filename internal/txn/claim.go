package txn

// Claim says that a server works on the database until release is called or the
// process ends, and reports whether other servers do. Nobody is kept out. For a
// database that is not a file, and on other systems than Linux, others is false.
func (db *DB) Claim() (others bool, release func(), err error) {
	s, ok := db.backend.(*sqliteDB)
	if !ok {
		return false, func() {}, nil
	}
	return s.files.database.claim()
}
