package outbox_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/outbox"
	"cohort.example/cohort/internal/testenv"
)

// A store with many due messages does not delay other stores with the same destination.
func TestStoresTakeTurns(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.addStores(t, "b", "c", "d")
		f.system.respond = func(context.Context, outbox.Message) error {
			time.Sleep(100 * time.Millisecond)
			return nil
		}
		f.put(t, many(testenv.Times(10_000, 1000), "b", "")...)
		f.run(t)
		time.Sleep(time.Second)
		for _, store := range []string{"a", "c", "d"} {
			f.put(t, many(5, store, "")...)
		}
		f.outbox.Wake()
		time.Sleep(time.Second)
		for _, store := range []string{"a", "c", "d"} {
			if n := f.system.count(ofStore(store)); n != 5 {
				t.Errorf("store %s: %d calls within a second", store, n)
			}
		}
		if n := f.system.count(ofStore("b")); n < 100 || n > 170 { // 8 at a time
			t.Errorf("the large store: %d calls in two seconds", n)
		}
	})
}

// Lease gives each store its turn before a store gets a second one.
func TestLeaseTakesTurns(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.addStores(t, "b", "c")
		for _, store := range []string{"a", "b", "c"} {
			f.put(t, many(10, store, "")...)
		}
		var leased []outbox.Leased
		for range 2 {
			some, err := f.outbox.Lease(t.Context(), 3)
			if err != nil {
				t.Fatal(err)
			}
			leased = append(leased, some...)
		}
		for range 2 {
			some, err := f.outbox.Lease(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			leased = append(leased, some...)
		}
		n := map[string]int{}
		for _, l := range leased {
			n[l.Store]++
		}
		if len(leased) != 8 || min(n["a"], n["b"], n["c"]) != 2 {
			t.Errorf("leased of each store: %v", n)
		}
	})
}

// Destinations that hang, or fail, do not delay others.
func TestSlowDestinationsDoNotDelayOthers(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(ctx context.Context, m outbox.Message) error {
			switch m.Destination {
			case "down":
				return errDown
			case "fast":
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		for i := range 6 {
			f.put(t, many(100, "a", fmt.Sprint("slow", i))...)
		}
		f.put(t, many(100, "a", "down")...)
		f.run(t)
		f.put(t, many(20, "a", "fast")...)
		f.outbox.Wake()
		synctest.Wait()
		if n := f.system.count(ofDestination("fast")); n != 20 {
			t.Errorf("%d calls of the destination that works", n)
		}
		time.Sleep(30 * time.Second)
		if n := f.system.mostRunning(); n > 32 {
			t.Errorf("%d calls at a time", n)
		}
		// All hanging destinations fail by now, and get one call at a time.
		for i := range 6 {
			if n := f.system.count(ofDestination(fmt.Sprint("slow", i))); n < 10 || n > 8+15 {
				t.Errorf("destination %d: %d calls in 30 seconds", i, n)
			}
		}
	})
}

// Each destination gets 8 calls at a time, and all together 32.
func TestConcurrencyLimits(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error {
			time.Sleep(time.Second)
			return nil
		}
		f.run(t)
		f.put(t, many(20, "a", "one")...)
		f.outbox.Wake()
		time.Sleep(500 * time.Millisecond)
		if n := f.system.count(anyMessage); n != 8 {
			t.Errorf("%d calls of one destination at a time", n)
		}
		for i := range 40 {
			f.put(t, many(20, "a", fmt.Sprint("more", i))...)
		}
		f.outbox.Wake()
		time.Sleep(3 * time.Second)
		if n := f.system.mostRunning(); n != 32 {
			t.Errorf("%d calls at a time", n)
		}
	})
}

// A handler learns whether messages wait for the end of others.
func TestIsCrowded(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error {
			time.Sleep(1500 * time.Millisecond)
			return nil
		}
		f.run(t)
		want := func(what string, want bool) {
			t.Helper()
			f.outbox.Wake()
			time.Sleep(100 * time.Millisecond)
			if got := f.outbox.IsCrowded(); got != want {
				t.Errorf("%s: crowded: %t", what, got)
			}
		}
		want("nothing to do", false)
		f.put(t, many(7, "a", "one")...)
		want("7 calls of the 8 that a destination gets", false)
		for _, m := range many(2, "a", "one") {
			m.Subject += " again"
			f.put(t, m)
		}
		want("one waits", true)
		time.Sleep(3 * time.Second)
		want("all are done", false)
		if n := f.system.count(anyMessage); n != 9 {
			t.Errorf("%d calls", n)
		}
	})
}
