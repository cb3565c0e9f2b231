package db

import (
	"context"

	"cohort.example/cohort/internal/txn"
)

// The names of package txn that callers of this package need, so that they import
// only this package.
type (
	// Change is something that a committed transaction did; see [txn.Change].
	Change = txn.Change
	// Stats describes connections and transactions; see [txn.Stats].
	Stats = txn.Stats
	// DistributeOptions are for [Distribute]; see [txn.DistributeOptions].
	DistributeOptions = txn.DistributeOptions
	// Distribution is what [Distribute] does; see [txn.Distribution].
	Distribution = txn.Distribution
)

// The kinds of changes; see [txn.ChangeKind].
const (
	GroupInserted   = txn.GroupInserted
	GroupUpdated    = txn.GroupUpdated
	GroupDeleted    = txn.GroupDeleted
	StoreUpdated    = txn.StoreUpdated
	StoreDeleted    = txn.StoreDeleted
	StoreReplaced   = txn.StoreReplaced
	TokenDeleted    = txn.TokenDeleted
	EventsRecorded  = txn.EventsRecorded
	AnythingChanged = txn.AnythingChanged
)

// ForStore returns a context for work on behalf of a store; see [txn.ForStore].
func ForStore(ctx context.Context, storeKey string) context.Context {
	return txn.ForStore(ctx, storeKey)
}

// AtStore returns a context for a transaction that locks a store; see [txn.AtStore].
func AtStore(ctx context.Context, storeKey string) context.Context {
	return txn.AtStore(ctx, storeKey)
}

// OneQuery returns a context for a View of one query; see [txn.OneQuery].
func OneQuery(ctx context.Context) context.Context { return txn.OneQuery(ctx) }

// ForBearer returns a context for a request with a token; see [txn.ForBearer].
func ForBearer(ctx context.Context, tokenHash, storeKey string) context.Context {
	return txn.ForBearer(ctx, tokenHash, storeKey)
}

// Unchecked returns a context for work that follows from a committed change; see
// [txn.Unchecked].
func Unchecked(ctx context.Context) context.Context { return txn.Unchecked(ctx) }

// Joined reports whether calls with a context are part of a running transaction; see
// [txn.Joined].
func Joined(ctx context.Context) bool { return txn.Joined(ctx) }

// Redact returns a database URL without its passwords; see [txn.Redact].
func Redact(url string) string { return txn.Redact(url) }
