package txn

import (
	"context"

	"cohort.example/cohort"
)

// authorization identifies the store and token that a transaction writes for.
type authorization struct {
	store string // its key
	token string // the hash of the request's token, "" for the command line
	// checked makes the transaction check first that the token exists and belongs to
	// the store or, without a token, that the store exists.
	checked bool
}

type authorizationKey struct{}

func authorizationOf(ctx context.Context) authorization {
	t, _ := ctx.Value(authorizationKey{}).(authorization)
	return t
}

// ForStore returns a context for writes of a store, by its key. Update serves waiting
// stores in rotation. It returns KindNotFound without calling its function if the
// store has been deleted. A context of ForBearer for the same store is returned
// unchanged.
func ForStore(ctx context.Context, key string) context.Context {
	t := authorizationOf(ctx)
	if t.checked && t.store == key {
		return ctx
	}
	return context.WithValue(ctx, authorizationKey{}, authorization{store: key, token: t.token, checked: true})
}

// ForBearer is ForStore for a request with a token, by the token's hash. Update
// checks inside its transaction that the token exists and belongs to the store. If
// not, it returns KindUnauthorized without calling its function. After the deletion
// of a token or its store is acknowledged, nothing is committed for it.
func ForBearer(ctx context.Context, tokenHash, key string) context.Context {
	return context.WithValue(ctx, authorizationKey{}, authorization{store: key, token: tokenHash, checked: true})
}

// Unchecked returns a context for work that follows from a committed change. It
// belongs to the store and does not depend on the token any more.
func Unchecked(ctx context.Context) context.Context {
	return context.WithValue(ctx, authorizationKey{}, authorization{store: authorizationOf(ctx).store})
}

// AtStore is ForStore without its check, for a transaction that locks the row of the store
// itself. With Citus it takes place where the store's other changes do, so that their events
// get their numbers in one order. A context of ForBearer for the same store is returned
// unchanged.
func AtStore(ctx context.Context, key string) context.Context {
	if k := authorizationOf(ctx); k.checked && k.token != "" && k.store == key {
		return ctx
	}
	return context.WithValue(ctx, authorizationKey{}, authorization{store: key})
}

// rejected is the error for an authorization that is not valid any more. cause may be
// nil.
func (a authorization) rejected(cause error) error {
	if a.token != "" {
		return &cohort.Error{Kind: cohort.KindUnauthorized, Message: "the token is revoked", Err: cause}
	}
	err := cohort.NoStore(a.store)
	err.Err = cause
	return err
}

// maxAuthorizations bounds how many authorizations are cached.
const maxAuthorizations = 10_000

// authorizations caches which authorizations are valid. The writer owns it and
// clears it when a store or a token is deleted.
type authorizations map[authorization]struct{}

// check returns an error if an authorization is not valid in this transaction.
func (g authorizations) check(t *Tx, a authorization) error {
	if !a.checked {
		return nil
	}
	if _, known := g[a]; known {
		return nil
	}
	valid, err := t.isValid(a)
	if err != nil {
		return err
	}
	if !valid {
		return a.rejected(nil)
	}
	if len(g) >= maxAuthorizations {
		clear(g)
	}
	g[a] = struct{}{}
	return nil
}

func (t *Tx) isValid(a authorization) (bool, error) {
	var n int
	var err error
	if a.token != "" {
		err = t.Lookup("SELECT count(*) FROM tokens WHERE hash = $1 AND store_hash = $2", a.token, a.store).Scan(&n)
	} else {
		err = t.Lookup("SELECT count(*) FROM stores WHERE hash = $1 AND date_deleted = 0", a.store).Scan(&n)
	}
	return n > 0, err
}
