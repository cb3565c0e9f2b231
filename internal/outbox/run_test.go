package outbox_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/outbox"
)

// Workers deliver what a request could not deliver as soon as the system works again.
func TestRunDeliversWhatHasFailed(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		var down atomic.Bool
		down.Store(true)
		f.system.respond = func(context.Context, outbox.Message) error {
			if down.Load() {
				return errDown
			}
			return nil
		}
		f.run(t)
		if err := f.deliver(t.Context(), t, f.outbox, message("5")); err == nil {
			t.Fatal("it did not fail")
		}
		time.Sleep(20 * time.Second)
		f.wantEntries(t, 1)
		if n := len(f.system.calls()); n < 4 || n > 7 {
			t.Errorf("%d attempts in 20 seconds", n)
		}
		down.Store(false)
		time.Sleep(20 * time.Second)
		f.wantEntries(t, 0)
		lines := f.log.get()
		if len(lines) != 2 || !strings.Contains(lines[0], "deliveries fail; retrying") || !strings.Contains(lines[0], "for now") ||
			!strings.Contains(lines[0], "kind=discount") || !strings.Contains(lines[1], "deliveries succeed again") {
			t.Errorf("log %q", lines)
		}
	})
}

// A message of this node is delivered without a wait, and one of another node within a
// second.
func TestRunDeliversPutMessages(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.run(t)
		for _, c := range []struct {
			wake   func()
			within time.Duration
		}{
			{f.outbox.Wake, 0}, {f.node(t).Wake, time.Second},
		} {
			f.put(t, message("5"))
			c.wake()
			time.Sleep(c.within)
			f.wantEntries(t, 0)
			if calls := f.system.calls(); len(calls) != 1 {
				t.Errorf("%d calls within %s", len(calls), c.within)
			}
		}
		f.wantNoLog(t)
	})
}

// Many messages for one destination are delivered concurrently, each once.
func TestRunDeliversConcurrently(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		const messages = 50
		f.put(t, many(messages, "a", "")...)
		f.system.respond = func(context.Context, outbox.Message) error {
			time.Sleep(time.Second)
			return nil
		}
		start := time.Now()
		f.run(t)
		for f.system.count(anyMessage) < messages {
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		f.wantEntries(t, 0)
		seen := map[string]bool{}
		for _, m := range f.system.calls() {
			if seen[m.Subject] {
				t.Errorf("two calls about %s", m.Subject)
			}
			seen[m.Subject] = true
		}
		if took := time.Since(start); f.system.mostRunning() != 8 || took > 12*time.Second {
			t.Errorf("%d at a time, in %s", f.system.mostRunning(), took)
		}
	})
}

// Run finishes the running attempts at the end of its context, so that no lease is
// left, and begins no others.
func TestRunStopsDuringAttempts(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.put(t, many(9, "a", "")...)
		f.system.respond = func(context.Context, outbox.Message) error {
			time.Sleep(time.Second)
			return nil
		}
		f.run(t)
		for f.system.count(anyMessage) == 0 {
			time.Sleep(time.Millisecond)
		}
		f.cancel()
		synctest.Wait()
		if f.hasStopped() {
			t.Error("it does not wait for the running attempts")
		}
		<-f.done
		if n := len(f.system.calls()); n != 8 {
			t.Errorf("%d calls", n)
		}
		if list := f.entries(t); len(list) != 1 || list[0].LeasedBy != "" {
			t.Errorf("left: %+v", list)
		}
		f.wantNoLog(t)
	})
}

// The log names each message that becomes dead.
func TestRunLogsDeadMessages(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error { return errDown }
		_ = f.deliver(t.Context(), t, f.outbox, message("5"))
		for n := 1; n < 298; n++ {
			f.pass(5 * time.Minute)
			f.attempt(t)
		}
		f.run(t)
		time.Sleep(10 * time.Minute)
		c, err := f.outbox.Counts(t.Context())
		if c.Dead != 1 || c.Waiting != 0 || c.Failed != 300 || err != nil {
			t.Errorf("counts %+v, %v", c, err)
		}
		lines := f.log.get()
		if len(lines) != 2 || !strings.Contains(lines[1], "level=ERROR") || !strings.Contains(lines[1], "message is dead") ||
			!strings.Contains(lines[1], "store=a") || !strings.Contains(lines[1], "subject=7") {
			t.Errorf("log %q", lines)
		}
	})
}

// A database that fails is in the log once, not every second.
func TestRunLogsThatTheDatabaseFails(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		if err := f.db.Close(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		f.outbox.Run(ctx, slog.New(slog.NewTextHandler(&f.log, nil)))
		n := 0
		for _, line := range f.log.get() {
			if strings.Contains(line, "cannot read or write the outbox") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("log %q", f.log.get())
		}
	})
}
