package service

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"cohort.example/cohort/internal/db"
)

// maxTokenUses bounds the uses that wait to be written. Those beyond it are not written in this
// hour, unless the token is used again.
const maxTokenUses = maxDirectory

// tokenUseBatch is the number of uses that one transaction writes.
const tokenUseBatch = 100

// tokenUses are the secrets that were used since the last write, with the hour, by hash. A use
// is noted once per hour and entry of the directory, so requests rarely take the lock.
type tokenUses struct {
	mu    sync.Mutex
	hours map[string]int64
}

// hourOf returns the number of the hour of a time, since 1970; that of the zero time is 0.
func hourOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix() / 3600
}

func (u *tokenUses) note(hash string, hour int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.hours == nil {
		u.hours = map[string]int64{}
	}
	if _, known := u.hours[hash]; known || len(u.hours) < maxTokenUses {
		u.hours[hash] = hour
	}
}

// take returns the uses that wait, which wait no longer.
func (u *tokenUses) take() map[string]int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	hours := u.hours
	u.hours = nil
	return hours
}

// WriteTokenUses writes in which hour tokens were last used, by the clock of the system. After
// an error the rest is not written; a further use of such a token is noted again.
func (s *Service) WriteTokenUses(ctx context.Context) error {
	hours := s.uses.take()
	// Nodes write in one order, so that they do not wait for each other's rows in a circle.
	for hashes := range slices.Chunk(slices.Sorted(maps.Keys(hours)), tokenUseBatch) {
		err := s.db.Update(ctx, func(tx *db.Tx) error {
			for _, hash := range hashes {
				if err := tx.TouchToken(hash, time.Unix(hours[hash]*3600, 0)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
