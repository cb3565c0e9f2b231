package txn

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// divisionByZero is the code of the error that a check ends a transaction with.
// It has to be the server that ends it: the statements behind the check, and
// perhaps the commit, are sent with it.
const divisionByZero = "22012"

// A request that writes holds the lock of its store while it looks at its token
// and until its commit. The command line holds the store's row, so that the long
// work that it may do does not keep tokens from being revoked.
const (
	checkToken = "SELECT 1 / count(*) FROM tokens WHERE hash = $1 AND store_hash = $2"
	checkStore = "SELECT 1 / count(*) FROM (SELECT 1 FROM stores WHERE hash = $1 AND date_deleted = 0 FOR SHARE) AS there"
)

var holdWriters = fmt.Sprintf(lockShared, writers)

// begun returns the statements that begin a transaction, with the check of the
// context's ticket behind them.
func begun(ctx context.Context, begin []statement) []statement {
	return append(begin, checks([]ticket{ticketOf(ctx)})...)
}

// checks returns the statements that check tickets, each once. All locks come first
// and in one order, so that no two transactions wait for each
// other.
func checks(tickets []ticket) []statement {
	var locks []int32
	var stores, tokens []statement
	seen := map[ticket]bool{}
	for _, k := range tickets {
		if !k.checked || seen[k] {
			continue
		}
		seen[k] = true
		if k.token == "" {
			stores = append(stores, statement{checkStore, []any{k.store}, k})
			continue
		}
		locks = append(locks, lockNumber(k.store))
		tokens = append(tokens, statement{checkToken, []any{k.token, k.store}, k})
	}
	slices.Sort(locks)
	slices.SortFunc(stores, func(a, b statement) int { return cmp.Compare(a.ticket.store, b.ticket.store) })
	statements := make([]statement, 0, len(locks)+len(stores)+len(tokens))
	for _, number := range slices.Compact(locks) {
		statements = append(statements, statement{query: holdWriters, args: []any{number}})
	}
	return slices.Concat(statements, stores, tokens)
}

// refused returns the error of a statement that has failed, as what it means if the
// statement was a check.
func (q statement) refused(err error) error {
	if q.ticket.checked && postgresCode(err) == divisionByZero {
		return q.ticket.refused(err)
	}
	return err
}

// checkTicket is for a transaction that has failed before its check was sent: on an
// id, which is not taken in the transaction. It returns an error if the failure may
// be because the ticket is not good any more.
func (d *postgresDB) checkTicket(ctx context.Context, s *postgresSession) error {
	if k := ticketOf(ctx); !k.checked || k.token == "" {
		return nil
	}
	_, err := s.exec(ctx, "SELECT 1", nil)
	return err
}
