package db

import (
	"time"

	"cohort.example/cohort/internal/txn"
)

// ClientSecrets returns the client secrets of a token that are valid at a time, the current
// one first and then those that end, the latest end first.
func (t *Tx) ClientSecrets(storeKey, client string, now time.Time) ([]string, error) {
	rows, err := t.Query(`SELECT secret FROM client_secrets WHERE store_hash = $1 AND token_id = $2 AND (date_expires = 0 OR date_expires > $3)
		ORDER BY CASE WHEN date_expires = 0 THEN 0 ELSE 1 END, date_expires DESC, date_created DESC, secret COLLATE "C"`,
		storeKey, client, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (secret string, err error) { return secret, row.Scan(&secret) })
}

// InsertClientSecret makes a secret the current one of a token. There must be none.
func (t *Tx) InsertClientSecret(storeKey, client, secret string, now time.Time) error {
	return t.Later("INSERT INTO client_secrets (store_hash, token_id, secret, date_created, date_expires) VALUES ($1, $2, $3, $4, 0)",
		storeKey, client, secret, now.UnixMilli())
}

// RetireClientSecret ends the current secret of a token at a time. It deletes those that have
// ended, and with an until that is not after now all.
func (t *Tx) RetireClientSecret(storeKey, client string, now, until time.Time) error {
	if !until.After(now) {
		return t.Later("DELETE FROM client_secrets WHERE store_hash = $1 AND token_id = $2", storeKey, client)
	}
	err := t.Later("UPDATE client_secrets SET date_expires = $3 WHERE store_hash = $1 AND token_id = $2 AND date_expires = 0",
		storeKey, client, until.UnixMilli())
	if err != nil {
		return err
	}
	return t.Later("DELETE FROM client_secrets WHERE store_hash = $1 AND token_id = $2 AND date_expires <> 0 AND date_expires <= $3",
		storeKey, client, now.UnixMilli())
}
