package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// Login is an attempt of a customer to log in to a channel; see FindLogin.
type Login struct {
	customerID int64 // 0: no customer has the email
	email      string
	hash       string
	allowed    bool // the customer may log in to the channel
}

// Subject identifies the customer in the count of password checks. For an unknown email
// it is a hash of the email, so that the count does not reveal which customers exist.
func (l Login) Subject() string {
	if l.customerID != 0 {
		return strconv.FormatInt(l.customerID, 10)
	}
	sum := sha256.Sum256([]byte(db.Fold(l.email)))
	return hex.EncodeToString(sum[:16])
}

// FindLogin finds the customer with an email, for CheckLogin. A customer that is
// restricted to channels may log in to these, any other one to the channels with global
// logins. FindLogin returns KindInvalid if the channel does not exist in a store with a
// managed catalog.
func (s *Service) FindLogin(ctx context.Context, storeKey, email string, channelID int64) (l Login, err error) {
	if channelID < 1 {
		return l, errChannelID()
	}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		store, err := tx.Store(storeKey)
		if err != nil {
			return err
		}
		if err := checkChannel(tx, store, channelID); err != nil {
			return err
		}
		// The same statements run for a known and an unknown email.
		found, err := tx.Credentials(storeKey, email)
		if err != nil {
			return err
		}
		settings, err := tx.ChannelSettings(storeKey, channelID)
		l = Login{customerID: found.CustomerID, email: email, hash: found.PasswordHash, allowed: mayLogIn(found, settings, channelID)}
		return err
	})
	return l, err
}

func mayLogIn(c db.Credentials, settings cohort.CustomerSettings, channelID int64) bool {
	if c.ChannelIDs != nil {
		return slices.Contains(c.ChannelIDs, channelID)
	}
	return settings.GlobalLogins(channelID)
}

// CheckLogin returns the id of the customer if the password is right and the customer may
// log in to the channel, otherwise 0. It takes the same time for an unknown email.
func (s *Service) CheckLogin(ctx context.Context, storeKey string, l Login, password string) (customerID int64, err error) {
	matches, err := s.passwords.Matches(ctx, storeKey, password, l.hash)
	if err != nil || !matches || !l.allowed {
		return 0, err
	}
	return l.customerID, nil
}
