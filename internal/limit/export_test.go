package limit

import "context"

// OpenPatiently is Open with timeouts that a busy machine does not exceed.
func OpenPatiently(ctx context.Context, url string, o Options) (*Shared, error) {
	return open(ctx, url, o, patientTiming)
}

// Waiting returns how many freed slots wait to be removed from Redis.
func (s *Shared) Waiting() int {
	s.slots.mu.Lock()
	defer s.slots.mu.Unlock()
	return s.slots.waiting
}
