package cohort

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Window is the period over which a store's request quota is counted.
// Source: the vendor's rate-limit page and recorded headers (30 000 ms).
const Window = 30 * time.Second

// The maximum values of Store.Quota and Store.Concurrency.
const (
	MaxQuota       = 100_000_000
	MaxConcurrency = 100_000
)

// The bounds and defaults of Store.EventDays and Store.EventCount.
const (
	DefaultEventDays  = 30
	MaxEventDays      = 3650
	DefaultEventCount = 100_000
	MinEventCount     = 1_000
	MaxEventCount     = 10_000_000
)

// Plan is a store's tariff. It determines the request quota.
type Plan string

// The plans, as the vendor names them.
const (
	PlanUnlimited  Plan = "unlimited" // no quota, and no quota headers
	PlanStandard   Plan = "standard"
	PlanPlus       Plan = "plus"
	PlanPro        Plan = "pro"
	PlanEnterprise Plan = "enterprise" // requires Store.Quota
)

// planQuotas holds the quota per window of the plans that have one.
var planQuotas = map[Plan]int{PlanStandard: 150, PlanPlus: 150, PlanPro: 450}

// Store is a merchant's store. No data is shared between stores.
type Store struct {
	// Hash identifies the store in URL paths: 1 to 64 lower-case letters, digits, '-'
	// and '_'.
	Hash string
	// Key identifies the store in the database. A store that is deleted and recreated
	// has the same Hash and another Key; a Key is never reused. It is not sent to
	// clients.
	Key  string
	Plan Plan
	// Quota overrides the plan's requests per Window; 0 keeps the plan's own.
	Quota int
	// Concurrency overrides the concurrency limit of the operations that have one; 0
	// keeps their own.
	Concurrency int
	// Catalog is the mode of the store's categories, products and price lists.
	Catalog CatalogMode
	// Currency is the code of the currency of catalog prices and of the amounts of
	// discount rules.
	Currency string
	// Events says whether changes of the store are recorded as events.
	Events bool
	// EventDays is for how many days events are kept, and EventCount how many of them; 0:
	// the default.
	EventDays  int
	EventCount int64
	// HasHooks says that a webhook of the store is active. Then changes are recorded for it,
	// even if Events is false. UpdateStore does not set it.
	HasHooks    bool
	Profile     StoreProfile
	DateCreated time.Time
	// DateExpires is when the store is deleted with everything in it, for stores of tests;
	// the zero time: never.
	DateExpires time.Time
}

// keySeparator separates the hash and the generation in a store's key. No hash contains
// it.
const keySeparator = "~"

// StoreKey returns the key of the store with a hash and a generation. The first store of a
// hash has generation 1, the next one 2, and so on. The key of the first one is its hash.
func StoreKey(hash string, generation int64) string {
	if generation <= 1 {
		return hash
	}
	return hash + keySeparator + strconv.FormatInt(generation, 10)
}

// HashOfKey returns the hash of the store with a key.
func HashOfKey(key string) string {
	hash, _, _ := strings.Cut(key, keySeparator)
	return hash
}

// CatalogMode is the system that owns a store's catalog.
type CatalogMode string

// The modes of a catalog.
const (
	// CatalogExternal: another system owns it. Ids in rules are not checked.
	CatalogExternal CatalogMode = "external"
	// CatalogManaged: Cohort owns it. Rules with unknown ids are rejected.
	CatalogManaged CatalogMode = "managed"
)

// WithDefaults returns the store with defaults for the fields that are not set: the
// unlimited plan (or the enterprise plan, if the store has a quota), an external catalog
// and DefaultCurrency. It converts the currency to upper case, and normalizes the profile.
func (s Store) WithDefaults() Store {
	if s.Plan == "" && s.Quota != 0 {
		s.Plan = PlanEnterprise
	}
	s.Plan = cmp.Or(s.Plan, PlanUnlimited)
	s.Catalog = cmp.Or(s.Catalog, CatalogExternal)
	s.Currency = cmp.Or(strings.ToUpper(s.Currency), DefaultCurrency)
	s.Profile = s.Profile.Normalized()
	return s
}

// RequestQuota returns the number of requests that the store may make per [Window], and
// false if it is not metered.
func (s Store) RequestQuota() (quota int, metered bool) {
	if s.Plan == PlanUnlimited {
		return 0, false
	}
	if s.Quota > 0 {
		return s.Quota, true
	}
	return planQuotas[s.Plan], true
}

