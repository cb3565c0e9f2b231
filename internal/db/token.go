package db

import (
	"errors"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const tokenColumns = "hash, id, store_hash, name, scopes, date_created"

// InsertToken adds a token. It returns KindConflict if another token has the same
// secret.
func (t *Tx) InsertToken(k cohort.Token) error {
	scopes := make([]string, len(k.Scopes))
	for i, s := range k.Scopes {
		scopes[i] = string(s)
	}
	_, err := t.Exec("INSERT INTO tokens ("+tokenColumns+") VALUES ($1, $2, $3, $4, $5, $6)",
		k.Hash, k.ID, k.StoreKey, k.Name, strings.Join(scopes, " "), k.DateCreated.UnixMilli())
	return err
}

// TokenByHash returns the token whose secret has the hash, or KindNotFound.
func (t *Tx) TokenByHash(hash string) (cohort.Token, error) {
	k, err := scanToken(t.Lookup("SELECT "+tokenColumns+" FROM tokens WHERE hash = $1", hash))
	if errors.Is(err, txn.ErrNoRows) {
		return k, cohort.NotFound("token")
	}
	return k, err
}

// ListTokens returns the tokens of a store, or of all stores if storeKey is empty,
// ordered by store and age, the oldest first.
func (t *Tx) ListTokens(storeKey string) ([]cohort.Token, error) {
	rows, err := t.Query("SELECT "+tokenColumns+` FROM tokens WHERE $1 = '' OR store_hash = $1
		ORDER BY store_hash COLLATE "C", date_created, id COLLATE "C"`, storeKey)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanToken)
}

// DeleteToken deletes the token with the id, its hooks without their deliveries, and its
// client secrets, or returns KindNotFound. It waits for
// the running writes of the token's store; later writes are rejected because the
// token does not exist.
func (t *Tx) DeleteToken(id string) error {
	store, err := t.TokenStore(id)
	if err != nil {
		return err
	}
	if err := t.LockWriters(store); err != nil {
		return err
	}
	n, err := t.Exec("DELETE FROM tokens WHERE id = $1", id)
	if err := t.Note(requireRow(n, err, "token "+id), txn.Change{Kind: txn.TokenDeleted}); err != nil {
		return err
	}
	return t.endHooks(store, id)
}

// TokenStore returns the key of the store of a token, or KindNotFound.
func (t *Tx) TokenStore(id string) (storeKey string, err error) {
	err = t.Lookup("SELECT store_hash FROM tokens WHERE id = $1", id).Scan(&storeKey)
	if errors.Is(err, txn.ErrNoRows) {
		return "", cohort.NotFound("token " + id)
	}
	return storeKey, err
}

func scanToken(row txn.Scanner) (cohort.Token, error) {
	var k cohort.Token
	var scopes string
	var created int64
	err := row.Scan(&k.Hash, &k.ID, &k.StoreKey, &k.Name, &scopes, &created)
	for s := range strings.FieldsSeq(scopes) {
		k.Scopes = append(k.Scopes, cohort.Scope(s))
	}
	k.DateCreated = fromMillis(created)
	return k, err
}
