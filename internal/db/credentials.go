package db

import (
	"errors"
	"strings"

	"cohort.example/cohort/internal/txn"
)

// Credentials is what the check of a customer's email and password needs.
type Credentials struct {
	CustomerID   int64 // 0: no customer has the email
	PasswordHash string
	ChannelIDs   []int64 // nil: not restricted to channels
}

// Credentials returns the credentials of the customer with the email, ignoring case, or
// the zero value.
func (t *Tx) Credentials(storeKey, email string) (c Credentials, err error) {
	var channels string
	folded := Fold(email)
	if strings.ContainsRune(folded, 0) {
		folded = "" // no customer has such an email, and PostgreSQL rejects the zero character
	}
	err = t.Lookup("SELECT id, password_hash, channel_ids FROM customers WHERE store_hash = $1 AND email_folded = $2",
		storeKey, folded).Scan(&c.CustomerID, &c.PasswordHash, &channels)
	if errors.Is(err, txn.ErrNoRows) {
		return Credentials{}, nil
	}
	if err != nil {
		return c, err
	}
	c.ChannelIDs, err = decodeChannelIDs(channels)
	return c, err
}
