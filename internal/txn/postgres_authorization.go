package txn

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// divisionByZero is the error code of a failed check. The server itself has to abort
// the transaction, because later statements, and perhaps the commit, are sent in
// the same message.
const divisionByZero = "22012"

// A request that writes holds a shared lock of its store from the check of its token
// until its commit. The command line locks the store's row instead, so that its
// long transactions do not block the revocation of tokens.
const (
	checkToken = "SELECT 1 / count(*) FROM tokens WHERE hash = $1 AND store_hash = $2"
	checkStore = "SELECT 1 / count(*) FROM (SELECT 1 FROM stores WHERE hash = $1 AND date_deleted = 0 FOR SHARE) AS there"
)

var holdWriters = fmt.Sprintf(lockShared, writers)

// begun returns the statements that begin a transaction, followed by the checks of
// the context's authorization.
func begun(ctx context.Context, begin []statement) []statement {
	return append(begin, checks([]authorization{authorizationOf(ctx)})...)
}

// checks returns the statements that check authorizations, each once. All locks come
// first and in the same order, so that transactions cannot deadlock.
func checks(authorizations []authorization) []statement {
	var locks []int32
	var stores, tokens []statement
	seen := map[authorization]bool{}
	for _, k := range authorizations {
		if !k.checked || seen[k] {
			continue
		}
		seen[k] = true
		if k.token == "" {
			stores = append(stores, statement{query: checkStore, args: []any{k.store}, authorization: k})
			continue
		}
		locks = append(locks, lockNumber(k.store))
		tokens = append(tokens, statement{query: checkToken, args: []any{k.token, k.store}, authorization: k})
	}
	slices.Sort(locks)
	slices.SortFunc(stores, func(a, b statement) int { return cmp.Compare(a.authorization.store, b.authorization.store) })
	statements := make([]statement, 0, len(locks)+len(stores)+len(tokens))
	for _, number := range slices.Compact(locks) {
		statements = append(statements, statement{query: holdWriters, args: []any{number}})
	}
	return slices.Concat(statements, stores, tokens)
}

// rejected returns the error of a failed statement: the authorization's error if the
// statement was a check.
func (q statement) rejected(err error) error {
	if q.authorization.checked && postgresCode(err) == divisionByZero {
		return q.authorization.rejected(err)
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
