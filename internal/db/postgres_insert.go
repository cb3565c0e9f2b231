package db

import (
	"context"
	"sync"
)

// The bounds of what insertions share: a transaction of so many callers, and so
// many transactions at once.
const (
	maxShared  = 128
	maxSharing = 3
)

// insertionDesk carries out updates that have only something to write, and need
// to know nothing for it. Those that wait together are sent in one message and
// committed together. They take no locks that could stand in anybody's way.
type insertionDesk struct {
	db *postgresDB

	mu    sync.Mutex
	queue []*insertion
	busy  int // transactions under way
}

// insertion is one caller's statements.
type insertion struct {
	place
	statements []statement
	err        error
	done       chan struct{}
}

func newInsertionDesk(db *postgresDB) *insertionDesk { return &insertionDesk{db: db} }

// do returns when the statements are committed, or are not and never will be.
func (k *insertionDesk) do(ctx context.Context, statements []statement) error {
	i := &insertion{place: place{store: storeOf(ctx)}, statements: statements, done: make(chan struct{})}
	k.add(i)
	<-i.done
	return i.err
}

func (k *insertionDesk) add(i *insertion) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queue = append(k.queue, i)
	if k.busy < maxSharing {
		k.busy++
		k.db.background.Go(k.workOff)
	}
}

// workOff carries out what waits until nothing does.
func (k *insertionDesk) workOff() {
	for {
		batch := k.take()
		if len(batch) == 0 {
			return
		}
		k.carryOut(batch)
		for _, i := range batch {
			close(i.done)
		}
	}
}

func (k *insertionDesk) take() (batch []*insertion) {
	k.mu.Lock()
	defer k.mu.Unlock()
	batch, k.queue = fairShare(k.queue, maxShared)
	if len(batch) == 0 {
		k.busy--
	}
	return batch
}

// carryOut writes for several callers at once. If the server refuses, it was the
// statements of one of them, and each is carried out alone.
func (k *insertionDesk) carryOut(batch []*insertion) {
	err := k.write(batch)
	if err == nil || len(batch) == 1 || postgresCode(err) == "" || isLost(err) {
		for _, i := range batch {
			i.err = err
		}
		return
	}
	for _, i := range batch {
		i.err = k.write([]*insertion{i})
	}
}

func (k *insertionDesk) write(batch []*insertion) error {
	ctx, cancel := context.WithTimeout(context.Background(), attemptTimeout)
	defer cancel()
	s := &postgresSession{db: k.db, begin: []statement{{query: beginUpdate}}, store: batch[0].store, writes: true}
	defer s.undo()
	for _, i := range batch {
		s.queued = append(s.queued, i.statements...)
	}
	return k.db.commit(ctx, s)
}
