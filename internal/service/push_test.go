package service_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// otherPricing is another pricing system. It keeps the newest version of each
// group, and complains of calls that come side by side or in the wrong order.
type otherPricing struct {
	t *testing.T
	// answer, if there is one, is what becomes of a call.
	answer func(ctx context.Context, d service.SitewideDiscount) error

	mu      sync.Mutex
	told    []service.SitewideDiscount
	keys    map[int64]string // by version
	under   map[int64]bool   // by group
	newest  map[int64]service.SitewideDiscount
	through int
}

func newOtherPricing(t *testing.T) *otherPricing {
	return &otherPricing{t: t, keys: map[int64]string{}, under: map[int64]bool{}, newest: map[int64]service.SitewideDiscount{}}
}

func (p *otherPricing) PushSitewide(ctx context.Context, d service.SitewideDiscount) error {
	p.begin(d)
	var err error
	if p.answer != nil {
		err = p.answer(ctx, d)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under[d.GroupID] = false
	if err == nil {
		p.newest[d.GroupID] = d
		p.through++
	}
	return err
}

func (p *otherPricing) begin(d service.SitewideDiscount) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.under[d.GroupID] {
		p.t.Errorf("group %d is told twice at once", d.GroupID)
	}
	p.under[d.GroupID] = true
	if last := p.newest[d.GroupID]; d.Version < last.Version {
		p.t.Errorf("version %d of group %d is told after %d", d.Version, d.GroupID, last.Version)
	}
	if key, again := p.keys[d.Version]; len(d.Key) < 20 || again && d.Key != key {
		p.t.Errorf("version %d has the key %q, and had %q", d.Version, d.Key, key)
	}
	p.keys[d.Version] = d.Key
	p.told = append(p.told, d)
}

// calls returns what was told since the last time.
func (p *otherPricing) calls() []service.SitewideDiscount {
	p.mu.Lock()
	defer p.mu.Unlock()
	told := p.told
	p.told = nil
	return told
}

func (p *otherPricing) successes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.through
}

func rulesOff(amount int64) *[]cohort.DiscountRule {
	return &[]cohort.DiscountRule{percentOff(cohort.RuleAll, 0, amount)}
}

var errDown = errors.New("down\x1b[31m\nfor now")

// pushFixture is a store "a" with a group 1 of which another pricing system was
// told that it has 1 per cent off.
type pushFixture struct {
	svc     *service.Service
	clock   *clock
	pricing *otherPricing
}

func newPushFixture(t *testing.T, d *db.DB) *pushFixture {
	t.Helper()
	f := &pushFixture{clock: newClock(), pricing: newOtherPricing(t)}
	f.svc = service.New(d, service.WithClock(f.clock.Now), service.WithPusher(f.pricing))
	if _, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, f.svc, "a", cohort.Group{Name: "x", DiscountRules: *rulesOff(1)})
	f.pricing.calls()
	return f
}

func (f *pushFixture) put(ctx context.Context, amount int64) error {
	_, err := f.svc.UpdateGroup(ctx, "a", 1, cohort.GroupUpdate{DiscountRules: rulesOff(amount)})
	return err
}

