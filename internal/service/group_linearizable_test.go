package service_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"
)

// Several callers work on one store concurrently. The test searches an order of the
// calls in which a sequential store would have given the same results, and in which a
// call comes after all calls that returned before it began. So every result contains
// all writes that were acknowledged before the call, a list shows one state, and no
// caller gets another's result.
func TestHistoriesAreLinearizable(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		svc := newService(t, dbtest.Open(t, url), nil)
		checkHistories(t, dbtest.Open(t, url), callsTo("update", "create", "get", "list", "delete", "update", "list", "get", "count"), svc)
	})
}

// TestWritesOfTwoProcessesAreLinearizable is the same for two services on one database.
// The histories contain no reads, because a service may cache results for a moment
// after a write of the other.
func TestWritesOfTwoProcessesAreLinearizable(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		one, other := newService(t, dbtest.Open(t, url), nil), newService(t, dbtest.Open(t, url), nil)
		checkHistories(t, dbtest.Open(t, url), rapid.Map(callsTo("update", "create", "delete"), call.notEmpty), one, other)
	})
}

// TestHistoriesOnTwoNodesAreLinearizable is TestHistoriesAreLinearizable for two
// services on one PostgreSQL database. The service caches no groups there, so reads may
// go to either; TestCacheByVersionIsNeverStale is about caches.
func TestHistoriesOnTwoNodesAreLinearizable(t *testing.T) {
	url := pgtest.URL(t)
	one, other := newService(t, dbtest.Open(t, url), nil), newService(t, dbtest.Open(t, url), nil)
	calls := callsTo("update", "create", "get", "list", "delete", "update", "list", "get", "count")
	checkHistories(t, dbtest.Open(t, url), calls, one, other)
}

// rounds is the number of runs of each history. Each run interleaves differently.
var rounds = testenv.Times(2, 1)

// checkHistories runs random histories whose callers are spread over the services. It
// reads the final state from the witness, without a service.
func checkHistories(t *testing.T, witness *db.DB, calls *rapid.Generator[call], nodes ...*service.Service) {
	stores := 0
	rapid.Check(t, func(t *rapid.T) {
		callers := rapid.SliceOfN(rapid.SliceOfN(calls, 3, 5), 2, 4).Draw(t, "callers")
		for range rounds {
			stores++
			h := &concurrentHistory{store: fmt.Sprint("s", stores), nodes: nodes}
			if _, err := nodes[0].CreateStore(context.Background(), cohort.Store{Hash: h.store}); err != nil {
				t.Fatal(err)
			}
			h.run(beginning)
			h.run(callers...)
			if len(nodes) == 1 {
				h.run(end)
			}
			h.readFinal(witness)
			if !porcupine.CheckOperations(sequentialModel(witness), h.operations) {
				t.Fatalf("the history is not linearizable:\n%s", h)
			}
		}
	})
}

// concurrentHistory records calls to one store with their results.
type concurrentHistory struct {
	nodes      []*service.Service
	store      string
	time       atomic.Int64 // a logical clock
	operations []porcupine.Operation
}

// run runs the programs concurrently, each by its own caller, and waits for all.
func (h *concurrentHistory) run(programs ...[]call) {
	done := make([][]porcupine.Operation, len(programs))
	var begin, end sync.WaitGroup
	begin.Add(len(programs))
	for i, program := range programs {
		end.Go(func() {
			begin.Done()
			begin.Wait()
			for n, c := range program {
				c.update.Name = uniqueName(c.update.Name, i, n)
				done[i] = append(done[i], h.record(i, c, func() result { return c.on(h.nodes[i%len(h.nodes)], h.store) }))
			}
		})
	}
	end.Wait()
	h.operations = slices.Concat(append([][]porcupine.Operation{h.operations}, done...)...)
}

// uniqueName makes a name unique, so that mixed-up results show. It leaves the names
// that several callers use, of which a store accepts one.
func uniqueName(name *string, caller, n int) *string {
	if name == nil || *name == "" || strings.EqualFold(*name, "shared") {
		return name
	}
	return new(fmt.Sprintf("%s of caller %d, call %d", *name, caller, n))
}

// record runs a call and returns it as an operation.
func (h *concurrentHistory) record(caller int, c call, run func() result) porcupine.Operation {
	o := porcupine.Operation{ClientId: caller, Input: c, Call: h.time.Add(1)}
	r := run()
	o.Output, o.Return = r, h.time.Add(1)
	if r.err == unknown {
		o.Return = math.MaxInt64 // it may take effect at any later time, or never
	}
	return o
}

// readFinal appends a list of all groups, read from the database without a service and
// its caches.
func (h *concurrentHistory) readFinal(d *db.DB) {
	h.operations = append(h.operations, h.record(-1, call{do: "list", page: everything}, func() result {
		var groups []cohort.Group
		err := d.View(context.Background(), func(tx *db.Tx) (err error) {
			groups, err = tx.ListGroups(h.store, cohort.GroupFilter{}, everything)
			return err
		})
		return resultOf(err, groups...)
	}))
}

// String lists the calls in the order in which they began.
func (h *concurrentHistory) String() string {
	slices.SortFunc(h.operations, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var b strings.Builder
	for _, o := range h.operations {
		c, r := o.Input.(call), o.Output.(result)
		fmt.Fprintf(&b, "%3d to %3d, caller %2d: %s\n\t%+v\n", o.Call, o.Return, o.ClientId, c, r)
	}
	return b.String()
}
