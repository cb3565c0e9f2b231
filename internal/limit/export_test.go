package limit

import "context"

// OpenPatiently is Open with terms that a busy machine does not disturb.
func OpenPatiently(ctx context.Context, url string, o Options) (*Shared, error) {
	return open(ctx, url, o, patient)
}

// Waiting returns how many freed slots may still be in Redis.
func (s *Shared) Waiting() int {
	s.slots.mu.Lock()
	defer s.slots.mu.Unlock()
	return s.slots.waiting
}
