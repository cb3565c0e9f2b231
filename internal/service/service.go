// Package service implements the use cases of Cohort: one method for each, and one
// transaction for almost every method. It does not depend on HTTP or on a wire dialect.
// The HTTP front ends and the command line call it.
package service

import (
	"context"
	"sync/atomic"
	"time"

	"cohort.example/cohort/internal/clock"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/groupindex"
	"cohort.example/cohort/internal/outbox"
	"cohort.example/cohort/internal/password"
)

// Service implements the use cases on a database.
type Service struct {
	db         *db.DB
	pusher     Pusher     // nil: there is only Cohort's own pricing
	hookSender HookSender // nil: webhooks are not sent
	passwords  *password.Hasher
	now        func() time.Time // the clock of the system
	clocks     *clock.Set       // of stores
	tombstones chan struct{}    // see TombstonesAdded
	attributes chan struct{}    // see AttributesDeleted
	outbox     *outbox.Outbox
	versions   *versions
	directory  *directory
	uses       tokenUses
	indexes    *groupindex.Cache
	bounds     priceBounds
	brandsLeft brandBudget // at the beginning of an import
	probe      *databaseProbe
	servers    *databaseProbe // the servers of Citus
	scans      chan struct{}  // see maxScans
	held       atomic.Bool    // WithHeldSitewide has been used
	keyed      keysInUse
	feeds      *feeds
	hooks      *hooks
}

// Option changes a default of [New].
type Option func(*Service)

// WithClock replaces the system clock.
func WithClock(now func() time.Time) Option { return func(s *Service) { s.now = now } }

// New returns a service on a database.
func New(d *db.DB, opts ...Option) *Service {
	s := &Service{
		db:         d,
		passwords:  password.NewHasher(),
		now:        time.Now,
		tombstones: make(chan struct{}, 1),
		attributes: make(chan struct{}, 1),
		versions:   newVersions(),
		directory:  newDirectory(),
		bounds:     defaultPriceBounds,
		brandsLeft: brandBudget{MaxImportBrands, MaxImportBrandBytes},
		scans:      make(chan struct{}, maxScans),
		keyed:      keysInUse{keys: map[db.IdempotencyKey]bool{}},
		feeds:      newFeeds(),
		hooks:      newHooks(),
	}
	s.indexes = groupindex.NewCache(s.loadIndex)
	d.Watch(s.applyChanges)
	d.Watch(s.feeds.notice)
	for _, o := range opts {
		o(s)
	}
	s.clocks = clock.New(s.now)
	s.outbox = outbox.New(d, s.now, s.clocks)
	if s.pusher != nil {
		s.outbox.Handle(SitewideKind, outbox.Kind{Handler: sitewideHandler{s.pusher}, Timeout: PushTimeout})
	}
	if s.hookSender != nil {
		s.outbox.Handle(HookKind, outbox.Kind{Handler: hookHandler{s}, Timeout: hookTimeout, Undying: true, Repeatable: true})
	}
	s.probe = &databaseProbe{ask: d.ProbeWrite, now: s.now}
	s.servers = &databaseProbe{ask: s.askServers, now: s.now}
	return s
}

// ForBearer returns a context for calls on behalf of a bearer. Each write checks, in its
// transaction, that the token and the store still exist, and otherwise writes nothing
// and returns KindUnauthorized. Waiting writes are scheduled fairly among the stores.
func ForBearer(ctx context.Context, b Bearer) context.Context { return ForRequest(ctx, b, "") }

// ForRequest is ForBearer for a request with an id, which the events of its changes have.
func ForRequest(ctx context.Context, b Bearer, requestID string) context.Context {
	ctx = db.ForBearer(ctx, b.Token.Hash, b.Store.Key)
	return withOrigin(ctx, &origin{actor: b.Token.ID, requestID: requestID, known: true, wanted: b.Store.Records(), noHooks: !b.Store.HasHooks})
}

// update runs a transaction that writes to a store. If the store is deleted, it returns
// KindUnauthorized for a context of ForBearer, and KindNotFound otherwise.
func (s *Service) update(ctx context.Context, storeKey string, fn func(*db.Tx) error) error {
	return s.db.Update(s.recording(db.ForStore(ctx, storeKey), storeKey), fn)
}

// updateCatalog is update for writes to the store's catalog or price records. It
// returns KindUnavailable during an import.
func (s *Service) updateCatalog(ctx context.Context, storeKey string, fn func(*db.Tx) error) error {
	return s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.HoldCatalog(storeKey, s.now()); err != nil {
			return err
		}
		return fn(tx)
	})
}

// Clocks returns the clocks of stores. What the data of a store says of time follows its
// clock: dates, retries, and the end of its life. What a process does follows the clock of
// the system: leases, caches and sweeps.
func (s *Service) Clocks() *clock.Set { return s.clocks }

// Now returns the current time of a store.
func (s *Service) Now(storeKey string) time.Time { return s.clocks.Now(storeKey) }

// timestamp returns the current time of a store in UTC, truncated to milliseconds, the
// precision of stored dates.
func (s *Service) timestamp(storeKey string) time.Time {
	return s.Now(storeKey).UTC().Truncate(time.Millisecond)
}

// Outbox returns the outbox, whose Run delivers what requests leave to be delivered.
func (s *Service) Outbox() *outbox.Outbox { return s.outbox }

// Ready returns nil if the database responds.
func (s *Service) Ready(ctx context.Context) error { return s.db.Ping(ctx) }

// DatabaseStats describes the connections of a database server, and the transactions
// since the start.
type DatabaseStats struct {
	InUse, Idle, Max int   // connections
	Repeated         int64 // retries of transactions
	Unknown          int64 // commits with unknown outcome
	Followed         int64 // queries for the changes of other nodes
	NotFollowed      int64 // those after which no response could come from a cache
}

// DatabaseStats returns ok false if the database is a file.
func (s *Service) DatabaseStats() (stats DatabaseStats, ok bool) {
	st, ok := s.db.Stats()
	return DatabaseStats(st), ok
}
