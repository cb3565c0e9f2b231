package service_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// While a change is being delivered, the next change of the group waits, also on another
// node. It is delivered afterwards.
func TestNextChangeWaitsForTheOneBefore(t *testing.T) {
	inPushBubble(t, func(t *testing.T, url string) {
		f := newBubbleFixture(t, url)
		for name, svc := range map[string]*service.Service{"same node": f.svc, "other node": f.node(t, url)} {
			begun, proceed := make(chan struct{}), make(chan struct{})
			f.pricing.respond = func(_ context.Context, d service.SitewideDiscount) error {
				if d.Rule.Amount.IntPart() == 5 {
					close(begun)
					<-proceed
				}
				return nil
			}
			var first, second sync.WaitGroup
			first.Go(func() {
				if err := f.put(t.Context(), 5); err != nil {
					t.Errorf("%s: the first: %v", name, err)
				}
			})
			<-begun
			second.Go(func() {
				_, err := svc.UpdateGroup(t.Context(), "a", 1, cohort.GroupUpdate{DiscountRules: rulesOff(6)})
				if err != nil {
					t.Errorf("%s: the second: %v", name, err)
				}
			})
			time.Sleep(time.Second) // in the bubble: the second change is waiting now
			if calls := f.pricing.calls(); len(calls) != 1 {
				t.Errorf("%s: calls %+v during the first", name, calls)
			}
			close(proceed)
			first.Wait()
			second.Wait()
			f.wantInEffect(t, 6)
			f.pricing.calls()
		}
		if list := f.messages(t); len(list) != 0 {
			t.Errorf("messages are left: %+v", list)
		}
	})
}

// A change waits for the previous change no longer than the timeout of a call. Then the
// caller gets KindPartial, and a worker delivers the change.
func TestNextChangeDoesNotWaitForEver(t *testing.T) {
	inPushBubble(t, func(t *testing.T, url string) {
		f := newBubbleFixture(t, url)
		begun, proceed := make(chan struct{}), make(chan struct{})
		f.pricing.respond = func(context.Context, service.SitewideDiscount) error {
			close(begun)
			<-proceed // even after the end of its context
			return nil
		}
		var first sync.WaitGroup
		first.Go(func() {
			if err := f.put(t.Context(), 5); err != nil {
				t.Errorf("the first: %v", err)
			}
		})
		<-begun
		start := time.Now()
		wantKind(t, f.put(t.Context(), 6), cohort.KindPartial)
		if waited := time.Since(start); waited != service.PushTimeout {
			t.Errorf("it waited for %s", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.put(ctx, 7); !errors.Is(err, context.DeadlineExceeded) || cohort.KindOf(err) != cohort.KindPartial {
			t.Errorf("at the end of the context: %v", err)
		}
		f.pricing.respond = nil
		close(proceed)
		first.Wait()
		if err := f.attempt(t); err != nil {
			t.Error(err)
		}
		f.wantInEffect(t, 7)
	})
}

// Many requests change the discount of one group at the same time on two nodes, whose
// workers run too. The other system is slow and sometimes fails. It never gets an older
// version after a newer one, nor two versions at the same time. A request succeeds only
// after a successful call, and in the end the other system has the discount of the group.
func TestChangesDoNotOvertakeEachOther(t *testing.T) {
	inPushBubble(t, func(t *testing.T, url string) {
		f := newBubbleFixture(t, url)
		rng, mu := rand.New(rand.NewPCG(1, 2)), sync.Mutex{}
		random := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return rng.IntN(n)
		}
		f.pricing.respond = func(context.Context, service.SitewideDiscount) error {
			time.Sleep(time.Duration(random(700)) * time.Millisecond)
			if random(4) == 0 {
				return errDown
			}
			return nil
		}
		nodes := []*service.Service{f.svc, f.node(t, url)}
		const callers, changes = 6, 12
		stop := make(chan struct{})
		var callersDone, workersDone sync.WaitGroup
		for c := range callers {
			callersDone.Go(func() {
				for n := range changes {
					before := f.pricing.successes()
					_, err := nodes[random(2)].UpdateGroup(t.Context(), "a", 1, cohort.GroupUpdate{DiscountRules: rulesOff(int64(c*changes + n))})
					if err != nil && cohort.KindOf(err) != cohort.KindPartial {
						t.Error(err)
					}
					if err == nil && f.pricing.successes() == before {
						t.Error("a change is reported as in effect without a successful call")
					}
					time.Sleep(time.Duration(random(1500)) * time.Millisecond)
				}
			})
		}
		for _, svc := range nodes {
			workersDone.Go(func() {
				for {
					leased, err := svc.Outbox().Lease(t.Context(), 8)
					if err != nil {
						t.Error(err)
					}
					for _, l := range leased {
						if out := svc.Outbox().Attempt(t.Context(), l); out.Unrecorded != nil {
							t.Error(out.Unrecorded)
						}
					}
					select {
					case <-stop:
						return
					case <-time.After(300 * time.Millisecond):
					}
				}
			})
		}
		callersDone.Wait()
		for len(f.messages(t)) > 0 {
			time.Sleep(time.Second)
		}
		close(stop)
		workersDone.Wait()
		g, err := f.svc.Group(t.Context(), "a", 1)
		if err != nil {
			t.Fatal(err)
		}
		stored, _ := cohort.SitewideRule(g.DiscountRules)
		if diff := cmp.Diff(&stored, f.pricing.newest[1].Rule); diff != "" {
			t.Errorf("(-stored +in effect):\n%s", diff)
		}
		t.Logf("%d changes, %d calls", callers*changes, len(f.pricing.calls()))
	})
}
