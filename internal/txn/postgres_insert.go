package txn

import (
	"cmp"
	"context"
	"slices"
)

// maxShared is how many insertions share a transaction, maxSharing how many such
// transactions run concurrently.
const (
	maxShared  = 128
	maxSharing = 3
)

// insertion is an update that only writes and needs no result of a query. Waiting
// insertions are sent in one message and committed together. They lock nothing that
// exists. Two of them may insert the same unique key, and then one waits for the
// transaction of the other; see [Tx.LaterInOrder].
type insertion struct {
	waiter
	authorization authorization
	statements    []statement
	closing       []closingRow
}

// order is the key of the first statement that has one.
func (i *insertion) order() string {
	for _, s := range i.statements {
		if s.order != "" {
			return s.order
		}
	}
	return ""
}

func (d *postgresDB) newInsertionBatcher() *batcher[*insertion] {
	return &batcher[*insertion]{process: d.insertAll, maxBatch: maxShared, workers: maxSharing}
}

// insert commits the statements, and closing rows after them. It returns when the outcome is
// final.
func (d *postgresDB) insert(ctx context.Context, statements []statement, closing []closingRow) error {
	k := authorizationOf(ctx)
	return d.insertions.do(&insertion{waiter: newWaiter(k.store), authorization: k, statements: statements, closing: closing})
}

// insertAll commits a batch of insertions, in the order of their keys. If the server
// rejects the batch, because of the statements of one caller, each half is retried by
// itself. So a batch of 128 with one bad insertion takes 15 transactions.
func (d *postgresDB) insertAll(batch []*insertion) {
	slices.SortStableFunc(batch, func(a, b *insertion) int { return cmp.Compare(a.order(), b.order()) })
	d.insertHalves(batch)
}

func (d *postgresDB) insertHalves(batch []*insertion) {
	err := d.insertTogether(batch)
	if len(batch) == 1 || !isRefused(err) {
		setError(batch, err)
		return
	}
	half := len(batch) / 2
	d.insertHalves(batch[:half])
	d.insertHalves(batch[half:])
}

func authorizationsOf(batch []*insertion) []authorization {
	authorizations := make([]authorization, len(batch))
	for n, i := range batch {
		authorizations[n] = i.authorization
	}
	return authorizations
}

func (d *postgresDB) insertTogether(batch []*insertion) error {
	ctx, cancel := context.WithTimeout(context.Background(), attemptTimeout)
	defer cancel()
	begin := append([]statement{{query: beginUpdate}}, checks(authorizationsOf(batch))...)
	s := &postgresSession{db: d, begin: begin, store: batch[0].store, writes: true}
	defer s.undo()
	var closing []closingRow
	for _, i := range batch {
		s.queued = append(s.queued, i.statements...)
		closing = append(closing, i.closing...)
	}
	s.queued = append(s.queued, d.engine.closingStatements(closing)...)
	return d.commit(ctx, s)
}
