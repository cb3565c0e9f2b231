package console

import (
	"net/netip"
	"testing"
	"time"
)

func TestAttempts(t *testing.T) {
	a, one, other := newAttempts(), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for range maxFailures {
		if !a.begin(one, now()) {
			t.Error("refused too early")
		}
	}
	if a.begin(one, now()) || a.begin(netip.MustParseAddr("::ffff:192.0.2.1"), now()) {
		t.Error("not refused")
	}
	if !a.begin(other, now()) || !a.begin(one, now().Add(failureWindow)) {
		t.Error("another address or another minute is refused")
	}
	v6 := netip.MustParseAddr("2001:db8::1")
	for range maxFailures {
		a.begin(v6, now())
	}
	if a.begin(netip.MustParseAddr("2001:db8::2"), now()) || !a.begin(netip.MustParseAddr("2001:db8:0:1::1"), now()) {
		t.Error("an address of IPv6 does not count for its network")
	}
}

// Logins that succeed do not count, whatever their number.
func TestAttemptsThatSucceed(t *testing.T) {
	a, from := newAttempts(), netip.MustParseAddr("192.0.2.1")
	for range 100 {
		if !a.begin(from, now()) {
			t.Fatal("refused")
		}
		a.succeeded(from)
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	a, from := newAttempts(), netip.MustParseAddr("10.0.0.0")
	for i := range 2 * maxAddresses {
		a.begin(from, now().Add(time.Duration(i)))
		from = from.Next()
	}
	if len(a.counts) > maxAddresses {
		t.Errorf("%d addresses", len(a.counts))
	}
}