func (f *pushFixture) jobs(t *testing.T) []service.Job {
	t.Helper()
	jobs, err := f.svc.ListJobs(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

func (f *pushFixture) lease(t *testing.T) []service.LeasedJob {
	t.Helper()
	jobs, err := f.svc.LeaseJobs(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// carryOut makes an attempt at the one job that is due.
func (f *pushFixture) carryOut(t *testing.T) error {
	t.Helper()
	jobs := f.lease(t)
	if len(jobs) != 1 {
		t.Fatalf("%d jobs are due", len(jobs))
	}
	failure, unnoted := f.svc.CarryOut(t.Context(), jobs[0])
	if unnoted != nil {
		t.Error(unnoted)
	}
	return failure
}

func (f *pushFixture) pass(d time.Duration) { f.clock.Set(f.clock.Now().Add(d)) }

func (f *pushFixture) wantInEffect(t *testing.T, amount int64) {
	t.Helper()
	if rule := f.pricing.newest[1].Rule; rule == nil || rule.Amount.IntPart() != amount {
		t.Errorf("in effect is %v, want %d", rule, amount)
	}
}

// What a request cannot tell, the background tells: the same version under the
// same key.
func TestFailedPushIsTriedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newPushFixture(t, d)
		if jobs := f.jobs(t); len(jobs) != 0 {
			t.Fatalf("a job is left after a success: %+v", jobs)
		}
		f.pricing.answer = func(context.Context, service.SitewideDiscount) error { return errDown }
		wantKind(t, f.put(t.Context(), 5), cohort.KindPartial)
		jobs := f.jobs(t)
		if len(jobs) != 1 {
			t.Fatalf("jobs %+v", jobs)
		}
		j := jobs[0]
		wait := j.RunAt.Sub(t0)
		if j.Attempt != 1 || j.State != db.JobWaiting || j.LastError != "down [31m for now" || j.LeasedBy != "" || wait < 499*time.Millisecond || wait > time.Second {
			t.Errorf("job %+v, which waits for %s", j, wait)
		}
		if jobs := f.lease(t); len(jobs) != 0 {
			t.Errorf("it is due at once: %+v", jobs)
		}
		f.pass(time.Second)
		if err := f.carryOut(t); !errors.Is(err, errDown) {
			t.Errorf("the attempt fails with %v", err)
		}
		f.pricing.answer = nil
		f.pass(2 * time.Second)
		if err := f.carryOut(t); err != nil {
			t.Error(err)
		}
		calls := f.pricing.calls()
		if len(calls) != 3 || calls[0].Version != calls[2].Version || calls[0].Key != calls[2].Key {
			t.Errorf("told %+v", calls)
		}
		if jobs := f.jobs(t); len(jobs) != 0 {
			t.Errorf("jobs are left: %+v", jobs)
		}
		f.wantInEffect(t, 5)
		c, err := f.svc.JobCounts(t.Context())
		if want := (service.JobCounts{Delivered: 2, Failed: 2}); c != want || err != nil {
			t.Errorf("counts %+v, %v", c, err)
		}
	})
}

// The job of a change is there before anybody is told, and is not there if the
// change is not.
func TestJobIsWrittenWithTheChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newPushFixture(t, d)
		f.pricing.answer = func(_ context.Context, told service.SitewideDiscount) error {
			jobs := f.jobs(t)
			if len(jobs) != 1 || jobs[0].Version != told.Version || !jobs[0].Leased(t0) {
				t.Errorf("while it is told: %+v", jobs)
			}
			if _, err := f.svc.DropJobs(t.Context(), "a", jobs[0].ID); cohort.KindOf(err) != cohort.KindConflict {
				t.Errorf("it can be dropped meanwhile: %v", err)
			}
			return nil
		}
		if err := f.put(t.Context(), 5); err != nil {
			t.Error(err)
		}
		five := percentOff(cohort.RuleAll, 0, 5)
		_, err := f.svc.UpdateGroup(t.Context(), "a", 1, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{five, five}})
		wantKind(t, err, cohort.KindInvalid)
		if jobs := f.jobs(t); len(jobs) != 0 || len(f.pricing.calls()) != 1 {
			t.Errorf("jobs %+v", jobs)
		}
	})
}

// Cohort's own pricing has nothing to be told.
func TestWithoutAnotherPricingThereAreNoJobs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		g := mustCreate(t, svc, "a", cohort.Group{Name: "x", DiscountRules: *rulesOff(5)})
		mustUpdate(t, svc, "a", g.ID, cohort.GroupUpdate{DiscountRules: rulesOff(6)})
		if err := svc.DeleteGroup(t.Context(), "a", g.ID); err != nil {
			t.Error(err)
		}
		if jobs, err := svc.ListJobs(t.Context(), "", ""); len(jobs) != 0 || err != nil || svc.Pushes() {
			t.Errorf("jobs %+v, %v", jobs, err)
		}
	})
}

// A later change takes the place of one that waits, and begins anew.
func TestLaterChangeTakesThePlace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newPushFixture(t, d)
		f.pricing.answer = func(context.Context, service.SitewideDiscount) error { return errDown }
		wantKind(t, f.put(t.Context(), 5), cohort.KindPartial)
		f.pass(time.Second)
		_ = f.carryOut(t)
		first := f.jobs(t)[0]
		wantKind(t, f.put(t.Context(), 6), cohort.KindPartial)
		second := f.jobs(t)[0]
		if second.ID != first.ID || second.Version <= first.Version || first.Attempt != 2 || second.Attempt != 1 {
			t.Errorf("%+v takes the place of %+v", second, first)
		}
		f.pricing.answer = nil
		if err := f.put(t.Context(), 7); err != nil {
			t.Error(err)
		}
		f.wantInEffect(t, 7)
		if jobs := f.jobs(t); len(jobs) != 0 {
			t.Errorf("jobs are left: %+v", jobs)
		}
	})
}

