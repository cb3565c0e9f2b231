package db

// CountStoreRows returns how many rows of a store SweepStore would delete. It counts
// them all, so it takes time in proportion to the store.
func (t *Tx) CountStoreRows(key string) (rows int64, err error) {
	for _, table := range sweptTables() {
		var n int64
		if err := t.QueryRow("SELECT count(*) FROM "+table.name+" WHERE store_hash = $1", key).Scan(&n); err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, nil
}
