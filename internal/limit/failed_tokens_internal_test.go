package limit

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f := NewFailures(func() time.Time { return now })
	want := func(from string, want Failure) {
		t.Helper()
		if got := f.Count(netip.MustParseAddr(from)); got != want {
			t.Errorf("%s: %+v, want %+v", from, got, want)
		}
	}
	for range maxFailures {
		want("192.0.2.1", Failure{})
	}
	now = now.Add(10 * time.Second)
	want("192.0.2.1", Failure{Rejected: true, First: true, RetryAfter: 50})
	want("192.0.2.1", Failure{Rejected: true, RetryAfter: 50})
	want("::ffff:192.0.2.1", Failure{Rejected: true, RetryAfter: 50})
	want("192.0.2.2", Failure{})
	now = now.Add(50 * time.Second)
	want("192.0.2.1", Failure{})

	for i := range maxFailures {
		want(fmt.Sprintf("2001:db8:1:2::%x", i+1), Failure{})
	}
	want("2001:db8:1:2:ffff::1", Failure{Rejected: true, First: true, RetryAfter: 60})
	want("2001:db8:1:3::1", Failure{})
}

// The number of addresses with a count of their own is bounded. Further addresses share
// one count, and expired counts are dropped.
func TestFailuresAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f := NewFailures(func() time.Time { return now })
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	rejected := 0
	for i := range maxFailureAddresses + maxFailures + 5 {
		if f.Count(address(i)).Rejected {
			rejected++
		}
	}
	if rejected != 5 || len(f.addresses) != maxFailureAddresses {
		t.Errorf("%d addresses without an own count rejected, want 5; %d counts, want %d", rejected, len(f.addresses), maxFailureAddresses)
	}
	if f.Count(address(0)).Rejected {
		t.Error("an address with an own count is rejected")
	}
	now = now.Add(failureWindow)
	if f.Count(address(maxFailureAddresses+maxFailures)).Rejected || len(f.addresses) != 1 {
		t.Errorf("after the window, %d counts are kept, want 1", len(f.addresses))
	}
}
