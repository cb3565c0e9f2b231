package cohort

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Window is the span over which a store's request quota is counted.
// Source: the vendor's rate-limit page and recorded headers (30 000 ms).
const Window = 30 * time.Second

// MaxQuota and MaxConcurrency bound what a store can be given.
const (
	MaxQuota       = 100_000_000
	MaxConcurrency = 100_000
)

// Plan is a store's tariff. It decides the request quota.
type Plan string

// The plans, as the vendor names them.
const (
	PlanUnlimited  Plan = "unlimited" // no quota, and no quota headers
	PlanStandard   Plan = "standard"
	PlanPlus       Plan = "plus"
	PlanPro        Plan = "pro"
	PlanEnterprise Plan = "enterprise" // a quota of its own, see Store.Quota
)

// planQuotas is the quota per window of each plan that has one by itself.
var planQuotas = map[Plan]int{PlanStandard: 150, PlanPlus: 150, PlanPro: 450}

// Store is a merchant's store: the border that nothing crosses.
type Store struct {
	// Hash names the store in every path: 1 to 64 lower-case letters, digits,
	// '-' and '_'.
	Hash string
	// Key is the identity of this store, which everything in it is kept under. A
	// store that is deleted and made again has the same Hash and another Key; no
	// Key ever comes back. It never reaches a client.
	Key  string
	Plan Plan
	// Quota overrides the plan's requests per Window; 0 keeps the plan's own.
	Quota int
	// Concurrency overrides how many requests of one operation may be under way
	// together, for the operations that have such a limit; 0 keeps their own.
	Concurrency int
	// Catalog says whether the categories, products and price lists that Cohort
	// holds are all that the store has.
	Catalog CatalogMode
	// Currency is the code of the currency that catalog prices and the amounts of
	// discount rules are in.
	Currency    string
	DateCreated time.Time
}

// keyMark stands between the hash and the generation in a store's key. No hash
// has it.
const keyMark = "~"

// StoreKey returns the key of a store by its hash and its generation, which is 1
// for the first store of that hash, 2 for the next one, and so on. The first has
// its hash for a key.
func StoreKey(hash string, generation int64) string {
	if generation <= 1 {
		return hash
	}
	return hash + keyMark + strconv.FormatInt(generation, 10)
}

// HashOfKey returns the hash of the store that has the key.
func HashOfKey(key string) string {
	hash, _, _ := strings.Cut(key, keyMark)
	return hash
}

// CatalogMode says who knows what a store sells.
type CatalogMode string

// The modes of a catalog.
const (
	// CatalogExternal: another system does. Ids in rules are taken on trust.
	CatalogExternal CatalogMode = "external"
	// CatalogManaged: Cohort does. Rules that name something unknown are refused.
	CatalogManaged CatalogMode = "managed"
)

// WithDefaults returns the store with what was left out filled in: the unlimited
// plan (or the enterprise plan, if the store has a quota), an external catalog and
// DefaultCurrency.
func (s Store) WithDefaults() Store {
	if s.Plan == "" && s.Quota != 0 {
		s.Plan = PlanEnterprise
	}
	s.Plan = cmp.Or(s.Plan, PlanUnlimited)
	s.Catalog = cmp.Or(s.Catalog, CatalogExternal)
	s.Currency = cmp.Or(strings.ToUpper(s.Currency), DefaultCurrency)
	return s
}

// RequestQuota returns how many requests the store may make per [Window], and
// false when it is not metered.
func (s Store) RequestQuota() (quota int, metered bool) {
	if s.Plan == PlanUnlimited {
		return 0, false
	}
	if s.Quota > 0 {
		return s.Quota, true
	}
	return planQuotas[s.Plan], true
}

var storeHash = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// Validate returns a KindInvalid error that names the first field at fault.
func (s Store) Validate() error {
	if !storeHash.MatchString(s.Hash) {
		return Invalid("hash", "A store hash is 1 to 64 lower-case letters, digits, '-' and '_'.")
	}
	if s.Quota < 0 || s.Quota > MaxQuota {
		return Invalid("quota", fmt.Sprintf("A quota is 1 to %d requests per 30 seconds, or 0 for the plan's own.", MaxQuota))
	}
	if s.Concurrency < 0 || s.Concurrency > MaxConcurrency {
		return Invalid("concurrency", fmt.Sprintf("At once is 1 to %d requests, or 0 for each operation's own limit.", MaxConcurrency))
	}
	if s.Catalog != "" && s.Catalog != CatalogExternal && s.Catalog != CatalogManaged {
		return Invalid("catalog", "A catalog is managed or external.")
	}
	if s.Currency != "" {
		if _, err := ParseCurrency(s.Currency); err != nil {
			return Invalid("currency", "A currency is a code of ISO 4217, such as USD.")
		}
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

// StoreUpdate is a change of a store; nil fields stay as they are.
type StoreUpdate struct {
	Plan        *Plan
	Quota       *int
	Concurrency *int
	Catalog     *CatalogMode
	Currency    *string
}

// Apply returns s with the update's fields in place. A change to the unlimited
// plan drops the quota unless the update sets one, so that the plan can be
// changed in one step.
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
	return s
}
