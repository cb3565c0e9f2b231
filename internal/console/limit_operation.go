package console

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/numeral"
)

// maxRefused bounds how many callers the page of the limits lists.
const maxRefused = 20

// refusedCaller is a token whose requests of an operation got 429 from a limit.
type refusedCaller struct {
	Token, Operation string
	Count            int
	Last             time.Time
}

// refusedCallers returns whose requests the limits refused, the latest first, as far back as
// the journal keeps requests. A fault rule that answers 429 is no limit.
func (c *call) refusedCallers() []refusedCaller {
	type key struct{ token, operation string }
	callers := map[key]refusedCaller{}
	for _, e := range c.Tests.Journal.Find(c.ctx(), c.store.Hash, 0, &journal.Criteria{}) {
		if e.Status != http.StatusTooManyRequests || e.Check != journal.CheckLimits {
			continue
		}
		k := key{e.TokenID, e.Operation}
		callers[k] = refusedCaller{e.TokenID, e.Operation, callers[k].Count + 1, e.Time}
	}
	list := slices.SortedFunc(maps.Values(callers), func(a, b refusedCaller) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Token, b.Token))
	})
	return list[:min(len(list), maxRefused)]
}

// limitedNames returns the operations that can have a limit.
func (c *call) limitedNames() (list []option) {
	var names []string
	for _, d := range c.Dialects {
		for _, r := range d.Routes {
			names = append(names, r.Operation)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		list = append(list, option{name, name})
	}
	return list
}

// setOperationLimit sets how many requests of an operation run at once, and keeps what is set
// for others.
func (c *call) setOperationLimit() error {
	if c.Tests.Limits == nil {
		return errShared
	}
	n, err := strconv.Atoi(c.form.Get("at_once"))
	if err != nil {
		n = -1 // it is refused like other numbers below 0
	}
	changed, err := control.LimitedOperations(c.Dialects, map[string]int{c.form.Get("operation"): n})
	if err != nil {
		wrong, status, err := refused(err)
		if err != nil {
			return err
		}
		return c.renderLimits(status, limitsPage{Operation: form{c.form, wrong}})
	}
	operations := maps.Clone(c.Tests.Limits.Concurrency(c.store.Key))
	if operations == nil {
		operations = map[string]int{}
	}
	maps.Copy(operations, changed)
	c.Tests.Limits.SetConcurrency(c.store.Key, operations)
	return c.sayAndGo(c.path("limits"), "The limit of the operation was set.")
}

// restoreOperationLimits gives all operations their own limits back.
func (c *call) restoreOperationLimits() error {
	if c.Tests.Limits == nil {
		return errShared
	}
	n := len(c.Tests.Limits.Concurrency(c.store.Key))
	c.Tests.Limits.SetConcurrency(c.store.Key, nil)
	return c.sayAndGo(c.path("limits"), numeral.Plural(int64(n), "limit of an operation was", "limits of operations were")+" removed.")
}

// errShared is the refusal of a change to limits that this server does not have alone.
var errShared = &cohort.Error{Kind: cohort.KindConflict, Reason: "Nodes share the limits in Redis, so the console cannot change them."}
