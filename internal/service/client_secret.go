package service

import (
	"context"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// MaxSecretLife bounds for how long a client secret stays valid after another one has replaced
// it.
const MaxSecretLife = 30 * 24 * time.Hour

// ClientSecrets returns the client secrets of a token that are valid now, the current one
// first. A token that an earlier version has created has none.
func (s *Service) ClientSecrets(ctx context.Context, storeKey, tokenID string) (secrets []string, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		secrets, err = tx.ClientSecrets(storeKey, tokenID, s.Now(storeKey))
		return err
	})
	return secrets, err
}

// RotateClientSecret gives a token a new client secret and returns it. Those that it has stay
// valid for a time, from 0 to [MaxSecretLife], by the clock of the store. It returns
// KindInvalid, KindNotFound, and KindConflict if [cohort.MaxClientSecrets] would be valid.
func (s *Service) RotateClientSecret(ctx context.Context, tokenID string, keep time.Duration) (secret string, err error) {
	secret = cohort.NewClientSecret()
	return secret, s.SetClientSecret(ctx, tokenID, secret, keep)
}

// SetClientSecret is RotateClientSecret with a secret of the caller.
func (s *Service) SetClientSecret(ctx context.Context, tokenID, secret string, keep time.Duration) error {
	if keep < 0 || keep > MaxSecretLife {
		return cohort.Invalid("keep", fmt.Sprintf("The value must be from 0 to %d hours.", int(MaxSecretLife.Hours())))
	}
	var storeKey string
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		storeKey, err = tx.TokenStore(tokenID)
		return err
	})
	if err != nil {
		return err
	}
	return s.db.Update(db.ForStore(ctx, storeKey), func(tx *db.Tx) error {
		if err := tx.LockHooks(storeKey); err != nil { // two rotations at once would make two current ones
			return err
		}
		if _, err := tx.TokenStore(tokenID); err != nil {
			return err
		}
		now := s.timestamp(storeKey)
		if err := tx.RetireClientSecret(storeKey, tokenID, now, now.Add(keep)); err != nil {
			return err
		}
		left, err := tx.ClientSecrets(storeKey, tokenID, now)
		if err != nil {
			return err
		}
		if len(left) >= cohort.MaxClientSecrets {
			return &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf(
				"token %s has %d client secrets already; end the earlier ones by keeping them for 0s", tokenID, len(left))}
		}
		return tx.InsertClientSecret(storeKey, tokenID, secret, now)
	})
}
