package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/jobs"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// pricing is another pricing system, which takes a moment for each call.
type pricing struct {
	mu         sync.Mutex
	err        error
	told       []int64 // groups
	under, top int
	takes      time.Duration
}

func (p *pricing) PushSitewide(_ context.Context, d service.SitewideDiscount) error {
	p.mu.Lock()
	p.told = append(p.told, d.GroupID)
	p.under++
	p.top = max(p.top, p.under)
	takes, err := p.takes, p.err
	p.mu.Unlock()
	time.Sleep(takes) // of the bubble
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under--
	return err
}

func (p *pricing) set(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// count returns how many calls there were.
func (p *pricing) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.told)
}

// eachPushing runs a test like each, with another pricing system.
func eachPushing(t *testing.T, fn func(t *testing.T, f *fixture, p *pricing)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		synctest.Test(t, func(t *testing.T) {
			d, p := dbtest.Open(t, url), &pricing{}
			f := &fixture{db: d, svc: service.New(d, service.WithPusher(p)), done: make(chan struct{})}
			if _, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
				t.Fatal(err)
			}
			fn(t, f, p)
		})
	})
}

// create makes a group with a sitewide discount.
func (f *fixture) create(t *testing.T, svc *service.Service) (id int64, err error) {
	t.Helper()
	rule := cohort.DiscountRule{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(5)}
	g, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "x", DiscountRules: []cohort.DiscountRule{rule}})
	if err != nil && cohort.KindOf(err) != cohort.KindPartial {
		t.Fatal(err)
	}
	return g.ID, err
}

func (f *fixture) wantJobs(t *testing.T, want int) {
	t.Helper()
	synctest.Wait()
	list, err := f.svc.ListJobs(t.Context(), "a", "")
	if len(list) != want || err != nil {
		t.Errorf("%d jobs, want %d: %+v, %v", len(list), want, list, err)
	}
}

var errDown = errors.New("down for now")

// What a request could not tell is told as soon as it can be.
func TestRunDeliversWhatHasFailed(t *testing.T) {
	eachPushing(t, func(t *testing.T, f *fixture, p *pricing) {
		f.run(t)
		p.set(errDown)
		if _, err := f.create(t, f.svc); err == nil {
			t.Fatal("it did not fail")
		}
		time.Sleep(20 * time.Second) // of the bubble, at once
		f.wantJobs(t, 1)
		if n := p.count(); n < 4 || n > 7 {
			t.Errorf("%d attempts in 20 seconds", n)
		}
		p.set(nil)
		time.Sleep(20 * time.Second)
		f.wantJobs(t, 0)
		lines := f.log.get()
		if len(lines) != 2 || !strings.Contains(lines[0], "do not reach the pricing system") || !strings.Contains(lines[0], "down for now") ||
			!strings.Contains(lines[1], "reach the pricing system again") {
			t.Errorf("log %q", lines)
		}
	})
}

// A deletion is told without a wait, and one of another node within a second.
func TestRunDeliversDeletions(t *testing.T) {
	eachPushing(t, func(t *testing.T, f *fixture, p *pricing) {
		f.run(t)
		other := service.New(f.db, service.WithPusher(p))
		for svc, within := range map[*service.Service]time.Duration{f.svc: 0, other: time.Second} {
			id, err := f.create(t, svc)
			if err != nil {
				t.Fatal(err)
			}
			before := p.count()
			if err := svc.DeleteGroup(t.Context(), "a", id); err != nil {
				t.Fatal(err)
			}
			time.Sleep(within)
			f.wantJobs(t, 0)
			if n := p.count() - before; n != 1 {
				t.Errorf("%d calls within %s", n, within)
			}
		}
		f.wantNoLog(t)
	})
}

// Many jobs are carried out side by side, but not all at once.
func TestRunDeliversManySideBySide(t *testing.T) {
	eachPushing(t, func(t *testing.T, f *fixture, p *pricing) {
		const groups = 50
		for range groups {
			id, err := f.create(t, f.svc)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.svc.DeleteGroup(t.Context(), "a", id); err != nil {
				t.Fatal(err)
			}
		}
		p.takes = time.Second
		p.told, p.top = nil, 0
		start := time.Now()
		f.run(t)
		for p.count() < groups {
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		f.wantJobs(t, 0)
		seen := map[int64]bool{}
		for _, id := range p.told {
			if seen[id] {
				t.Errorf("group %d is told twice", id)
			}
			seen[id] = true
		}
		if took := time.Since(start); p.top != 8 || took > 12*time.Second {
			t.Errorf("%d at once, in %s", p.top, took)
		}
	})
}

// To stop is to finish what is under way, so that no lease is left behind, and to
// begin nothing.
func TestRunStopsWithADeliveryUnderWay(t *testing.T) {
	eachPushing(t, func(t *testing.T, f *fixture, p *pricing) {
		for range 9 {
			id, err := f.create(t, f.svc)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.svc.DeleteGroup(t.Context(), "a", id); err != nil {
				t.Fatal(err)
			}
		}
		before := p.count()
		p.takes = time.Second
		f.run(t)
		for p.count() == before {
			time.Sleep(time.Millisecond)
		}
		f.cancel()
		synctest.Wait()
		if f.hasStopped() {
			t.Error("it has left what was under way")
		}
		<-f.done
		if n := p.count() - before; n != 8 {
			t.Errorf("%d calls", n)
		}
		list, err := f.svc.ListJobs(t.Context(), "a", "")
		if len(list) != 1 || list[0].LeasedBy != "" || err != nil {
			t.Errorf("left: %+v, %v", list, err)
		}
		f.wantNoLog(t)
	})
}

// What is given up is in the log, by name.
func TestRunLogsWhatItGivesUp(t *testing.T) {
	eachPushing(t, func(t *testing.T, f *fixture, p *pricing) {
		p.set(errDown)
		id, _ := f.create(t, f.svc)
		for n := 1; n < 298; n++ { // on some other node
			time.Sleep(5 * time.Minute) // of the bubble
			leased, err := f.svc.LeaseJobs(t.Context(), 1)
			if len(leased) != 1 || err != nil {
				t.Fatalf("after %d attempts: %+v, %v", n, leased, err)
			}
			if _, err := f.svc.CarryOut(t.Context(), leased[0]); err != nil {
				t.Fatal(err)
			}
		}
		f.run(t)
		time.Sleep(10 * time.Minute)
		c, err := f.svc.JobCounts(t.Context())
		if c.Dead != 1 || c.Waiting != 0 || c.Failed != 300 || err != nil {
			t.Errorf("counts %+v, %v", c, err)
		}
		lines := f.log.get()
		if len(lines) != 2 || !strings.Contains(lines[1], "level=ERROR") || !strings.Contains(lines[1], "given up") ||
			!strings.Contains(lines[1], "store=a") || !strings.Contains(lines[1], fmt.Sprint("subject=", id)) {
			t.Errorf("log %q", lines)
		}
	})
}

// A database that fails is in the log once, not every second.
func TestDeliveriesLogThatTheDatabaseFails(t *testing.T) {
	eachPushing(t, func(t *testing.T, f *fixture, _ *pricing) {
		if err := f.db.Close(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		jobs.Run(ctx, f.svc, slog.New(slog.NewTextHandler(&f.log, nil)))
		n := 0
		for _, line := range f.log.get() {
			if strings.Contains(line, "jobs cannot be read") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("log %q", f.log.get())
		}
	})
}
