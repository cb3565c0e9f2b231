package db

import (
	"errors"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// Consent returns the consent of a customer, which is empty if the customer has given
// none. It does not check that the customer exists.
func (t *Tx) Consent(storeKey string, customerID int64) (cohort.Consent, error) {
	var allowed, denied string
	err := t.Lookup("SELECT allowed, denied FROM customer_consents WHERE store_hash = $1 AND customer_id = $2", storeKey, customerID).
		Scan(&allowed, &denied)
	if errors.Is(err, txn.ErrNoRows) {
		return cohort.Consent{}, nil
	}
	return cohort.Consent{Allow: toCategories(allowed), Deny: toCategories(denied)}, err
}

// PutConsent replaces the consent of a customer. The commit returns KindNotFound if the
// customer does not exist. The caller has locked the customer.
func (t *Tx) PutConsent(storeKey string, customerID int64, c cohort.Consent) error {
	on, err := t.recordsFor(storeKey)
	if err != nil {
		return err
	}
	var before cohort.Consent
	if on {
		if before, err = t.Consent(storeKey, customerID); err != nil {
			return err
		}
	}
	err = t.Later(`INSERT INTO customer_consents (store_hash, customer_id, allowed, denied) VALUES ($1, $2, $3, $4)
		ON CONFLICT (store_hash, customer_id) DO UPDATE SET allowed = excluded.allowed, denied = excluded.denied`,
		storeKey, customerID, fromCategories(c.Allow), fromCategories(c.Deny))
	if err != nil || !on {
		return err
	}
	return t.recordConsent(storeKey, customerID, before, c)
}

func fromCategories(list []cohort.ConsentCategory) string {
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = string(c)
	}
	return strings.Join(words, " ")
}

func toCategories(words string) (list []cohort.ConsentCategory) {
	for word := range strings.FieldsSeq(words) {
		list = append(list, cohort.ConsentCategory(word))
	}
	return list
}

// HasCustomer reports whether the store has a customer with the id.
func (t *Tx) HasCustomer(storeKey string, id int64) (bool, error) {
	found, err := t.findID("SELECT id FROM customers WHERE store_hash = $1 AND id = $2", storeKey, id)
	return found != 0, err
}
