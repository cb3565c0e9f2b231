package service

import (
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

// wakeHook makes a worker look at the deliveries of a hook after the commit, on any node.
func (s *Service) wakeHook(tx *db.Tx, storeKey string, hookID int64) error {
	h, err := tx.HookTarget(storeKey, hookID)
	if err != nil {
		return err
	}
	return s.outbox.PutAll(tx, []outbox.Message{hookMessage(storeKey, h)})
}
