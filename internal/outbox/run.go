package outbox

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// dueEvery is how often Run looks for messages that have become due, or that another
// node has left.
const dueEvery = time.Second

// Run delivers due messages until ctx ends. Then it finishes the attempts that are
// running, which takes little longer than the longest timeout, and returns.
func (o *Outbox) Run(ctx context.Context, log *slog.Logger) {
	if !o.HasKinds() {
		return
	}
	w := &worker{outbox: o, log: log}
	defer w.attempts.Wait()
	ticker := time.NewTicker(dueEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		w.start(ctx)
		select {
		case <-ctx.Done():
		case <-ticker.C:
			w.logDestinations()
			o.destinations.forget(o.now())
		case <-o.Woken(): // and whenever an attempt has ended
		}
	}
}

// worker runs attempts and logs what an operator has to know of them.
type worker struct {
	outbox   *Outbox
	log      *slog.Logger
	attempts sync.WaitGroup

	mu            sync.Mutex
	databaseFails bool
}

// start starts an attempt at each message that can be leased now.
func (w *worker) start(ctx context.Context) {
	leased, err := w.outbox.Lease(ctx, maxConcurrency)
	if err != nil && ctx.Err() != nil {
		return
	}
	w.logDatabase(err)
	for _, l := range leased {
		w.attempts.Go(func() {
			w.attempt(ctx, l)
			w.outbox.Wake()
		})
	}
}

func (w *worker) attempt(ctx context.Context, l Leased) {
	out := w.outbox.Attempt(ctx, l)
	w.logDatabase(out.Unrecorded)
	if out.Dead {
		w.log.Error("message is dead, no more attempts; see \"cohort jobs\"",
			"store", l.Store, "job", l.ID, "kind", l.Kind, "destination", l.Destination, "subject", l.Subject, "error", out.Failure)
	}
}

// logDatabase logs when the database begins to fail.
func (w *worker) logDatabase(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && !w.databaseFails {
		w.log.Error("cannot read or write the outbox; retrying", "error", err)
	}
	w.databaseFails = err != nil
}

// logDestinations logs which destinations have begun to fail, and which work again.
// While a destination is down every attempt fails, and one line is enough.
func (w *worker) logDestinations() {
	for _, c := range w.outbox.destinations.changes() {
		if c.failure != nil {
			w.log.Warn("deliveries fail; retrying", "kind", c.kind, "destination", c.destination, "error", c.failure)
		} else {
			w.log.Info("deliveries succeed again", "kind", c.kind, "destination", c.destination)
		}
	}
}
