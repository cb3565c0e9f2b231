package txn

// Claim marks the database as in use by a server until release is called or the
// process ends. It excludes no server. others reports that other servers use it, alone that
// none does. On PostgreSQL, and on systems other than Linux, Claim cannot know, and both are
// false.
func (db *DB) Claim() (others, alone bool, release func(), err error) {
	s, ok := db.backend.(*sqliteDB)
	if !ok {
		return false, false, func() {}, nil
	}
	return s.files.database.claim()
}
