package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"cohort.example/cohort/internal/outbox"
)

// A worker retries a message that a request could not deliver: the same version.
func TestFailureIsRetried(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		if err := f.deliver(t.Context(), t, f.outbox, message("1")); err != nil {
			t.Fatal(err)
		}
		f.wantEntries(t, 0)
		f.system.calls()
		f.system.respond = func(context.Context, outbox.Message) error { return errDown }
		if err := f.deliver(t.Context(), t, f.outbox, message("5")); !errors.Is(err, errDown) {
			t.Errorf("the failure is %v", err)
		}
		list := f.entries(t)
		if len(list) != 1 {
			t.Fatalf("messages %+v", list)
		}
		e := list[0]
		wait := time.Until(e.NextAttempt)
		if e.Attempt != 1 || e.State != outbox.Waiting || e.LastError != "down [31m for now" || e.LeasedBy != "" || wait < 499*time.Millisecond || wait > time.Second {
			t.Errorf("message %+v, which waits for %s", e, wait)
		}
		if leased := f.lease(t); len(leased) != 0 {
			t.Errorf("it is due at once: %+v", leased)
		}
		time.Sleep(time.Second)
		if out := f.attempt(t); !errors.Is(out.Failure, errDown) || out.Dead {
			t.Errorf("the attempt ends with %+v", out)
		}
		f.system.respond = nil
		time.Sleep(2 * time.Second)
		if out := f.attempt(t); out.Failure != nil {
			t.Error(out.Failure)
		}
		calls := f.system.calls()
		if len(calls) != 3 || calls[0].Version != calls[2].Version || calls[0].Attempt != 0 || calls[2].Attempt != 2 {
			t.Errorf("calls %+v", calls)
		}
		f.wantEntries(t, 0)
		f.wantNewest(t, "5")
		c, err := f.outbox.Counts(t.Context())
		if want := (outbox.Counts{Delivered: 2, Failed: 2}); c != want || err != nil {
			t.Errorf("counts %+v, %v", c, err)
		}
	})
}

// A handler that panics in a worker has failed, and the worker goes on.
func TestPanicIsAFailure(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error { panic("oh no") }
		f.put(t, message("5"))
		f.run(t)
		if list := f.entries(t); len(list) != 1 || list[0].Attempt != 1 || list[0].LastError != "the handler of discount panicked: oh no" {
			t.Errorf("messages %+v", list)
		}
	})
}

// A permanent failure makes a message dead at once, from a request or a worker. It says
// nothing about the destination: the next messages for it are delivered.
func TestPermanentFailure(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		errBroken := errors.New("broken payload")
		f.system.respond = func(_ context.Context, m outbox.Message) error {
			if string(m.Payload) == "broken" {
				return outbox.Permanent(errBroken)
			}
			return nil
		}
		f.run(t)
		if err := f.deliver(t.Context(), t, f.outbox, message("broken")); !errors.Is(err, errBroken) {
			t.Errorf("the failure is %v", err)
		}
		dead := message("broken")
		dead.Subject = "8"
		f.put(t, dead)
		f.put(t, many(20, "a", "")...)
		time.Sleep(time.Hour)
		list := f.entries(t)
		if len(list) != 2 {
			t.Fatalf("messages %+v", list)
		}
		for _, e := range list {
			if e.State != outbox.Dead || e.Attempt != 1 || e.LastError != "broken payload" || e.LeasedBy != "" {
				t.Errorf("message %+v", e)
			}
		}
		if calls := f.system.calls(); len(calls) != 22 {
			t.Errorf("%d calls", len(calls))
		}
		if lines := f.log.get(); len(lines) != 1 { // of the worker's
			t.Errorf("log %q", lines)
		}
	})
}

// A destination that asks for a pause gets no calls until its end, for any message. The
// other destinations do.
func TestRetryAfter(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		const pause = 10 * time.Minute
		busyUntil := time.Now().Add(pause)
		f.system.respond = func(_ context.Context, m outbox.Message) error {
			if m.Destination == "busy" && time.Now().Before(busyUntil) {
				return outbox.RetryAfter(errDown, time.Until(busyUntil))
			}
			return nil
		}
		f.run(t)
		f.put(t, many(1, "a", "busy")...)
		f.outbox.Wake()
		f.wantEntries(t, 1)
		f.put(t, many(20, "a", "busy")...)
		f.put(t, many(20, "a", "idle")...)
		time.Sleep(pause - time.Second)
		if n := f.system.count(ofDestination("busy")); n != 1 {
			t.Errorf("%d calls of the destination during its pause", n)
		}
		f.wantEntries(t, 20)
		time.Sleep(pause/10 + 3*time.Second)
		f.wantEntries(t, 0)
	})
}

// A pause has a bound, and a request does not wait for its end.
func TestRetryAfterIsBounded(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error {
			return outbox.RetryAfter(errDown, 1000*time.Hour)
		}
		if err := f.deliver(t.Context(), t, f.outbox, message("5")); !errors.Is(err, errDown) {
			t.Errorf("the failure is %v", err)
		}
		if wait := time.Until(f.entries(t)[0].NextAttempt); wait < 59*time.Minute || wait > 66*time.Minute {
			t.Errorf("it waits for %s", wait)
		}
		f.system.respond = nil
		if err := f.deliver(t.Context(), t, f.outbox, message("6")); err != nil {
			t.Error(err)
		}
		f.put(t, message("7"))
		if out := f.attempt(t); out.Failure != nil { // a success has ended the pause
			t.Error(out.Failure)
		}
	})
}
