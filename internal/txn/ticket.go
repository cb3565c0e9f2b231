package txn

import (
	"context"

	"cohort.example/cohort"
)

// ticket says on whose behalf something is written.
type ticket struct {
	store string // its key
	token string // the hash of the token that a request carries, "" for the command line
	// checked is whether a transaction looks, before anything else, if the token is
	// there and of the store, or, without a token, if the store is there.
	checked bool
}

type ticketKey struct{}

func ticketOf(ctx context.Context) ticket {
	t, _ := ctx.Value(ticketKey{}).(ticket)
	return t
}

// ForStore says on behalf of which store, by its key, Update is called with the
// context. When many wait, the stores take turns. Update returns KindNotFound and
// does not call its function if the store is deleted by then. If the context is
// for a bearer already, it stays so.
func ForStore(ctx context.Context, key string) context.Context {
	t := ticketOf(ctx)
	if t.checked && t.store == key {
		return ctx
	}
	return context.WithValue(ctx, ticketKey{}, ticket{store: key, token: t.token, checked: true})
}

// ForBearer is ForStore for a request that carries a token, by the token's hash.
// Update looks inside its transaction whether the token is still there and of the
// store. If it is not, Update returns KindUnauthorized and does not call its
// function. Once a token or its store is deleted, nothing is committed for it.
func ForBearer(ctx context.Context, tokenHash, key string) context.Context {
	return context.WithValue(ctx, ticketKey{}, ticket{store: key, token: tokenHash, checked: true})
}

// Unchecked is for what follows from a change that is committed: it is done for the
// store and does not depend on the token any more.
func Unchecked(ctx context.Context) context.Context {
	return context.WithValue(ctx, ticketKey{}, ticket{store: ticketOf(ctx).store})
}

// refused is the error for a ticket that is not good any more, with a cause or nil.
func (k ticket) refused(cause error) error {
	if k.token != "" {
		return &cohort.Error{Kind: cohort.KindUnauthorized, Message: "the token is revoked", Err: cause}
	}
	err := cohort.NoStore(k.store)
	err.Err = cause
	return err
}

// maxTickets bounds how many tickets are remembered.
const maxTickets = 10_000

// tickets remembers which tickets are good, for the writer, which knows when
// that changes.
type tickets map[ticket]struct{}

// check returns an error if a ticket is not good in a transaction.
func (g tickets) check(t *Tx, k ticket) error {
	if !k.checked {
		return nil
	}
	if _, known := g[k]; known {
		return nil
	}
	good, err := t.isGood(k)
	if err != nil {
		return err
	}
	if !good {
		return k.refused(nil)
	}
	if len(g) >= maxTickets {
		clear(g)
	}
	g[k] = struct{}{}
	return nil
}

func (t *Tx) isGood(k ticket) (bool, error) {
	var n int
	var err error
	if k.token != "" {
		err = t.Lookup("SELECT count(*) FROM tokens WHERE hash = $1 AND store_hash = $2", k.token, k.store).Scan(&n)
	} else {
		err = t.Lookup("SELECT count(*) FROM stores WHERE hash = $1 AND date_deleted = 0", k.store).Scan(&n)
	}
	return n > 0, err
}
