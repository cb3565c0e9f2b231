package db

// Info describes a database.
type Info struct {
	Engine string // its name and version
	Schema int64  // the number of its last migration
	Bytes  int64  // that it uses, without what is not yet moved out of the write-ahead log
}

// Info returns what the database is.
func (t *Tx) Info() (i Info, err error) {
	if err := t.QueryRow(t.SQL().Engine).Scan(&i.Engine); err != nil {
		return i, err
	}
	if err := t.QueryRow(t.SQL().Size).Scan(&i.Bytes); err != nil {
		return i, err
	}
	err = t.QueryRow("SELECT MAX(version_id) FROM goose_db_version WHERE is_applied").Scan(&i.Schema)
	return i, err
}
