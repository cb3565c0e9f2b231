package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
)

// poolTest is a pool of sessions that only have a name: 1, 2 and so on in the
// order in which they were opened.
type poolTest struct {
	*pool
	opened, closed []string
	openErr        error
}

type namedSession struct {
	session
	name string
	p    *poolTest
}

func (s namedSession) close() error {
	s.p.closed = append(s.p.closed, s.name)
	return nil
}

func newPoolTest(size int) *poolTest {
	p := &poolTest{}
	p.pool = newPool(size, func(context.Context) (session, error) {
		if p.openErr != nil {
			return nil, p.openErr
		}
		s := namedSession{name: fmt.Sprint(len(p.opened) + 1), p: p}
		p.opened = append(p.opened, s.name)
		return s, nil
	})
	return p
}

// mustTake takes a session, which must be the one with the name.
func (p *poolTest) mustTake(t *testing.T, name string) session {
	t.Helper()
	s, err := p.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := s.(namedSession).name; got != name {
		t.Errorf("got session %s, want %s", got, name)
	}
	return s
}

// takeLater takes a session in the background and returns when that waits, or
// is done.
func (p *poolTest) takeLater(ctx context.Context) <-chan string {
	got := make(chan string, 1)
	go func() {
		s, err := p.take(ctx)
		if err != nil {
			got <- err.Error()
			return
		}
		got <- s.(namedSession).name
	}()
	synctest.Wait()
	return got
}

func TestPoolIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoolTest(2)
		first, second := p.mustTake(t, "1"), p.mustTake(t, "2")
		third, fourth := p.takeLater(t.Context()), p.takeLater(t.Context())
		if len(third)+len(fourth) > 0 {
			t.Fatal("more sessions are taken than there may be")
		}
		p.put(first)
		p.put(second)
		got := []string{<-third, <-fourth}
		if slices.Sort(got); !slices.Equal(got, []string{"1", "2"}) || len(p.opened) != 2 {
			t.Errorf("got the sessions %v of %v", got, p.opened)
		}
	})
}

func TestPoolTakesTheLastUsed(t *testing.T) {
	p := newPoolTest(3)
	first, second, third := p.mustTake(t, "1"), p.mustTake(t, "2"), p.mustTake(t, "3")
	p.put(second)
	p.put(third)
	p.put(first)
	p.put(p.mustTake(t, "1"))
	p.mustTake(t, "1")
	p.mustTake(t, "3")
	p.mustTake(t, "2")
}

// Who stops waiting, and who comes too late, takes nothing along.
func TestPoolWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoolTest(1)
		taken := p.mustTake(t, "1")
		ctx, cancel := context.WithCancel(t.Context())
		leaves, stays := p.takeLater(ctx), p.takeLater(t.Context())
		cancel()
		if got := <-leaves; got != context.Canceled.Error() {
			t.Errorf("got %s", got)
		}
		p.put(taken)
		if got := <-stays; got != "1" {
			t.Errorf("who stayed got %s", got)
		}
		p.put(taken)
		for range 20 { // there is a session and the context has ended: which of them counts must not be chance
			if _, err := p.take(ctx); !errors.Is(err, context.Canceled) {
				t.Fatalf("got error %v", err)
			}
		}
		p.mustTake(t, "1")
	})
}

func TestPoolGoesOnWhenOpeningFails(t *testing.T) {
	p := newPoolTest(1)
	p.openErr = errors.New("ours")
	for range 3 {
		if _, err := p.take(t.Context()); !errors.Is(err, p.openErr) {
			t.Errorf("got error %v", err)
		}
	}
	p.openErr = nil
	p.mustTake(t, "1")
}

func TestPoolReplacesWhatIsDropped(t *testing.T) {
	p := newPoolTest(2)
	first, second := p.mustTake(t, "1"), p.mustTake(t, "2")
	p.drop(first)
	if !slices.Equal(p.closed, []string{"1"}) {
		t.Errorf("closed are %v", p.closed)
	}
	p.put(second)
	p.mustTake(t, "2")
	p.put(p.mustTake(t, "3"))
	p.put(second)
	if err := p.close(); err != nil {
		t.Error(err)
	}
	if slices.Sort(p.closed); !slices.Equal(p.closed, []string{"1", "2", "3"}) {
		t.Errorf("closed are %v at the end", p.closed)
	}
}