// Attempts come further and further apart, and end. Then somebody has to say that
// it goes on: an operator, or the next change.
func TestJobDies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newPushFixture(t, d)
		f.pricing.answer = func(context.Context, service.SitewideDiscount) error { return errDown }
		wantKind(t, f.put(t.Context(), 5), cohort.KindPartial)
		const attempts = 300
		longest := time.Second
		for n := 1; n < attempts; n++ {
			j := f.jobs(t)[0]
			wait := j.RunAt.Sub(f.clock.Now())
			if j.State != db.JobWaiting || j.Attempt != n || wait > longest || wait < longest/2-time.Millisecond {
				t.Fatalf("after %d attempts: %+v, which waits for %s, want up to %s", n, j, wait, longest)
			}
			longest = min(2*longest, 5*time.Minute)
			f.pass(wait)
			leased := f.lease(t)
			if len(leased) != 1 || leased[0].IsLastAttempt() != (n+1 == attempts) {
				t.Fatalf("after %d attempts: %+v is leased", n, leased)
			}
			if _, err := f.svc.CarryOut(t.Context(), leased[0]); err != nil {
				t.Fatal(err)
			}
		}
		f.pass(24 * time.Hour)
		if j := f.jobs(t)[0]; j.State != db.JobDead || j.Attempt != attempts || len(f.lease(t)) != 0 {
			t.Errorf("after %d attempts: %+v", attempts, j)
		}
		if n, err := f.svc.RetryJobs(t.Context(), "a", 0); n != 1 || err != nil {
			t.Errorf("%d jobs are tried again, %v", n, err)
		}
		if err := f.carryOut(t); !errors.Is(err, errDown) {
			t.Errorf("when an operator has it tried again: %v", err)
		}
		if j := f.jobs(t)[0]; j.State != db.JobWaiting || j.Attempt != 1 {
			t.Errorf("it does not begin anew: %+v", j)
		}
	})
}

// The end of a group is told in the background, whatever of it is known there.
func TestDeletionIsToldInTheBackground(t *testing.T) {
	none := func(f *pushFixture) {}
	removed := func(f *pushFixture) {
		f.pricing.answer = func(context.Context, service.SitewideDiscount) error { return errDown }
		_, err := f.svc.UpdateGroup(context.Background(), "a", 1, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{}})
		wantKind(f.pricing.t, err, cohort.KindPartial)
		f.pricing.answer = nil
	}
	known := func(f *pushFixture) {
		mustUpdate(f.pricing.t, f.svc, "a", 1, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{}})
	}
	for name, c := range map[string]struct {
		before func(*pushFixture)
		told   bool
	}{
		"with a discount":                    {none, true},
		"whose removal waits":                {removed, true},
		"whose removal is known, so nothing": {known, false},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				f := newPushFixture(t, d)
				c.before(f)
				f.pricing.calls()
				if err := f.svc.DeleteGroup(t.Context(), "a", 1); err != nil {
					t.Fatal(err)
				}
				if calls := f.pricing.calls(); len(calls) != 0 {
					t.Errorf("the request itself has told %+v", calls)
				}
				select {
				case <-f.svc.JobsDue():
					if !c.told {
						t.Error("the background is told that there is something")
					}
				default:
					if c.told {
						t.Error("the background is not told at once")
					}
				}
				if !c.told {
					if jobs := f.jobs(t); len(jobs) != 0 {
						t.Errorf("jobs %+v", jobs)
					}
					return
				}
				if err := f.carryOut(t); err != nil {
					t.Error(err)
				}
				if calls := f.pricing.calls(); len(calls) != 1 || calls[0].GroupID != 1 || calls[0].Rule != nil {
					t.Errorf("told %+v", calls)
				}
				wantKind(t, f.svc.DeleteGroup(t.Context(), "a", 1), cohort.KindNotFound)
			})
		})
	}
}

// A client who leaves does not cut off the call that it has made necessary.
func TestCallGoesOnWithoutItsClient(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newPushFixture(t, d)
		ctx, leave := context.WithCancel(t.Context())
		f.pricing.answer = func(ctx context.Context, _ service.SitewideDiscount) error {
			leave()
			if _, limited := ctx.Deadline(); !limited {
				t.Error("the call has no limit of time")
			}
			return ctx.Err()
		}
		if err := f.put(ctx, 5); err != nil {
			t.Error(err)
		}
		f.wantInEffect(t, 5)
		if jobs := f.jobs(t); len(jobs) != 0 {
			t.Errorf("jobs are left: %+v", jobs)
		}
	})
}