// maxStoreHash is how many characters the hash of a store has at most.
const maxStoreHash = 64

// IsStoreHash reports whether a store can have a hash; see [Store.Hash].
func IsStoreHash(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= maxStoreHash
}

// Records reports whether changes of the store are recorded as events.
func (s Store) Records() bool { return s.Events || s.HasHooks }

// EventAge returns for how long the events of the store are kept, by its clock.
func (s Store) EventAge() time.Duration {
	return time.Duration(cmp.Or(s.EventDays, DefaultEventDays)) * 24 * time.Hour
}

// MostEvents returns how many events of the store are kept.
func (s Store) MostEvents() int64 { return cmp.Or(s.EventCount, DefaultEventCount) }

func (s Store) validateEvents() error {
	if s.EventDays < 0 || s.EventDays > MaxEventDays {
		return Invalid("event_days", fmt.Sprintf("Events are kept for 1 to %d days, or 0 for the default.", MaxEventDays))
	}
	if s.EventCount != 0 && (s.EventCount < MinEventCount || s.EventCount > MaxEventCount) {
		return Invalid("event_count", fmt.Sprintf("%d to %d events are kept, or 0 for the default.", MinEventCount, MaxEventCount))
	}
	return nil
}

// Validate returns a KindInvalid error that names the first invalid field.
func (s Store) Validate() error {
	if !IsStoreHash(s.Hash) {
		return Invalid("hash", "A store hash is 1 to 64 lower-case letters, digits, '-' and '_'.")
	}
	if s.Quota < 0 || s.Quota > MaxQuota {
		return Invalid("quota", fmt.Sprintf("A quota is 1 to %d requests per 30 seconds, or 0 for the plan's own.", MaxQuota))
	}
	if s.Concurrency < 0 || s.Concurrency > MaxConcurrency {
		return Invalid("concurrency", fmt.Sprintf("A concurrency limit is 1 to %d requests, or 0 for each operation's own.", MaxConcurrency))
	}
	if s.Catalog != "" && s.Catalog != CatalogExternal && s.Catalog != CatalogManaged {
		return Invalid("catalog", "A catalog is managed or external.")
	}
	if s.Currency != "" {
		if _, err := ParseCurrency(s.Currency); err != nil {
			return Invalid("currency", "A currency is a code of ISO 4217, such as USD.")
		}
	}
	if err := s.validateEvents(); err != nil {
		return err
	}
	if err := s.Profile.Validate(); err != nil {
		return err
	}
	switch s.Plan {
	case PlanStandard, PlanPlus, PlanPro:
		return nil
	case PlanUnlimited:
		if s.Quota != 0 {
			return Invalid("quota", "The unlimited plan has no quota; choose another plan, or leave the quota out.")
		}
		return nil
	case PlanEnterprise:
		if s.Quota == 0 {
			return Invalid("quota", "The enterprise plan has no quota of its own; give one.")
		}
		return nil
	}
	return Invalid("plan", "A plan is unlimited, standard, plus, pro or enterprise.")
}

// StoreUpdate is a partial update of a store; nil fields are unchanged.
type StoreUpdate struct {
	Plan        *Plan
	Quota       *int
	Concurrency *int
	Catalog     *CatalogMode
	Currency    *string
	Events      *bool
	EventDays   *int
	EventCount  *int64
	Profile     StoreProfileUpdate
}

// Apply returns s with the update applied. A change to the unlimited plan removes the
// quota unless the update sets one, so that one update can change the plan.
func (u StoreUpdate) Apply(s Store) Store {
	if u.Plan != nil {
		s.Plan = *u.Plan
		if s.Plan == PlanUnlimited {
			s.Quota = 0
		}
	}
	set(&s.Quota, u.Quota)
	set(&s.Concurrency, u.Concurrency)
	set(&s.Catalog, u.Catalog)
	if u.Currency != nil {
		s.Currency = strings.ToUpper(*u.Currency)
	}
	set(&s.Events, u.Events)
	set(&s.EventDays, u.EventDays)
	set(&s.EventCount, u.EventCount)
	s.Profile = u.Profile.Apply(s.Profile)
	return s
}
