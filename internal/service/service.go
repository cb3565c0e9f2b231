// Package service is what the product can do: one method per capability, each
// exactly one transaction. It knows nothing of HTTP or of any dialect; the
// wire, the command line and whatever comes later all enter here.
package service

import (
	"context"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/password"
	"cohort.example/cohort/internal/roster"
)

// Service carries out what callers ask for.
type Service struct {
	db         *db.DB
	pricing    Pricing
	passwords  *password.Hasher
	now        func() time.Time
	departures chan struct{}
	stamps     *stamps
	directory  *directory
	rosters    *roster.Rosters
}

// Option changes a default of [New].
type Option func(*Service)

// WithPricing hands sitewide discounts to p instead of to Cohort's own pricing.
func WithPricing(p Pricing) Option { return func(s *Service) { s.pricing = p } }

// WithClock takes the time from now instead of from the system.
func WithClock(now func() time.Time) Option { return func(s *Service) { s.now = now } }

// New returns a service on a database.
func New(d *db.DB, opts ...Option) *Service {
	s := &Service{
		db:         d,
		pricing:    ownPricing{},
		passwords:  password.NewHasher(),
		now:        time.Now,
		departures: make(chan struct{}, 1),
		stamps:     newStamps(),
		directory:  newDirectory(),
	}
	s.rosters = roster.NewRosters(s.loadRoster)
	d.Watch(s.watch)
	for _, o := range opts {
		o(s)
	}
	return s
}

// ForStore says that what is done with the context is done for a store. When
// many wait to write, the stores take turns.
func ForStore(ctx context.Context, storeHash string) context.Context {
	return db.ForStore(ctx, storeHash)
}

// timestamp is the moment for a date, to the millisecond, as dates are kept.
func (s *Service) timestamp() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// Ready returns nil when the service can work: when its database answers.
func (s *Service) Ready(ctx context.Context) error { return s.db.Ping(ctx) }

// DatabaseStats is what the database tells of its connections.
type DatabaseStats = db.Stats

// DatabaseStats returns ok false if the database is a file, which has none.
func (s *Service) DatabaseStats() (stats DatabaseStats, ok bool) { return s.db.Stats() }

// Pricing computes what customers pay. A sitewide discount has to reach it
// before it takes effect, apart from the group that it belongs to.
type Pricing interface {
	// SetSitewideDiscount replaces the sitewide discount of a group; nil removes
	// it. It is called after the group is committed. An error means that the
	// discount is not in effect, and leads to a KindPartial error for the caller.
	SetSitewideDiscount(ctx context.Context, storeHash string, groupID int64, rule *cohort.DiscountRule) error
}

// ownPricing is Cohort computing prices itself: it reads the rules where the
// group's transaction has put them, so there is nothing left to hand on.
type ownPricing struct{}

func (ownPricing) SetSitewideDiscount(context.Context, string, int64, *cohort.DiscountRule) error {
	return nil
}
