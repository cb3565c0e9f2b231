package txn

import "context"

// The bounds of what insertions share: a transaction of so many callers, and so
// many transactions at once.
const (
	maxShared  = 128
	maxSharing = 3
)

// insertion is an update that has only something to write, and needs to know
// nothing for it. Those that wait together are sent in one message and committed
// together. They take no locks that could stand in anybody's way.
type insertion struct {
	waiter
	ticket     ticket
	statements []statement
}

func (d *postgresDB) newInsertionDesk() *desk[*insertion] {
	return &desk[*insertion]{carryOut: d.insertAll, most: maxShared, hands: maxSharing}
}

// insert returns when the statements are committed, or are not and never will be.
func (d *postgresDB) insert(ctx context.Context, statements []statement) error {
	k := ticketOf(ctx)
	return d.insertions.do(&insertion{waiter: newWaiter(k.store), ticket: k, statements: statements})
}

// insertAll writes for several callers at once. If the server refuses, it was the
// statements of one of them, and each is carried out alone.
func (d *postgresDB) insertAll(batch []*insertion) {
	err := d.insertTogether(batch)
	if len(batch) == 1 || !isRefused(err) {
		end(batch, err)
		return
	}
	for _, i := range batch {
		i.err = d.insertTogether([]*insertion{i})
	}
}

func ticketsOf(batch []*insertion) []ticket {
	tickets := make([]ticket, len(batch))
	for n, i := range batch {
		tickets[n] = i.ticket
	}
	return tickets
}

func (d *postgresDB) insertTogether(batch []*insertion) error {
	ctx, cancel := context.WithTimeout(context.Background(), attemptTimeout)
	defer cancel()
	begin := append([]statement{{query: beginUpdate}}, checks(ticketsOf(batch))...)
	s := &postgresSession{db: d, begin: begin, store: batch[0].store, writes: true}
	defer s.undo()
	for _, i := range batch {
		s.queued = append(s.queued, i.statements...)
	}
	return d.commit(ctx, s)
}
