package outbox

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The wait is between half of the bound and the bound, which doubles up to the longest
// wait, and not shorter than a pause that the destination has asked for.
func TestBackoff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		attempts := rapid.IntRange(1, 2*maxAttempts).Draw(t, "attempts")
		bound := firstWait
		for n := 1; n < attempts && bound < longestWait; n++ {
			bound = min(2*bound, longestWait)
		}
		plain := errors.New("down")
		if wait := backoff(attempts, plain); wait < bound/2 || wait > bound {
			t.Fatalf("after %d attempts: %s, want up to %s", attempts, wait, bound)
		}
		pause := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(3*time.Hour)).Draw(t, "pause"))
		wait := backoff(attempts, RetryAfter(plain, pause))
		least := max(bound/2, min(pause, maxRetryAfter))
		most := max(bound, min(pause, maxRetryAfter)*11/10)
		if wait < least || wait > most {
			t.Fatalf("after %d attempts and with a pause of %s: %s, want %s to %s", attempts, pause, wait, least, most)
		}
	})
}

func TestErrors(t *testing.T) {
	plain := errors.New("down")
	for name, err := range map[string]error{
		"permanent": Permanent(plain), "retry after": RetryAfter(plain, time.Second), "both": Permanent(RetryAfter(plain, time.Second)),
	} {
		if !errors.Is(err, plain) || err.Error() != "down" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if isPermanent(plain) || !isPermanent(RetryAfter(Permanent(plain), time.Second)) || pauseOf(plain) != 0 || pauseOf(RetryAfter(plain, time.Second)) != time.Second {
		t.Error("errors are not recognized")
	}
}

// Destinations without attempts are forgotten in the end.
func TestDestinationsAreForgotten(t *testing.T) {
	now := time.Now()
	ds := newDestinations()
	idle, running := destinationKey{"k", "idle"}, destinationKey{"k", "running"}
	ds.observe(idle, errors.New("down"), now)
	if !ds.reserve(running, now) {
		t.Fatal("no attempt")
	}
	ds.forget(now.Add(forgetAfter))
	if len(ds.known) != 2 {
		t.Errorf("known are %v", ds.known)
	}
	ds.forget(now.Add(forgetAfter + time.Second))
	if len(ds.known) != 1 || ds.known[running] == nil {
		t.Errorf("known are %v", ds.known)
	}
}
