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
	place         storePlace
	authorization authorization
	statements    []statement
	closing       []closingRow
	changes       []Change
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

// insert commits the statements, and the closing rows of their transaction after them. It
// returns when the outcome is final.
func (d *postgresDB) insert(ctx context.Context, place storePlace, statements []statement, of *Tx) error {
	k := authorizationOf(ctx)
	return place.server.insertions.do(&insertion{
		waiter: newWaiter(k.store), place: place, authorization: k, statements: statements, closing: of.closing, changes: of.changes,
	})
}

// insertAll commits a batch of insertions on a server, in the order of their keys. Those that
// the server passes on to others are committed by shard: a transaction on several servers
// needs a commit in two phases. If the server rejects a batch, because of the statements of
// one caller, each half is retried by itself. So a batch of 128 with one bad insertion takes
// 15 transactions.
func (d *postgresDB) insertAll(batch []*insertion) {
	slices.SortStableFunc(batch, func(a, b *insertion) int {
		return cmp.Or(cmp.Compare(a.place.shard, b.place.shard), cmp.Compare(a.order(), b.order()))
	})
	for len(batch) > 0 {
		n := 1
		for n < len(batch) && batch[n].place.shard == batch[0].place.shard {
			n++
		}
		d.insertHalves(batch[:n])
		batch = batch[n:]
	}
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
	place := batch[0].place
	begin := append(d.limitWorkers([]statement{{query: beginUpdate}}, place), place.checks(authorizationsOf(batch))...)
	s := &postgresSession{db: d, begin: begin, store: batch[0].store, place: place, writes: true}
	defer s.undo()
	s.queued = joinInsertions(batch)
	var closing []closingRow
	var changes []Change
	for _, i := range batch {
		closing = append(closing, i.closing...)
		changes = append(changes, i.changes...)
	}
	s.queued = slices.Concat(s.queued, d.engine.closingStatements(closing), d.recording(changes))
	return d.commit(ctx, s)
}

// joinInsertions returns the statements of a batch in their order. Checks of the server come
// first, each once, and then the rows with which the insertions begin, those of a table in one
// statement. The other statements of an insertion may depend on its row, but never on those
// of another one.
func joinInsertions(batch []*insertion) []statement {
	var checks, rows, rest []statement
	for _, i := range batch {
		list := i.statements
		for len(list) > 0 && list[0].run != "" {
			if !slices.ContainsFunc(checks, func(c statement) bool { return c.run == list[0].run }) {
				checks = append(checks, list[0])
			}
			list = list[1:]
		}
		if len(list) > 0 && list[0].row != nil {
			rows, list = append(rows, list[0]), list[1:]
		}
		rest = append(rest, list...)
	}
	return slices.Concat(checks, joinRows(rows), rest)
}
