package db

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Times are the current times, for queries about the rows of many stores.
type Times struct {
	System time.Time
	// Stores are the times of the stores that have a clock of their own, by key.
	Stores map[string]time.Time
}

// Of returns the time of a store.
func (t Times) Of(storeKey string) time.Time {
	if own, ok := t.Stores[storeKey]; ok {
		return own
	}
	return t.System
}

// of returns the time of the store whose key is in a column, as an expression with
// arguments of a clause. It is the placeholder of the system's time if that is the time of
// all stores, so that the engine can use an index.
func (t Times) of(w *where, column, system string) string {
	if len(t.Stores) == 0 {
		return system
	}
	keys := slices.Sorted(maps.Keys(t.Stores))
	var cases strings.Builder
	cases.WriteString("CASE " + column)
	for i := range placeholders(len(keys)) {
		key := keys[min(i, len(keys)-1)]
		cases.WriteString(" WHEN " + w.arg(key) + " THEN CAST(" + w.arg(t.Stores[key].UnixMilli()) + " AS BIGINT)")
	}
	return cases.String() + " ELSE CAST(" + system + " AS BIGINT) END"
}
