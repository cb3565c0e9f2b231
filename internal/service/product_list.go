package service

import (
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// adoptParts is cohort.AdoptParts with ids of a store.
func adoptParts(tx *db.Tx, storeKey string, before, update cohort.Details, now time.Time) (cohort.Details, error) {
	return cohort.AdoptParts(before, update, now, func(kind string, n int64) (int64, error) {
		return tx.ReserveIDs(storeKey, kind, 0, n)
	})
}
