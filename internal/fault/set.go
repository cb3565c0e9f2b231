package fault

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"cohort.example/cohort"
)

// Set has the rules of all stores. The zero value is empty. It is safe for concurrent use,
// and so is a nil Set, which never has a rule that applies.
type Set struct {
	inUse  atomic.Int64 // the number of rules, so that a server without rules does not lock
	mu     sync.RWMutex
	stores map[string]*storeRules // by the hash of the store
	lastID int64
}

// storeRules are the rules of a store.
type storeRules struct {
	key   string // of the store: a later store of the same hash has another
	mu    sync.Mutex
	rules []*armed
}

// armed is a rule and its counters.
type armed struct {
	id            int64
	rule          Rule
	matched, hits int
	random        *rand.Rand
	part          any // Match.Body, decoded
}

// State is a rule with what it has done.
type State struct {
	ID   int64
	Rule Rule
	Hits int
}

// Left returns how many more requests the rule takes, or nil if there is no end.
func (s State) Left() *int {
	if s.Rule.Times == 0 {
		return nil
	}
	left := s.Rule.Times - s.Hits
	return &left
}

// The errors of Put and Add.
var (
	// ErrTooMany: the store would have more than MaxRules.
	ErrTooMany = errors.New("fault: too many rules of one store")
	// ErrFull: all stores would have more than maxAllRules. Retain may make room.
	ErrFull = errors.New("fault: too many rules of all stores")
)

// Put replaces the rules of a store. The caller has checked them; see [Operations.Check].
// It returns ErrTooMany or ErrFull, and then changes nothing.
func (s *Set) Put(storeKey string, rules []Rule) ([]State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := cohort.HashOfKey(storeKey)
	if err := s.room(len(rules), s.size(hash)); err != nil {
		return nil, err
	}
	s.remove(hash)
	return s.add(storeKey, rules), nil
}

// Add adds a rule after those that the store has. It returns ErrTooMany or ErrFull, and
// then changes nothing.
func (s *Set) Add(storeKey string, r Rule) (State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := cohort.HashOfKey(storeKey)
	replaced := 0
	if have := s.stores[hash]; have != nil && have.key != storeKey { // of a store that is deleted
		replaced = s.size(hash)
	}
	if err := s.room(s.size(hash)-replaced+1, s.size(hash)); err != nil {
		return State{}, err
	}
	if replaced > 0 {
		s.remove(hash)
	}
	all := s.add(storeKey, []Rule{r})
	return all[len(all)-1], nil
}

// room returns an error unless a store may have some rules instead of those before.
func (s *Set) room(rules, before int) error {
	switch {
	case rules > MaxRules:
		return ErrTooMany
	case int(s.inUse.Load())-before+rules > maxAllRules:
		return ErrFull
	}
	return nil
}

func (s *Set) size(hash string) int {
	if have := s.stores[hash]; have != nil {
		return len(have.rules)
	}
	return 0
}

// add adds rules. The caller holds the lock, so no request is reading the list.
func (s *Set) add(storeKey string, rules []Rule) []State {
	hash := cohort.HashOfKey(storeKey)
	if len(rules) == 0 {
		return []State{}
	}
	if s.stores == nil {
		s.stores = map[string]*storeRules{}
	}
	have := s.stores[hash]
	if have == nil {
		have = &storeRules{key: storeKey}
		s.stores[hash] = have
	}
	have.mu.Lock()
	defer have.mu.Unlock()
	for _, r := range rules {
		s.lastID++
		have.rules = append(have.rules, arm(s.lastID, r))
	}
	s.inUse.Add(int64(len(rules)))
	return have.states()
}

func arm(id int64, r Rule) *armed {
	var seed uint64
	if r.Seed != nil {
		seed = *r.Seed
	}
	a := &armed{id: id, rule: r, random: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // repeatable on purpose
	if r.Match.Body != nil {
		a.part, _ = decode(r.Match.Body) // it has been checked
	}
	return a
}

// Clear removes the rules of a store.
func (s *Set) Clear(storeKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have := s.stores[cohort.HashOfKey(storeKey)]; have != nil && have.key == storeKey {
		s.remove(cohort.HashOfKey(storeKey))
	}
}

// Retain removes the rules of all stores but those with the given keys.
func (s *Set) Retain(storeKeys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keep := map[string]bool{}
	for _, key := range storeKeys {
		keep[key] = true
	}
	for hash, have := range s.stores {
		if !keep[have.key] {
			s.remove(hash)
		}
	}
}

func (s *Set) remove(hash string) {
	s.inUse.Add(-int64(s.size(hash)))
	delete(s.stores, hash)
}

// List returns the rules of a store, in their order.
func (s *Set) List(storeKey string) []State {
	have := s.of(cohort.HashOfKey(storeKey))
	if have == nil || have.key != storeKey {
		return []State{}
	}
	have.mu.Lock()
	defer have.mu.Unlock()
	return have.states()
}

func (s *Set) of(hash string) *storeRules {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.stores[hash]
}

func (l *storeRules) states() []State {
	list := make([]State, len(l.rules))
	for i, a := range l.rules {
		list[i] = State{ID: a.id, Rule: a.rule, Hits: a.hits}
	}
	return list
}

// Has reports whether a store may have rules. It is cheap if no store has.
func (s *Set) Has(storeKey string) bool {
	if s == nil || s.inUse.Load() == 0 {
		return false
	}
	have := s.of(cohort.HashOfKey(storeKey))
	return have != nil && have.key == storeKey
}

// Take returns the first rule that applies to a request whose token has been checked, and
// counts it.
func (s *Set) Take(storeKey string, r Request) (Hit, bool) {
	if !s.Has(storeKey) {
		return Hit{}, false
	}
	return s.take(cohort.HashOfKey(storeKey), r, false)
}

// TakeBeforeAuth is Take for a request whose token has not been checked. Its store is the
// one that the path names, which may not exist.
func (s *Set) TakeBeforeAuth(storeHash string, r Request) (Hit, bool) {
	return s.take(storeHash, r, true)
}

// InUse reports whether any store has rules.
func (s *Set) InUse() bool { return s != nil && s.inUse.Load() > 0 }

func (s *Set) take(hash string, r Request, beforeAuth bool) (Hit, bool) {
	have := s.of(hash)
	if have == nil {
		return Hit{}, false
	}
	have.mu.Lock()
	defer have.mu.Unlock()
	body := lazyBody{text: r.Body}
	for _, a := range have.rules {
		if a.rule.BeforeAuth == beforeAuth && a.selects(r, &body) && a.applies() {
			a.hits++
			return Hit{Rule: a.id, Delay: a.delay(), Action: a.rule.Action}, true
		}
	}
	return Hit{}, false
}

// applies counts a request that matches, and reports whether the rule takes it.
func (a *armed) applies() bool {
	a.matched++
	n := a.matched - a.rule.Skip
	switch {
	case n <= 0,
		a.rule.Times > 0 && a.hits >= a.rule.Times,
		a.rule.Every > 1 && n%a.rule.Every != 0:
		return false
	}
	return a.rule.Probability == nil || a.random.Float64() < *a.rule.Probability
}

func (a *armed) delay() time.Duration {
	if a.rule.Jitter <= 0 {
		return a.rule.Delay
	}
	return a.rule.Delay + time.Duration(a.random.Int64N(int64(a.rule.Jitter)+1))
}
