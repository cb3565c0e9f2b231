package service

import (
	"cmp"
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreateToken creates a token for k's store with k's name and scopes, and returns it
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

// newToken returns a valid token with k's store, name and scopes.
func (s *Service) newToken(k cohort.Token, secret string) (cohort.Token, error) {
	token := cohort.NewToken(secret)
	token.StoreKey, token.Name, token.Scopes = k.StoreKey, k.Name, k.Scopes
	token.DateCreated = s.timestamp(k.StoreKey)
	return token, token.Validate()
}

// insertToken adds a token with a client secret.
func (s *Service) insertToken(tx *db.Tx, token cohort.Token) error {
	if _, err := tx.TokenByHash(token.Hash); cohort.KindOf(err) != cohort.KindNotFound {
		return cmp.Or(err, errSecretTaken)
	}
	if err := tx.InsertToken(token); err != nil {
		return err
	}
	return tx.InsertClientSecret(token.StoreKey, token.ID, cohort.NewClientSecret(), token.DateCreated)
}

var errSecretTaken error = &cohort.Error{Kind: cohort.KindConflict, Message: "a token has this secret already"}

// ListTokens returns the tokens of a store, or of all stores if storeKey is empty.
func (s *Service) ListTokens(ctx context.Context, storeKey string) (tokens []cohort.Token, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		tokens, err = tx.ListTokens(storeKey)
		return err
	})
	return tokens, err
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

// KnowsSecret returns the token that has a secret, or known false.
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
// returns KindUnauthorized if no token has the secret, and KindForbidden if the token
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
// returns KindUnauthorized if no token has the secret.
func (s *Service) AuthenticateSecret(ctx context.Context, secret string) (Bearer, error) {
	return s.bearer(ctx, secret)
}
