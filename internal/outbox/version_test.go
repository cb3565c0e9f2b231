package outbox_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/outbox"
)

// A later message replaces one that waits, and starts with no attempts.
func TestLaterMessageReplacesAnEarlierOne(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error { return errDown }
		_ = f.deliver(t.Context(), t, f.outbox, message("5"))
		time.Sleep(time.Second)
		_ = f.attempt(t)
		first := f.entries(t)[0]
		_ = f.deliver(t.Context(), t, f.outbox, message("6"))
		second := f.entries(t)[0]
		if second.ID != first.ID || second.Version <= first.Version || first.Attempt != 2 || second.Attempt != 1 {
			t.Errorf("%+v replaces %+v", second, first)
		}
		f.system.respond = nil
		if err := f.deliver(t.Context(), t, f.outbox, message("7")); err != nil {
			t.Error(err)
		}
		f.wantNewest(t, "7")
		f.wantEntries(t, 0)
	})
}

// A message that is replaced during an attempt is delivered in its new version at once.
func TestMessageReplacedDuringAnAttempt(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.system.respond = func(context.Context, outbox.Message) error {
			time.Sleep(time.Second)
			return nil
		}
		f.run(t)
		f.put(t, message("5"))
		f.outbox.Wake()
		time.Sleep(500 * time.Millisecond)
		f.put(t, message("6"))
		time.Sleep(1600 * time.Millisecond)
		f.wantNewest(t, "6")
		f.wantEntries(t, 0)
		if calls := f.system.calls(); len(calls) != 2 {
			t.Errorf("calls %+v", calls)
		}
	})
}

// Two nodes deliver many messages about one subject, from requests and from workers,
// to a slow system that sometimes fails. The system never gets an older version after
// a newer one, nor two at the same time; each DeliverNow that succeeds has seen a
// success; and in the end the system has the newest version.
func TestMessagesDoNotOvertakeEachOther(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		rng, mu := rand.New(rand.NewPCG(1, 2)), sync.Mutex{}
		random := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return rng.IntN(n)
		}
		f.system.respond = func(context.Context, outbox.Message) error {
			time.Sleep(time.Duration(random(700)) * time.Millisecond)
			if random(4) == 0 {
				return errDown
			}
			return nil
		}
		nodes := []*outbox.Outbox{f.outbox, f.node(t)}
		for _, o := range nodes {
			runOutbox(t, o, &f.log, nil)
		}
		var callers sync.WaitGroup
		for c := range 6 {
			callers.Go(func() {
				for n := range 12 {
					before := f.system.successes()
					err := f.deliver(t.Context(), t, nodes[random(2)], message(fmt.Sprint(c, "-", n)))
					if err == nil && f.system.successes() == before {
						t.Error("a message is reported as delivered without a successful call")
					}
					time.Sleep(time.Duration(random(1500)) * time.Millisecond)
				}
			})
		}
		callers.Wait()
		if err := f.deliver(t.Context(), t, f.outbox, message("last")); err != nil {
			t.Log(err)
		}
		for len(f.entries(t)) > 0 {
			time.Sleep(time.Second)
		}
		f.wantNewest(t, "last")
	})
}
