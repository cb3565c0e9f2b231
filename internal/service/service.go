// Package service is what the product can do: one method per capability, each
// exactly one transaction. It knows nothing of HTTP or of any dialect; the
// wire, the command line and whatever comes later all enter here.
package service

import (
	"context"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/groupindex"
	"cohort.example/cohort/internal/outbox"
	"cohort.example/cohort/internal/password"
)

// Service carries out what callers ask for.
type Service struct {
	db         *db.DB
	pusher     Pusher // nil: there is only Cohort's own pricing
	passwords  *password.Hasher
	now        func() time.Time
	departures chan struct{}
	outbox     *outbox.Outbox
	versions   *versions
	directory  *directory
	indexes    *groupindex.Cache
	bounds     priceBounds
	probe      *writeProbe
}

// Option changes a default of [New].
type Option func(*Service)

// WithClock takes the time from now instead of from the system.
func WithClock(now func() time.Time) Option { return func(s *Service) { s.now = now } }

// New returns a service on a database.
func New(d *db.DB, opts ...Option) *Service {
	s := &Service{
		db:         d,
		passwords:  password.NewHasher(),
		now:        time.Now,
		departures: make(chan struct{}, 1),
		versions:   newVersions(),
		directory:  newDirectory(),
		bounds:     usualPriceBounds,
	}
	s.indexes = groupindex.NewCache(s.loadIndex)
	d.Watch(s.watch)
	for _, o := range opts {
		o(s)
	}
	s.outbox = outbox.New(d, s.now)
	if s.pusher != nil {
		s.outbox.Handle(SitewideKind, outbox.Kind{Handler: sitewideHandler{s.pusher}, Timeout: PushTimeout})
	}
	s.probe = &writeProbe{write: d.ProbeWrite, now: s.now}
	return s
}

// ForBearer says that what is done with the context is done for the request of a
// bearer. When many wait to write, the stores take turns. Each write looks inside
// its transaction whether the token and the store are still there, and returns
// KindUnauthorized, with nothing written, if they are not.
func ForBearer(ctx context.Context, b Bearer) context.Context {
	return db.ForBearer(ctx, b.Token.Hash, b.Store.Key)
}

// update is db.Update for a store, by its key. It returns KindNotFound if the store
// is deleted, or KindUnauthorized if it is done for a bearer; see ForBearer.
func (s *Service) update(ctx context.Context, key string, fn func(*db.Tx) error) error {
	return s.db.Update(db.ForStore(ctx, key), fn)
}

// updateCatalog is update for what writes the store's catalog or its price records.
// It returns KindUnavailable while an import is being finished.
func (s *Service) updateCatalog(ctx context.Context, key string, fn func(*db.Tx) error) error {
	return s.update(ctx, key, func(tx *db.Tx) error {
		if err := tx.HoldCatalog(key, s.now()); err != nil {
			return err
		}
		return fn(tx)
	})
}

// timestamp is the moment for a date, to the millisecond, as dates are kept.
func (s *Service) timestamp() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// Outbox returns the outbox, whose Run delivers what requests leave to be delivered.
func (s *Service) Outbox() *outbox.Outbox { return s.outbox }

// Ready returns nil when the service can work: when its database answers.
func (s *Service) Ready(ctx context.Context) error { return s.db.Ping(ctx) }

// DatabaseStats is what the database tells of its connections.
type DatabaseStats = db.Stats

// DatabaseStats returns ok false if the database is a file, which has none.
func (s *Service) DatabaseStats() (stats DatabaseStats, ok bool) { return s.db.Stats() }
