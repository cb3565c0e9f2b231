package outbox_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/outbox"
)

// The retries of a store follow its clock: a frozen one holds them, and each advance makes
// the next one at once. Those of other stores go on.
func TestRetriesFollowTheClock(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		past := time.Date(2001, time.February, 3, 0, 0, 0, 0, time.UTC)
		wantNoError(t, f.clocks.Freeze("a", past))
		f.addStores(t, "b")
		f.system.respond = func(context.Context, outbox.Message) error { return errDown }
		f.run(t)
		other := message("5")
		other.Store = "b"
		f.put(t, message("5"), other)
		f.outbox.Wake()
		time.Sleep(time.Minute)
		if n := f.system.count(ofStore("a")); n != 1 {
			t.Errorf("%d calls of a frozen store", n)
		}
		if n := f.system.count(ofStore("b")); n < 5 {
			t.Errorf("%d calls of another store", n)
		}
		f.system.calls()
		ladder := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}
		for i, wait := range ladder {
			e := f.entries(t)[0]
			if at := e.NextAttempt.Sub(f.clocks.Now("a")); e.Attempt != i+1 || at < wait*time.Second/2-time.Millisecond || at > wait*time.Second {
				t.Errorf("after %d attempts: %+v, in %v", i+1, e, at)
			}
			begun := time.Now()
			for _, step := range []struct {
				by   time.Duration
				want int
			}{{wait*time.Second/2 - time.Millisecond, 0}, {wait*time.Second/2 + time.Millisecond, 1}} {
				wantNoError(t, f.clocks.Advance("a", step.by))
				synctest.Wait()
				if n := f.system.count(ofStore("a")); n != step.want {
					t.Errorf("%v after attempt %d: %d calls, want %d", step.by, i+1, n, step.want)
				}
			}
			f.system.calls()
			if waited := time.Since(begun); waited != 0 {
				t.Errorf("it took %v", waited)
			}
		}
		f.system.respond = nil
		wantNoError(t, f.clocks.Advance("a", 5*time.Minute))
		f.wantEntries(t, 0)
	})
}

// A clock that runs makes messages due without a change. One that is set back holds them,
// until an operator retries them or it is cleared.
func TestRetriesOfARunningClock(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		wantNoError(t, f.clocks.Offset("a", 1000*time.Hour))
		f.system.respond = func(context.Context, outbox.Message) error { return errDown }
		f.run(t)
		f.put(t, message("5"))
		f.outbox.Wake()
		time.Sleep(4 * time.Second)
		if n := f.system.count(ofStore("a")); n < 3 {
			t.Errorf("%d calls", n)
		}
		f.system.respond = nil
		wantNoError(t, f.clocks.Offset("a", -1000*time.Hour))
		time.Sleep(10 * time.Minute)
		f.wantEntries(t, 1)
		if n, err := f.outbox.Retry(t.Context(), "a", 0); n != 1 || err != nil {
			t.Errorf("%d messages, error %v", n, err)
		}
		f.wantEntries(t, 0)
	})
}

// Leases belong to processes: they end by the clock of the system, and a store that is
// ahead does not take over one that is held.
func TestLeasesDoNotFollowTheClock(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		wantNoError(t, f.clocks.Freeze("a", time.Now()))
		f.put(t, message("5"))
		if leased := f.lease(t); len(leased) != 1 {
			t.Fatalf("leased %+v", leased)
		}
		held := f.entries(t)[0].LeasedBy
		wantNoError(t, f.clocks.Advance("a", 1000*time.Hour))
		if leased := f.lease(t); len(leased) != 0 {
			t.Errorf("leased twice: %+v", leased)
		}
		pending(t.Context(), t, f, f.outbox, message("6"))
		if got := f.entries(t)[0].LeasedBy; got != held {
			t.Error("the lease was taken over")
		}
		if n, err := f.outbox.Drop(t.Context(), "a", 0); n != 0 || err != nil {
			t.Errorf("%d messages are dropped while they are leased, error %v", n, err)
		}
		f.pass(timeout + time.Minute)
		if leased := f.lease(t); len(leased) != 1 || string(leased[0].Payload) != "6" {
			t.Errorf("after the end of the lease: %+v", leased)
		}
	})
}

func wantNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
