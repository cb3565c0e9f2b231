package service

import (
	"strconv"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

// HookKind is the kind of the outbox's messages that a hook has something to deliver. Their
// subjects are ids of hooks.
const HookKind = "hook"

// wakeHook makes a worker look at the deliveries of a hook after the commit, on any node.
func (s *Service) wakeHook(tx *db.Tx, storeKey string, hookID int64) error {
	id := strconv.FormatInt(hookID, 10)
	_, err := s.outbox.Hold(tx, outbox.Message{Store: storeKey, Kind: HookKind, Subject: id, Destination: id})
	return err
}
