package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/clock"
	"cohort.example/cohort/internal/db"
)

// CreateToken creates a token for k's store with k's name, scopes and expiry, and returns it
// with its secret, which is not stored. The token has a client secret too; see
// ClientSecrets. It returns KindInvalid, or KindNotFound if the store does not exist.
func (s *Service) CreateToken(ctx context.Context, k cohort.Token) (token cohort.Token, secret string, err error) {
	secret = cohort.NewTokenSecret()
	token, err = s.CreateTokenWithSecret(ctx, k, secret)
	return token, secret, err
}

// CreateTokenWithSecret is CreateToken with a secret of the caller. It returns
// KindConflict if another token has the secret.
func (s *Service) CreateTokenWithSecret(ctx context.Context, k cohort.Token, secret string) (cohort.Token, error) {
	token, err := s.newToken(k, secret)
	if err != nil {
		return cohort.Token{}, err
	}
	err = s.update(ctx, token.StoreKey, func(tx *db.Tx) error {
		if _, err := tx.Store(token.StoreKey); err != nil {
			return err
		}
		return s.insertToken(tx, token)
	})
	return token, err
}

// EnsureToken is CreateTokenWithSecret, unless the store has a token with the secret and the
// same scopes: then it changes nothing and returns that token, with created false. It returns
// KindConflict if another token has the secret, or if the token has expired, and KindInvalid
// for a secret that [cohort.CheckPresetSecret] rejects.
func (s *Service) EnsureToken(ctx context.Context, k cohort.Token, secret string) (token cohort.Token, created bool, err error) {
	if err := cohort.CheckPresetSecret(secret); err != nil {
		return token, false, err
	}
	if token, err = s.newToken(k, secret); err != nil {
		return token, false, err
	}
	known, found, err := s.KnowsSecret(ctx, secret)
	switch {
	case err != nil:
		return token, false, err
	case !found:
		token, err = s.CreateTokenWithSecret(ctx, k, secret)
		return token, err == nil, err
	case known.StoreKey != k.StoreKey:
		return token, false, errSecretTaken
	case known.Expired(s.Now(k.StoreKey)):
		return token, false, &cohort.Error{Kind: cohort.KindConflict, Message: "token " + known.ID + " has this secret and has expired; revoke it first"}
	case !sameScopes(known.Scopes, k.Scopes):
		return token, false, &cohort.Error{Kind: cohort.KindConflict, Message: "token " + known.ID + " has this secret and other scopes; revoke it first"}
	}
	return known, false, nil
}

// sameScopes compares scopes without regard to their order and to repetitions.
func sameScopes(a, b []cohort.Scope) bool {
	set := func(list []cohort.Scope) []cohort.Scope { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(set(a), set(b))
}

// newToken returns a valid token with k's store, name, scopes and expiry.
func (s *Service) newToken(k cohort.Token, secret string) (cohort.Token, error) {
	token := cohort.NewToken(secret)
	token.StoreKey, token.Name, token.Scopes = k.StoreKey, k.Name, k.Scopes
	token.DateCreated = s.timestamp(k.StoreKey)
	if err := token.Validate(); err != nil {
		return token, err
	}
	var err error
	token.DateExpires, err = s.expiry(k.StoreKey, k.DateExpires)
	return token, err
}

// expiry returns a time as one at which a secret ends, zero for never. It returns KindInvalid
// for a time that is not after that of the store.
func (s *Service) expiry(storeKey string, at time.Time) (time.Time, error) {
	if at.IsZero() {
		return at, nil
	}
	at = at.UTC().Truncate(time.Millisecond)
	if now := s.Now(storeKey); !at.After(now) {
		return at, cohort.Invalid("expires", fmt.Sprintf("The value must be after %s, the time of the store.", now.UTC().Format(time.RFC3339)))
	}
	if at.After(clock.Max) {
		return at, cohort.Invalid("expires", fmt.Sprintf("The value must not be after %s.", clock.Max.Format(time.RFC3339)))
	}
	return at, nil
}

// insertToken adds a token with a client secret.
func (s *Service) insertToken(tx *db.Tx, token cohort.Token) error {
	if _, err := tx.TokenByHash(token.Hash); cohort.KindOf(err) != cohort.KindNotFound {
		return cmp.Or(err, errSecretTaken)
	}
	if _, err := tx.TokenStore(token.ID); cohort.KindOf(err) != cohort.KindNotFound {
		return cmp.Or(err, errSecretReplaced)
	}
	if err := tx.InsertToken(token); err != nil {
		return err
	}
	return tx.InsertClientSecret(token.StoreKey, token.ID, cohort.NewClientSecret(), token.DateCreated)
}

var errSecretTaken error = &cohort.Error{Kind: cohort.KindConflict, Message: "a token has this secret already"}

// errSecretReplaced keeps a token from getting the id that an existing one has.
var errSecretReplaced error = &cohort.Error{Kind: cohort.KindConflict, Message: "a token had this secret until it got another one; choose a new secret"}

// ListTokens returns the tokens of a store, or of all stores if storeKey is empty, also those
// that have expired, with the earlier secrets that are still valid.
func (s *Service) ListTokens(ctx context.Context, storeKey string) (tokens []cohort.Token, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		tokens, err = tx.ListTokens(storeKey)
		return err
	})
	for i, k := range tokens {
		now := s.Now(k.StoreKey)
		tokens[i].Earlier = slices.DeleteFunc(k.Earlier, func(e cohort.EarlierSecret) bool { return !now.Before(e.DateExpires) })
	}
	return tokens, err
}

