package db

import "time"

// BlockDomain blocks the destinations of a token in a domain until a time, because of count
// failures of which description is the last.
func (t *Tx) BlockDomain(storeKey, tokenID, domain string, until time.Time, description string, count int, now time.Time) error {
	reasons := mustMarshal([]blockReason{{description, count, now.Unix()}})
	return t.Later(`INSERT INTO hook_blocks (store_hash, token_id, domain, blocked_until, reasons) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (store_hash, token_id, domain) DO UPDATE SET blocked_until = $4, reasons = $5`,
		storeKey, tokenID, domain, until.UnixMilli(), reasons)
}

// DeleteOldBlocks deletes the blocks of a store that have ended.
func (t *Tx) DeleteOldBlocks(storeKey string, now time.Time) error {
	return t.Later("DELETE FROM hook_blocks WHERE store_hash = $1 AND blocked_until <= $2", storeKey, now.UnixMilli())
}
