package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/outbox"
)

// Attempts come further and further apart, and end. Only an operator or the next
// message about the subject starts them again.
func TestMessageDies(t *testing.T) {
	eachLogic(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error { return errDown }
		if err := f.deliver(t.Context(), t, f.outbox, message("5")); err == nil {
			t.Fatal("a failure is reported as delivered")
		}
		const attempts = 300
		longest := time.Second
		for n := 1; n < attempts; n++ {
			e := f.entries(t)[0]
			wait := e.NextAttempt.Sub(f.now())
			if e.State != outbox.Waiting || e.Attempt != n || wait > longest || wait < longest/2-time.Millisecond {
				t.Fatalf("after %d attempts: %+v, which waits for %s, want up to %s", n, e, wait, longest)
			}
			longest = min(2*longest, 5*time.Minute)
			f.pass(wait)
			if out := f.attempt(t); out.Dead != (n+1 == attempts) {
				t.Fatalf("after %d attempts: %+v", n+1, out)
			}
		}
		f.pass(24 * time.Hour)
		if e := f.entries(t)[0]; e.State != outbox.Dead || e.Attempt != attempts || len(f.lease(t)) != 0 {
			t.Errorf("after %d attempts: %+v", attempts, e)
		}
		if n, err := f.outbox.Retry(t.Context(), "a", 0); n != 1 || err != nil {
			t.Errorf("%d messages are retried, %v", n, err)
		}
		if out := f.attempt(t); !errors.Is(out.Failure, errDown) {
			t.Errorf("an operator's retry: %v", out.Failure)
		}
		if e := f.entries(t)[0]; e.State != outbox.Waiting || e.Attempt != 1 {
			t.Errorf("it does not start again: %+v", e)
		}
	})
}

func TestList(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.addStores(t, "b")
		m := outbox.Message{Store: "b", Kind: kind, Subject: "9", Destination: "x", Payload: []byte("{}")}
		f.put(t, message("5"), m)
		for _, c := range []struct {
			store string
			state outbox.State
			want  int
		}{
			{"", "", 2}, {"a", "", 1}, {"b", outbox.Waiting, 1}, {"b", outbox.Dead, 0}, {"", outbox.Dead, 0},
		} {
			if list, err := f.outbox.List(t.Context(), c.store, c.state); len(list) != c.want || err != nil {
				t.Errorf("of store %q in state %q: %+v, %v", c.store, c.state, list, err)
			}
		}
		list, err := f.outbox.List(t.Context(), "b", "")
		if err != nil {
			t.Fatal(err)
		}
		e := list[0]
		if e.ID == 0 || e.Version == 0 || e.Kind != kind || e.Subject != "9" || e.Destination != "x" || string(e.Payload) != "{}" ||
			!e.Created.Equal(time.Now()) || !e.NextAttempt.Equal(time.Now()) || e.Leased(time.Now()) {
			t.Errorf("message %+v", e)
		}
		c, err := f.outbox.Counts(t.Context())
		if want := (outbox.Counts{Waiting: 2}); c != want || err != nil {
			t.Errorf("counts %+v, %v", c, err)
		}
	})
}

// A message cannot be dropped during an attempt.
func TestDropDuringAnAttempt(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error {
			id := f.entries(t)[0].ID
			if _, err := f.outbox.Drop(t.Context(), "a", id); cohort.KindOf(err) != cohort.KindConflict {
				t.Errorf("dropped: %v", err)
			}
			if n, err := f.outbox.Drop(t.Context(), "a", 0); n != 0 || err != nil {
				t.Errorf("%d of all dropped: %v", n, err)
			}
			return errDown
		}
		_ = f.deliver(t.Context(), t, f.outbox, message("5"))
		f.wantEntries(t, 1)
		if n, err := f.outbox.Drop(t.Context(), "a", f.entries(t)[0].ID); n != 1 || err != nil {
			t.Errorf("%d dropped: %v", n, err)
		}
		f.wantEntries(t, 0)
	})
}

func TestRetryAndDropOfNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx, o := t.Context(), f.outbox
		for name, err := range map[string]error{
			"list of no store":    second(o.List(ctx, "none", "")),
			"retry of no store":   second(o.Retry(ctx, "none", 0)),
			"drop of no store":    second(o.Drop(ctx, "none", 0)),
			"retry of no message": second(o.Retry(ctx, "a", 9)),
			"drop of no message":  second(o.Drop(ctx, "a", 9)),
		} {
			if cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{"retry of all": second(o.Retry(ctx, "a", 0)), "drop of all": second(o.Drop(ctx, "a", 0))} {
			if err != nil {
				t.Errorf("%s of no messages: %v", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