// Token returns a token by its id, with the earlier secrets that are still valid, or
// KindNotFound.
func (s *Service) Token(ctx context.Context, id string) (cohort.Token, error) {
	var storeKey string
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		storeKey, err = tx.TokenStore(id)
		return err
	})
	if err != nil {
		return cohort.Token{}, err
	}
	tokens, err := s.ListTokens(ctx, storeKey)
	i := slices.IndexFunc(tokens, func(k cohort.Token) bool { return k.ID == id })
	if err != nil || i < 0 {
		return cohort.Token{}, cmp.Or(err, error(cohort.NotFound("token "+id)))
	}
	return tokens[i], nil
}

// RotateToken gives a token a new secret, which is not stored, and returns both. The token
// keeps its id, name, scopes, webhooks and client secrets. The secret that it has stays valid
// for overlap, from 0 to [MaxSecretLife], and not longer than it would without. With overlap 0
// all earlier ones end, and no write with them commits afterwards, on any node. expires is when
// the new secret ends; zero: when the token expires. RotateToken returns KindInvalid,
// KindNotFound, and KindConflict if [cohort.MaxTokenSecrets] would be valid.
func (s *Service) RotateToken(ctx context.Context, id string, overlap time.Duration, expires time.Time) (token cohort.Token, secret string, err error) {
	if overlap < 0 || overlap > MaxSecretLife {
		return token, "", cohort.Invalid("overlap", fmt.Sprintf("The value must be from 0 to %d hours.", int(MaxSecretLife.Hours())))
	}
	if token, err = s.Token(ctx, id); err != nil {
		return token, "", err
	}
	now := s.timestamp(token.StoreKey)
	if expires.IsZero() && token.Expired(now) {
		return token, "", cohort.Invalid("expires", "The token has expired, so the new secret needs an expiry of its own.")
	}
	if expires, err = s.expiry(token.StoreKey, cmp.Or(expires, token.DateExpires)); err != nil {
		return token, "", err
	}
	if overlap > 0 && len(token.Earlier)+2 > cohort.MaxTokenSecrets {
		return token, "", &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf(
			"token %s has %d secrets already; end the earlier ones with an overlap of 0s", id, len(token.Earlier)+1)}
	}
	secret = cohort.NewTokenSecret()
	hash := cohort.HashTokenSecret(secret)
	err = s.db.Update(ctx, func(tx *db.Tx) error { return tx.RotateToken(id, hash, expires, now, now.Add(overlap)) })
	if err != nil {
		return token, "", err
	}
	token, err = s.Token(ctx, id)
	return token, secret, err
}

// RevokeToken deletes a token by its id, with its webhooks, or returns KindNotFound. After it
// has returned, no write with that token commits, on any node.
func (s *Service) RevokeToken(ctx context.Context, id string) error {
	var storeKey string
	var hooks []cohort.Hook
	err := s.db.Update(ctx, func(tx *db.Tx) (err error) {
		if storeKey, err = tx.TokenStore(id); err != nil {
			return err
		}
		if err := tx.LockWriters(storeKey); err != nil {
			return err
		}
		if hooks, err = tx.ListHooks(storeKey, cohort.HookFilter{ClientID: id}, cohort.MaxHooks); err != nil {
			return err
		}
		return tx.DeleteToken(id)
	})
	for _, h := range hooks {
		if err != nil {
			break
		}
		err = s.deleteDeliveries(ctx, storeKey, h.ID)
	}
	return err
}

// KnowsSecret returns the token that has a secret, which may have expired, or known false.
func (s *Service) KnowsSecret(ctx context.Context, secret string) (token cohort.Token, known bool, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		token, err = tx.TokenByHash(cohort.HashTokenSecret(secret))
		return err
	})
	if cohort.KindOf(err) == cohort.KindNotFound {
		return token, false, nil
	}
	return token, err == nil, err
}

// Authenticate returns the bearer of a secret for a call to the store with a hash. It
// returns KindUnauthorized if no token has the secret now, and KindForbidden if the token
// belongs to another store or lacks the scope. An unknown store gives KindForbidden
// too. With KindForbidden it also returns the token, for the log, but no store.
func (s *Service) Authenticate(ctx context.Context, hash, secret string, need cohort.Scope) (Bearer, error) {
	b, err := s.bearer(ctx, secret)
	if err != nil {
		return Bearer{}, err
	}
	if b.Store.Hash != hash || !b.Token.Allows(need) {
		return Bearer{Token: b.Token}, &cohort.Error{Kind: cohort.KindForbidden}
	}
	return b, nil
}

// AuthenticateSecret returns the bearer of a secret, for a call to the store of the token. It
// returns KindUnauthorized if no token has the secret now.
func (s *Service) AuthenticateSecret(ctx context.Context, secret string) (Bearer, error) {
	return s.bearer(ctx, secret)
}
