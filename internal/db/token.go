package db

import (
	"errors"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const tokenColumns = "hash, id, store_hash, name, scopes, date_created, date_expires, date_used, token_id"

// InsertToken adds a token. It returns KindConflict if another token has the same
// secret.
func (t *Tx) InsertToken(k cohort.Token) error {
	scopes := make([]string, len(k.Scopes))
	for i, s := range k.Scopes {
		scopes[i] = string(s)
	}
	_, err := t.Exec("INSERT INTO tokens ("+tokenColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '')",
		k.Hash, k.ID, k.StoreKey, k.Name, strings.Join(scopes, " "), k.DateCreated.UnixMilli(), millis(k.DateExpires))
	return err
}

// TokenByHash returns the token that has a secret with the hash, or KindNotFound. For an
// earlier secret, hash, expiry and use are those of that secret. The token may have expired.
func (t *Tx) TokenByHash(hash string) (cohort.Token, error) {
	row, err := scanToken(t.Lookup("SELECT "+tokenColumns+" FROM tokens WHERE hash = $1", hash))
	if errors.Is(err, txn.ErrNoRows) {
		return row.Token, cohort.NotFound("token")
	}
	return row.Token, err
}

// ListTokens returns the tokens of a store, or of all stores if storeKey is empty,
// ordered by store and age, the oldest first. Earlier secrets are with their tokens, also if
// they have ended.
func (t *Tx) ListTokens(storeKey string) ([]cohort.Token, error) {
	rows, err := t.Query("SELECT "+tokenColumns+` FROM tokens WHERE $1 = '' OR store_hash = $1
		ORDER BY store_hash COLLATE "C", date_created, id COLLATE "C", date_expires DESC`, storeKey)
	if err != nil {
		return nil, err
	}
	all, err := txn.Collect(rows, scanToken)
	if err != nil {
		return nil, err
	}
	earlier := map[string][]cohort.EarlierSecret{}
	var tokens []cohort.Token
	for _, row := range all {
		if !row.earlier {
			tokens = append(tokens, row.Token)
			continue
		}
		earlier[row.ID] = append(earlier[row.ID], cohort.EarlierSecret{DateExpires: row.DateExpires, DateUsed: row.DateUsed})
	}
	for i, k := range tokens {
		secrets := earlier[k.ID]
		slices.SortStableFunc(secrets, func(a, b cohort.EarlierSecret) int { return b.DateExpires.Compare(a.DateExpires) })
		tokens[i].Earlier = secrets
	}
	return tokens, nil
}

// RotateToken gives the token with an id a new hash and expiry. The secret that it has ends at
// until, or when it ends anyway; if that is not after now, all secrets that it has end now. It
// returns KindNotFound, or KindConflict if another token has the secret. It waits for the
// running writes of the token's store.
func (t *Tx) RotateToken(id, hash string, expires, now, until time.Time) error {
	store, err := t.TokenStore(id)
	if err != nil {
		return err
	}
	if err := t.LockWriters(store); err != nil {
		return err
	}
	k, err := scanToken(t.Lookup("SELECT "+tokenColumns+" FROM tokens WHERE id = $1", id))
	if err != nil {
		return err
	}
	if _, err := t.Exec("UPDATE tokens SET hash = $2, date_expires = $3, date_used = 0 WHERE id = $1", id, hash, millis(expires)); err != nil {
		return err
	}
	if !k.DateExpires.IsZero() && k.DateExpires.Before(until) {
		until = k.DateExpires
	}
	if err := t.keepSecret(k.Token, now, until); err != nil {
		return err
	}
	return t.Note(nil, txn.Change{Kind: txn.TokenDeleted})
}

// keepSecret keeps the secret of a token as an earlier one until a time, and deletes those that
// have ended. If the time is not after now, it deletes all earlier ones.
func (t *Tx) keepSecret(k cohort.Token, now, until time.Time) error {
	if !until.After(now) {
		return t.Later("DELETE FROM tokens WHERE store_hash = $1 AND token_id = $2", k.StoreKey, k.ID)
	}
	_, err := t.Exec("INSERT INTO tokens ("+tokenColumns+`) SELECT $2, $3, store_hash, name, scopes, date_created, CAST($4 AS BIGINT), CAST($5 AS BIGINT), id
		FROM tokens WHERE id = $1`, k.ID, k.Hash, k.ID+"~"+k.Hash[:16], until.UnixMilli(), millis(k.DateUsed))
	if err != nil {
		return err
	}
	return t.Later("DELETE FROM tokens WHERE store_hash = $1 AND token_id = $2 AND date_expires <= $3", k.StoreKey, k.ID, now.UnixMilli())
}

// TouchToken says in which hour the secret with a hash was used, unless a later one is known.
func (t *Tx) TouchToken(hash string, hour time.Time) error {
	_, err := t.Exec("UPDATE tokens SET date_used = $2 WHERE hash = $1 AND date_used < $2", hash, hour.UnixMilli())
	return err
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
	if err := t.Later("DELETE FROM tokens WHERE store_hash = $1 AND token_id = $2", store, id); err != nil {
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
	err = t.Lookup("SELECT store_hash FROM tokens WHERE id = $1 AND token_id = ''", id).Scan(&storeKey)
	if errors.Is(err, txn.ErrNoRows) {
		return "", cohort.NotFound("token " + id)
	}
	return storeKey, err
}

// tokenRow is a token, or an earlier secret of one.
type tokenRow struct {
	cohort.Token
	earlier bool
}

func scanToken(row txn.Scanner) (tokenRow, error) {
	var k tokenRow
	var scopes, tokenID string
	var created, expires, used int64
	err := row.Scan(&k.Hash, &k.ID, &k.StoreKey, &k.Name, &scopes, &created, &expires, &used, &tokenID)
	for s := range strings.FieldsSeq(scopes) {
		k.Scopes = append(k.Scopes, cohort.Scope(s))
	}
	k.DateCreated, k.DateExpires, k.DateUsed = fromMillis(created), optionalTime(expires), optionalTime(used)
	if tokenID != "" {
		k.ID, k.earlier = tokenID, true
	}
	return k, err
}

// optionalTime returns the time of a column in which 0 means none.
func optionalTime(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return fromMillis(millis)
}
