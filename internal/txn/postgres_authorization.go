package txn

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
)

// divisionByZero is the error code of a failed check. The server itself has to abort
// the transaction, because later statements, and perhaps the commit, are sent in
// the same message.
const divisionByZero = "22012"

// A request that writes holds a shared lock of its store from the check of its token
// until its commit. The command line locks the store's row instead, so that its
// long transactions do not block the revocation of tokens.
//
// Citus has the stores on every server. A row lock there locks the whole table, on one of the
// servers for all: two writers of any stores deadlock if both change something that refers to
// a store, and none writes while that server is down. An advisory lock stands for it; see
// [Tx.LockStoreRow].
const (
	checkToken      = "SELECT 1 / count(*) FROM tokens WHERE hash = $1 AND store_hash = $2"
	checkStore      = "SELECT 1 / count(*) FROM (SELECT 1 FROM stores WHERE hash = $1 AND date_deleted = 0 FOR SHARE) AS there"
	checkCitusStore = "SELECT 1 / count(*) FROM stores WHERE hash = $1 AND date_deleted = 0"
)

// checkTokens is checkToken for several tokens with their stores. It looks up one after
// another, however many tokens there are.
const checkTokens = `SELECT 1 / (CASE WHEN count(*) = 0 THEN 1 ELSE 0 END) FROM unnest($1::text[], $2::text[]) AS k (token, store)
	WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE hash = k.token AND store_hash = k.store OFFSET 0)`

// holdManyWriters takes the shared locks of several stores, in the order of their numbers.
var holdManyWriters = fmt.Sprintf("SELECT pg_advisory_xact_lock_shared(%d, n) FROM unnest($1::int4[]) AS n", writers)

// checks returns the statements that check authorizations of stores in a place, each once.
// All locks come first and in the same order, so that transactions cannot deadlock. A lock
// must be a statement before the check: a statement does not see what was committed while it
// waited for a lock.
func (p storePlace) checks(authorizations []authorization) []statement {
	check := checkStore
	if p.citus {
		check = checkCitusStore
	}
	var stores, rows []statement
	var bearers []authorization
	seen := map[authorization]bool{}
	for _, k := range authorizations {
		if !k.checked || seen[k] {
			continue
		}
		seen[k] = true
		if k.token == "" {
			stores = append(stores, statement{query: check, args: []any{k.store}, authorization: k})
			continue
		}
		bearers = append(bearers, k)
	}
	slices.SortFunc(stores, func(a, b statement) int { return cmp.Compare(a.authorization.store, b.authorization.store) })
	if p.citus {
		for _, s := range stores {
			rows = append(rows, p.lock(lockShared, storeRows, s.authorization.store))
		}
	}
	return slices.Concat(p.holdWriters(bearers), rows, stores, tokenChecks(bearers))
}

// holdWriters returns the statements that take the shared locks of the stores of bearers.
func (p storePlace) holdWriters(bearers []authorization) (list []statement) {
	numbers := make(map[int32]string, len(bearers))
	for _, k := range bearers {
		numbers[lockNumber(k.store)] = k.store
	}
	sorted := slices.Sorted(maps.Keys(numbers))
	if len(sorted) > 1 && p.isDirect() {
		return []statement{{query: holdManyWriters, args: []any{sorted}}}
	}
	for _, n := range sorted {
		list = append(list, p.lock(lockShared, writers, numbers[n]))
	}
	return list
}

// tokenChecks returns the statements that check tokens: one for one, and one for several. If
// that fails, each of the transactions that share it is repeated in a smaller share.
func tokenChecks(bearers []authorization) []statement {
	switch len(bearers) {
	case 0:
		return nil
	case 1:
		k := bearers[0]
		return []statement{{query: checkToken, args: []any{k.token, k.store}, authorization: k}}
	}
	tokens, stores := make([]string, len(bearers)), make([]string, len(bearers))
	for i, k := range bearers {
		tokens[i], stores[i] = k.token, k.store
	}
	return []statement{{query: checkTokens, args: []any{tokens, stores}}}
}

// rejected returns the error of a failed statement: the authorization's error if the
// statement was a check.
func (q statement) rejected(err error) error {
	if q.authorization.checked && postgresCode(err) == divisionByZero {
		return q.authorization.rejected(err)
	}
	if q.run != "" && postgresCode(err) == divisionByZero {
		return fmt.Errorf("%w: %w", errOtherServer, err)
	}
	return err
}

// checkAuthorization is for a transaction that failed before its check was sent: at
// the allocation of an id, which is outside the transaction. It returns an error if
// the authorization is not valid any more, which may explain the failure.
func (d *postgresDB) checkAuthorization(ctx context.Context, s *postgresSession) error {
	if k := authorizationOf(ctx); !k.checked || k.token == "" {
		return nil
	}
	_, err := s.exec(ctx, "SELECT 1", nil)
	return err
}
