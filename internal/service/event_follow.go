package service

import (
	"context"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

const (
	// followPoll is how often a process looks for events of a store with followers,
	// besides when it writes some itself. Other nodes do not tell it of theirs.
	followPoll = time.Second
	// followPause is the shortest time between two wake-ups of those who follow a store.
	followPause = 50 * time.Millisecond
)

// feeds are the stores with followers in this process.
type feeds struct {
	mu     sync.Mutex
	stores map[string]*feed // by key
}

// feed wakes those who follow the events of a store. One goroutine looks for events for all
// of them.
type feed struct {
	followers int
	wake      chan struct{} // closed when there are further events
	written   chan struct{} // has one element if this process has written events
	cancel    context.CancelFunc
	done      chan struct{} // closed when the goroutine has ended
}

func newFeeds() *feeds { return &feeds{stores: map[string]*feed{}} }

// notice tells the feeds of changes. It never waits.
func (s *feeds) notice(changes []db.Change) {
	for _, c := range changes {
		switch c.Kind {
		case db.EventsRecorded, db.StoreDeleted, db.StoreReplaced:
			s.mu.Lock()
			if f := s.stores[c.StoreKey]; f != nil {
				f.note()
			}
			s.mu.Unlock()
		case db.AnythingChanged:
			s.mu.Lock()
			for _, f := range s.stores {
				f.note()
			}
			s.mu.Unlock()
		default:
		}
	}
}

func (f *feed) note() {
	select {
	case f.written <- struct{}{}:
	default: // it will look anyway
	}
}

// Follower waits for events of a store.
type Follower struct {
	service  *Service
	storeKey string
	feed     *feed
}

// Follow returns a follower of the events of a store. It has to be closed.
func (s *Service) Follow(storeKey string) *Follower {
	s.feeds.mu.Lock()
	defer s.feeds.mu.Unlock()
	f := s.feeds.stores[storeKey]
	if f == nil {
		ctx, cancel := context.WithCancel(context.Background())
		f = &feed{wake: make(chan struct{}), written: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
		s.feeds.stores[storeKey] = f
		go s.feed(ctx, storeKey, f)
	}
	f.followers++
	return &Follower{s, storeKey, f}
}

// Changed returns a channel that is closed when there may be events that a read before the
// call did not find. Call it, then read, then wait.
func (f *Follower) Changed() <-chan struct{} {
	f.service.feeds.mu.Lock()
	defer f.service.feeds.mu.Unlock()
	return f.feed.wake
}

// Close ends the follower.
func (f *Follower) Close() {
	feeds := f.service.feeds
	feeds.mu.Lock()
	f.feed.followers--
	last := f.feed.followers == 0
	if last {
		delete(feeds.stores, f.storeKey)
	}
	feeds.mu.Unlock()
	if last {
		f.feed.cancel()
		<-f.feed.done
	}
}

// feed looks for events of a store until ctx ends, and wakes its followers.
func (s *Service) feed(ctx context.Context, storeKey string, f *feed) {
	defer close(f.done)
	poll := time.NewTicker(followPoll)
	defer poll.Stop()
	last := int64(-1)
	for {
		// An error wakes the followers, who get it themselves.
		if now, err := s.lastEvent(ctx, storeKey); now != last || err != nil {
			last = now
			s.feeds.mu.Lock()
			close(f.wake)
			f.wake = make(chan struct{})
			s.feeds.mu.Unlock()
			wait(ctx, followPause)
		}
		select {
		case <-f.written:
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

// wait waits, until ctx ends at the latest.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// lastEvent returns the number of the newest event of a store; 0: none.
func (s *Service) lastEvent(ctx context.Context, storeKey string) (last int64, err error) {
	if err := s.numberEvents(ctx, storeKey); err != nil {
		return 0, err
	}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		last, err = tx.LastEvent(storeKey)
		return err
	})
	return last, err
}

// AwaitEvents is Events, but if no event passes the filter it waits for one, for a time or
// until stop is closed. It uses no connection of the database while it waits.
func (s *Service) AwaitEvents(ctx context.Context, storeKey string, filter cohort.EventFilter, limit int, patience time.Duration, stop <-chan struct{}) (cohort.EventPage, error) {
	f := s.Follow(storeKey)
	defer f.Close()
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		changed := f.Changed()
		page, err := s.Events(ctx, storeKey, filter, limit)
		if err != nil || len(page.Events) > 0 || page.Missed {
			return page, err
		}
		filter.After = page.Next
		if page.More {
			continue
		}
		select {
		case <-changed:
		case <-over.C:
			return page, nil
		case <-stop:
			return page, nil
		case <-ctx.Done():
			return page, ctx.Err()
		}
	}
}