// inPushBubble runs a test where time passes when there is nothing else to do.
func inPushBubble(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		synctest.Test(t, func(t *testing.T) { fn(t, url) })
	})
}

// node returns another node's service on the database, with the same pricing.
func (f *pushFixture) node(t *testing.T, url string) *service.Service {
	t.Helper()
	return service.New(dbtest.Open(t, url), service.WithPusher(f.pricing))
}

// newBubbleFixture is a pushFixture whose clock is the bubble's.
func newBubbleFixture(t *testing.T, url string) *pushFixture {
	t.Helper()
	f := &pushFixture{pricing: newOtherPricing(t)}
	f.svc = f.node(t, url)
	if _, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, f.svc, "a", cohort.Group{Name: "x", DiscountRules: *rulesOff(1)})
	f.pricing.calls()
	return f
}

// While a change is on its way, the next one waits for it, on another node too,
// and is told then.
func TestNextChangeWaitsForTheOneBefore(t *testing.T) {
	inPushBubble(t, func(t *testing.T, url string) {
		f := newBubbleFixture(t, url)
		for name, svc := range map[string]*service.Service{"same node": f.svc, "other node": f.node(t, url)} {
			begun, goOn := make(chan struct{}), make(chan struct{})
			f.pricing.answer = func(_ context.Context, d service.SitewideDiscount) error {
				if d.Rule.Amount.IntPart() == 5 {
					close(begun)
					<-goOn
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
			time.Sleep(time.Second) // of the bubble: the second waits by now
			if calls := f.pricing.calls(); len(calls) != 1 {
				t.Errorf("%s: told %+v while the first is on its way", name, calls)
			}
			close(goOn)
			first.Wait()
			second.Wait()
			f.wantInEffect(t, 6)
			f.pricing.calls()
		}
		if jobs := f.jobs(t); len(jobs) != 0 {
			t.Errorf("jobs are left: %+v", jobs)
		}
	})
}

// A change that waits for longer than anybody may take is answered, and told later.
func TestNextChangeDoesNotWaitForEver(t *testing.T) {
	inPushBubble(t, func(t *testing.T, url string) {
		f := newBubbleFixture(t, url)
		begun, goOn := make(chan struct{}), make(chan struct{})
		f.pricing.answer = func(context.Context, service.SitewideDiscount) error {
			close(begun)
			<-goOn // whatever its context says
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
			t.Errorf("who leaves while it waits is told %v", err)
		}
		f.pricing.answer = nil
		close(goOn)
		first.Wait()
		if err := f.carryOut(t); err != nil {
			t.Error(err)
		}
		f.wantInEffect(t, 7)
	})
}

// Whoever waits and sees that a later change has failed does not try it again.
func TestThoseWhoWaitShareAFailure(t *testing.T) {
	inPushBubble(t, func(t *testing.T, url string) {
		f := newBubbleFixture(t, url)
		f.pricing.answer = func(context.Context, service.SitewideDiscount) error {
			time.Sleep(500 * time.Millisecond)
			return errDown
		}
		start := time.Now()
		var all sync.WaitGroup
		for n := range int64(10) {
			all.Go(func() { wantKind(t, f.put(t.Context(), n), cohort.KindPartial) })
		}
		all.Wait()
		if took := time.Since(start); took >= service.PushTimeout {
			t.Errorf("it took %s", took)
		}
		// The first to come, and the last to come for all others.
		if calls := f.pricing.calls(); len(calls) > 2 {
			t.Errorf("%d calls", len(calls))
		}
	})
}

// Who waits for a change of its own is told that it is through, though a later one
// has come by then, and fails.
func TestChangeThatIsThroughAndNotTheLast(t *testing.T) {
	inPushBubble(t, func(t *testing.T, url string) {
		f := newBubbleFixture(t, url)
		f.pricing.answer = func(_ context.Context, d service.SitewideDiscount) error {
			time.Sleep(500 * time.Millisecond)
			if d.Rule.Amount.IntPart() == 9 {
				return errDown
			}
			return nil
		}
		other := f.node(t, url)
		var all sync.WaitGroup
		begin := func(svc *service.Service, after time.Duration, amount int64, want bool) {
			all.Go(func() {
				time.Sleep(after)
				_, err := svc.UpdateGroup(t.Context(), "a", 1, cohort.GroupUpdate{DiscountRules: rulesOff(amount)})
				if (err == nil) != want {
					t.Errorf("%d per cent off is in effect: %v, error %v", amount, want, err)
				}
			})
		}
		begin(f.svc, 0, 5, true)                     // told until 500 ms
		begin(f.svc, 100*time.Millisecond, 6, true)  // waits
		begin(other, 150*time.Millisecond, 7, true)  // waits; told from 500 ms on, by either
		begin(f.svc, 700*time.Millisecond, 9, false) // waits, and fails
		all.Wait()
		f.wantInEffect(t, 7)
	})
}

// The lease of a process that is gone is over some time, and not before.
func TestLeaseOfTheDead(t *testing.T) {
	inPushBubble(t, func(t *testing.T, url string) {
		f := newBubbleFixture(t, url)
		if err := f.svc.DeleteGroup(t.Context(), "a", 1); err != nil {
			t.Fatal(err)
		}
		lost := f.lease(t)
		if len(lost) != 1 {
			t.Fatalf("leased %+v", lost)
		}
		time.Sleep(10*time.Second - time.Millisecond)
		if jobs := f.lease(t); len(jobs) != 0 {
			t.Errorf("leased twice: %+v", jobs)
		}
		time.Sleep(time.Millisecond)
		if err := f.carryOut(t); err != nil {
			t.Error(err)
		}
		f.pricing.calls()
		// Whoever was not dead, and only slept, tells nothing any more.
		failure, _ := f.svc.CarryOut(t.Context(), lost[0])
		if calls := f.pricing.calls(); len(calls) != 0 || failure == nil {
			t.Errorf("without a lease it tells %+v, %v", calls, failure)
		}
	})
}

// Many change the discount of one group at the same time on two nodes, while both
// also work in the background. The other system is slow and fails now and then. It
// never gets an older version after a newer one, nor two at once, who is told of a
// success has had one, and in the end it knows what the group has.
func TestChangesDoNotOvertakeEachOther(t *testing.T) {
	inPushBubble(t, func(t *testing.T, url string) {
		f := newBubbleFixture(t, url)
		rng, mu := rand.New(rand.NewPCG(1, 2)), sync.Mutex{}
		random := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return rng.IntN(n)
		}
		f.pricing.answer = func(context.Context, service.SitewideDiscount) error {
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
						t.Error("it is said to be in effect, and nothing was told")
					}
					time.Sleep(time.Duration(random(1500)) * time.Millisecond)
				}
			})
		}
		for _, svc := range nodes {
			workersDone.Go(func() {
				for {
					jobs, err := svc.LeaseJobs(t.Context(), 8)
					if err != nil {
						t.Error(err)
					}
					for _, j := range jobs {
						if _, err := svc.CarryOut(t.Context(), j); err != nil {
							t.Error(err)
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
		for len(f.jobs(t)) > 0 {
			time.Sleep(time.Second)
		}
		close(stop)
		workersDone.Wait()
		g, err := f.svc.Group(t.Context(), "a", 1)
		if err != nil {
			t.Fatal(err)
		}
		kept, _ := cohort.SitewideRule(g.DiscountRules)
		if diff := cmp.Diff(&kept, f.pricing.newest[1].Rule); diff != "" {
			t.Errorf("(-kept +in effect):\n%s", diff)
		}
		t.Logf("%d changes, %d calls", callers*changes, len(f.pricing.calls()))
	})
}

func TestJobsOfNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newPushFixture(t, d)
		ctx := t.Context()
		for name, err := range map[string]error{
			"list of no store":  second(f.svc.ListJobs(ctx, "none", "")),
			"retry of no store": second(f.svc.RetryJobs(ctx, "none", 0)),
			"drop of no store":  second(f.svc.DropJobs(ctx, "none", 0)),
			"retry of no job":   second(f.svc.RetryJobs(ctx, "a", 9)),
			"drop of no job":    second(f.svc.DropJobs(ctx, "a", 9)),
		} {
			if cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"retry of all": second(f.svc.RetryJobs(ctx, "a", 0)), "drop of all": second(f.svc.DropJobs(ctx, "a", 0)),
		} {
			if err != nil {
				t.Errorf("%s, of which there are none: %v", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
