package outbox_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/outbox"
)

func TestDeliverNow(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(_ context.Context, m outbox.Message) error {
			list := f.entries(t)
			if len(list) != 1 || list[0].Version != m.Version || !list[0].Leased(time.Now()) {
				t.Errorf("during the call: %+v", list)
			}
			return nil
		}
		if err := f.deliver(t.Context(), t, f.outbox, message("5")); err != nil {
			t.Error(err)
		}
		f.wantNewest(t, "5")
		f.wantEntries(t, 0)
		if err := f.outbox.DeliverNow(t.Context(), nil); err != nil {
			t.Errorf("without a message: %v", err)
		}
	})
}

// A client that disconnects does not interrupt the call.
func TestCallContinuesWithoutItsClient(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		ctx, disconnect := context.WithCancel(t.Context())
		f.system.respond = func(ctx context.Context, _ outbox.Message) error {
			disconnect()
			if _, limited := ctx.Deadline(); !limited {
				t.Error("the call has no deadline")
			}
			return ctx.Err()
		}
		if err := f.deliver(ctx, t, f.outbox, message("5")); err != nil {
			t.Error(err)
		}
		f.wantNewest(t, "5")
		f.wantEntries(t, 0)
	})
}

// While an attempt is running, DeliverNow for the next message about the subject waits
// for it, also on another node, and delivers afterwards.
func TestDeliverNowWaitsForTheAttemptBefore(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for name, node := range map[string]*outbox.Outbox{"same node": f.outbox, "other node": f.node(t)} {
			begun, proceed := make(chan struct{}), make(chan struct{})
			f.system.respond = func(_ context.Context, m outbox.Message) error {
				if string(m.Payload) == "5" {
					close(begun)
					<-proceed
				}
				return nil
			}
			var first, second sync.WaitGroup
			first.Go(func() {
				if err := f.deliver(t.Context(), t, f.outbox, message("5")); err != nil {
					t.Errorf("%s: the first: %v", name, err)
				}
			})
			<-begun
			second.Go(func() {
				if err := f.deliver(t.Context(), t, node, message("6")); err != nil {
					t.Errorf("%s: the second: %v", name, err)
				}
			})
			time.Sleep(time.Second) // now the second waits
			if calls := f.system.calls(); len(calls) != 1 {
				t.Errorf("%s: calls %+v during the first", name, calls)
			}
			close(proceed)
			first.Wait()
			second.Wait()
			f.wantNewest(t, "6")
			f.system.calls()
		}
		f.wantEntries(t, 0)
	})
}

// DeliverNow waits no longer than the timeout of an attempt; a worker delivers the
// message later.
func TestDeliverNowStopsWaiting(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		begun, proceed := make(chan struct{}), make(chan struct{})
		f.system.respond = func(context.Context, outbox.Message) error {
			close(begun)
			<-proceed // even after the timeout
			return nil
		}
		var first sync.WaitGroup
		first.Go(func() {
			if err := f.deliver(t.Context(), t, f.outbox, message("5")); err != nil {
				t.Errorf("the first: %v", err)
			}
		})
		<-begun
		start := time.Now()
		if err := f.deliver(t.Context(), t, f.outbox, message("6")); err == nil {
			t.Error("a message that waits is reported as delivered")
		}
		if waited := time.Since(start); waited != timeout {
			t.Errorf("it waited for %s", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.deliver(ctx, t, f.outbox, message("7")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("at the end of the context: %v", err)
		}
		f.system.respond = nil
		close(proceed)
		first.Wait()
		if out := f.attempt(t); out.Failure != nil {
			t.Error(out.Failure)
		}
		f.wantNewest(t, "7")
	})
}

// A DeliverNow that waits and sees that a later message has failed does not make
// another attempt.
func TestWaitingCallersShareAFailure(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error {
			time.Sleep(500 * time.Millisecond)
			return errDown
		}
		start := time.Now()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := f.deliver(t.Context(), t, f.outbox, message("5")); err == nil {
					t.Error("a failure is reported as delivered")
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took >= timeout {
			t.Errorf("it took %s", took)
		}
		// One for the first caller, and one for the last, whose failure all others share.
		if calls := f.system.calls(); len(calls) > 2 {
			t.Errorf("%d calls", len(calls))
		}
	})
}

// DeliverNow reports that its message is delivered, even if a later message has been
// put meanwhile, and fails.
func TestDeliveredMessageIsNotTheLast(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(_ context.Context, m outbox.Message) error {
			time.Sleep(500 * time.Millisecond)
			if string(m.Payload) == "9" {
				return errDown
			}
			return nil
		}
		other := f.node(t)
		var all sync.WaitGroup
		begin := func(node *outbox.Outbox, after time.Duration, payload string, want bool) {
			all.Go(func() {
				time.Sleep(after)
				if err := f.deliver(t.Context(), t, node, message(payload)); (err == nil) != want {
					t.Errorf("%s is delivered: %v, error %v", payload, want, err)
				}
			})
		}
		begin(f.outbox, 0, "5", true)                     // delivered at 500 ms
		begin(f.outbox, 100*time.Millisecond, "6", true)  // waits
		begin(other, 150*time.Millisecond, "7", true)     // waits; one of the two delivers it from 500 ms on
		begin(f.outbox, 700*time.Millisecond, "9", false) // waits, and fails
		all.Wait()
		f.wantNewest(t, "7")
	})
}
