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
	want("192.0.2.1", Failure{Refused: true, First: true, RetryAfter: 50})
	want("192.0.2.1", Failure{Refused: true, RetryAfter: 50})
	want("::ffff:192.0.2.1", Failure{Refused: true, RetryAfter: 50})
	want("192.0.2.2", Failure{})
	now = now.Add(50 * time.Second)
	want("192.0.2.1", Failure{})

	for i := range maxFailures {
		want(fmt.Sprintf("2001:db8:1:2::%x", i+1), Failure{})
	}
	want("2001:db8:1:2:ffff::1", Failure{Refused: true, First: true, RetryAfter: 60})
	want("2001:db8:1:3::1", Failure{})
}

// However many addresses send something, the memory has a bound. Those that are
// counted keep their count, the others share one, and time makes room.
func TestFailuresAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f := NewFailures(func() time.Time { return now })
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	refused := 0
	for i := range maxFailureAddresses + maxFailures + 5 {
		if f.Count(address(i)).Refused {
			refused++
		}
	}
	if refused != 5 || len(f.addresses) != maxFailureAddresses {
		t.Errorf("%d are refused of those who share a count, and %d addresses are kept", refused, len(f.addresses))
	}
	if f.Count(address(0)).Refused {
		t.Error("an address with a count of its own is refused for others")
	}
	now = now.Add(failureLength)
	if f.Count(address(maxFailureAddresses+maxFailures)).Refused || len(f.addresses) != 1 {
		t.Errorf("after a while, %d addresses are kept", len(f.addresses))
	}
}
