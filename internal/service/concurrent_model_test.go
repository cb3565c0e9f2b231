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
	"cohort.example/cohort/internal/service"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"
)

// TestHistoriesAreLinearizable lets several callers work on one store at once,
// and looks for an order in which one caller alone would have got the same
// answers. In that order a call stands behind all that were answered before it
// began. So nothing that was acknowledged is missing from a later answer,
// whoever asks and however; a list is of one moment; and nobody gets what
// belongs to another.
func TestHistoriesAreLinearizable(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		svc := newService(t, dbtest.Open(t, url), nil)
		checkHistories(t, dbtest.Open(t, url), callsTo("update", "create", "get", "list", "delete", "update", "list", "get", "count"), svc)
	})
}

// TestChangesByTwoProcessesAreLinearizable is the same for two services that
// share a database without knowing of each other. They only change things:
// what they have read before they may remember for a moment.
func TestChangesByTwoProcessesAreLinearizable(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		one, other := newService(t, dbtest.Open(t, url), nil), newService(t, dbtest.Open(t, url), nil)
		checkHistories(t, dbtest.Open(t, url), rapid.Map(callsTo("update", "create", "delete"), call.notEmpty), one, other)
	})
}

// rounds is how often each history is tried: it goes differently every time.
const rounds = 2

// checkHistories runs histories of callers who are spread over the services.
// The witness sees the database, and no service.
func checkHistories(t *testing.T, witness *db.DB, calls *rapid.Generator[call], nodes ...*service.Service) {
	stores := 0
	rapid.Check(t, func(t *rapid.T) {
		callers := rapid.SliceOfN(rapid.SliceOfN(calls, 3, 5), 2, 4).Draw(t, "callers")
		for range rounds {
			stores++
			h := &manyCallers{store: fmt.Sprint("s", stores), nodes: nodes}
			if _, err := nodes[0].CreateStore(context.Background(), cohort.Store{Hash: h.store}); err != nil {
				t.Fatal(err)
			}
			h.run(beginning)
			h.run(callers...)
			if len(nodes) == 1 {
				h.run(end)
			}
			h.testify(witness)
			if !porcupine.CheckOperations(oneCaller(witness), h.operations) {
				t.Fatalf("one caller alone would never have got these answers:\n%s", h)
			}
		}
	})
}

// manyCallers is a history: calls to one store with their answers.
type manyCallers struct {
	nodes      []*service.Service
	store      string
	moment     atomic.Int64
	operations []porcupine.Operation
}

// run carries out the programs, each by a caller of its own and all at once,
// and returns when the last is done.
func (h *manyCallers) run(programs ...[]call) {
	done := make([][]porcupine.Operation, len(programs))
	var begin, end sync.WaitGroup
	begin.Add(len(programs))
	for i, program := range programs {
		end.Go(func() {
			begin.Done()
			begin.Wait()
			for n, c := range program {
				c.update.Name = own(c.update.Name, i, n)
				done[i] = append(done[i], h.note(i, c, func() answer { return c.on(h.nodes[i%len(h.nodes)], h.store) }))
			}
		})
	}
	end.Wait()
	h.operations = slices.Concat(append([][]porcupine.Operation{h.operations}, done...)...)
}

// own makes a name one that is given only once, so that what is mixed up shows.
func own(name *string, caller, n int) *string {
	if name == nil || *name == "" {
		return name
	}
	return new(fmt.Sprintf("%s of caller %d, call %d", *name, caller, n))
}

func (h *manyCallers) note(caller int, c call, ask func() answer) porcupine.Operation {
	o := porcupine.Operation{ClientId: caller, Input: c, Call: h.moment.Add(1)}
	a := ask()
	o.Output, o.Return = a, h.moment.Add(1)
	if a.err == unknown {
		o.Return = math.MaxInt64 // it may be carried out at any time, or never
	}
	return o
}

// testify adds what the database itself says at the end, with no service in
// front of it that could remember anything.
func (h *manyCallers) testify(d *db.DB) {
	h.operations = append(h.operations, h.note(-1, call{do: "list", page: everything}, func() answer {
		var groups []cohort.Group
		err := d.View(context.Background(), func(tx *db.Tx) (err error) {
			groups, err = tx.ListGroups(h.store, cohort.GroupFilter{}, everything)
			return err
		})
		return answerOf(err, groups...)
	}))
}

// String tells the history in the order in which the calls were made.
func (h *manyCallers) String() string {
	slices.SortFunc(h.operations, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var b strings.Builder
	for _, o := range h.operations {
		c, a := o.Input.(call), o.Output.(answer)
		fmt.Fprintf(&b, "%3d to %3d, caller %2d: %s\n\t%+v\n", o.Call, o.Return, o.ClientId, c, a)
	}
	return b.String()
}
