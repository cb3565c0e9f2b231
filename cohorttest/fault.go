package cohorttest

import (
	"encoding/json"
	"strings"
	"testing"

	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/fault"
)

// Faults are the rules by which requests of a store fail.
type Faults struct {
	server *Server
	store  string
}

// Faults returns the fault rules of the store with a hash.
func (s *Server) Faults(store string) Faults { return Faults{s, store} }

// Fault is a rule with what it has done.
type Fault struct {
	ID   int64  // responses to the requests that it takes have it in X-Cohort-Fault
	Rule string // JSON, as Set takes it
	Hits int    // how many requests it has taken
}

// Set replaces the rules. A rule is JSON, as docs/testing.md describes it:
//
//	c.Faults(store).Set(t, `{"operation":"createGroup","times":2,"action":{"status":503}}`)
//
// Without rules, it removes all. A rule that cannot apply fails the test, and the store
// then keeps the rules that it has.
func (f Faults) Set(t testing.TB, rules ...string) {
	t.Helper()
	list := make([]json.RawMessage, len(rules))
	for i, rule := range rules {
		list[i] = json.RawMessage(rule)
	}
	decoded, err := f.operations().Decode(list)
	if err != nil {
		t.Fatalf("fault rules: %v", err)
	}
	f.put(t, decoded)
}

// SetProfile replaces the rules by those of a profile: flaky, throttled, slow, 207-storm
// or lost-answers.
func (f Faults) SetProfile(t testing.TB, name string) {
	t.Helper()
	rules, ok := fault.Profile(name)
	if !ok {
		t.Fatalf("there is no fault profile %q; there are: %s", name, strings.Join(fault.Profiles(), ", "))
	}
	f.put(t, rules)
}

// Add adds a rule after those that the store has. See [Faults.Set].
func (f Faults) Add(t testing.TB, rule string) {
	t.Helper()
	decoded, err := f.operations().DecodeOne([]byte(rule))
	if err == nil {
		_, err = f.server.faults.Add(f.server.store(t, f.store).Key, decoded)
	}
	if err != nil {
		t.Fatalf("fault rule: %v", err)
	}
}

// Clear removes all rules.
func (f Faults) Clear(t testing.TB) {
	t.Helper()
	f.put(t, nil)
}

// List returns the rules, in order.
func (f Faults) List(t testing.TB) []Fault {
	t.Helper()
	states := f.server.faults.List(f.server.store(t, f.store).Key)
	list := make([]Fault, len(states))
	for i, state := range states {
		rule, err := json.Marshal(state.Rule)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = Fault{ID: state.ID, Rule: string(rule), Hits: state.Hits}
	}
	return list
}

func (f Faults) put(t testing.TB, rules []fault.Rule) {
	t.Helper()
	if _, err := f.server.faults.Put(f.server.store(t, f.store).Key, rules); err != nil {
		t.Fatal(err)
	}
}

func (f Faults) operations() fault.Operations { return control.FaultOperations(f.server.dialects) }
