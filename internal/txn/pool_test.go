package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
)

// poolTest is a pool of sessions that only have a name: 1, 2 and so on, in the order in
// which they are opened.
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

// mustTake takes a session, and fails unless it has the name.
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

// takeLater calls take in a new goroutine, and returns when it waits or has returned.
// The channel receives the name of the session or the error.
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
			t.Fatal("more sessions are taken than the size of the pool")
		}
		p.put(first)
		p.put(second)
		got := []string{<-third, <-fourth}
		if slices.Sort(got); !slices.Equal(got, []string{"1", "2"}) || len(p.opened) != 2 {
			t.Errorf("got the sessions %v of %v, want 1 and 2", got, p.opened)
		}
	})
}

func TestPoolTakesLastUsed(t *testing.T) {
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

// A caller whose context has ended takes no session.
func TestPoolTakeContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoolTest(1)
		taken := p.mustTake(t, "1")
		ctx, cancel := context.WithCancel(t.Context())
		cancelled, waits := p.takeLater(ctx), p.takeLater(t.Context())
		cancel()
		if got := <-cancelled; got != context.Canceled.Error() {
			t.Errorf("got %s, want the error of the context", got)
		}
		p.put(taken)
		if got := <-waits; got != "1" {
			t.Errorf("the other caller got %s, want session 1", got)
		}
		p.put(taken)
		for range 20 { // a session is free too; select would choose at random
			if _, err := p.take(ctx); !errors.Is(err, context.Canceled) {
				t.Fatalf("got error %v, want the error of the context", err)
			}
		}
		p.mustTake(t, "1")
	})
}

func TestPoolOpenFails(t *testing.T) {
	p := newPoolTest(1)
	p.openErr = errors.New("ours")
	for range 3 {
		if _, err := p.take(t.Context()); !errors.Is(err, p.openErr) {
			t.Errorf("got error %v, want that of the connection", err)
		}
	}
	p.openErr = nil
	p.mustTake(t, "1")
}

func TestPoolReplacesDroppedSession(t *testing.T) {
	p := newPoolTest(2)
	first, second := p.mustTake(t, "1"), p.mustTake(t, "2")
	p.drop(first)
	if !slices.Equal(p.closed, []string{"1"}) {
		t.Errorf("closed sessions: %v, want only 1", p.closed)
	}
	p.put(second)
	p.mustTake(t, "2")
	p.put(p.mustTake(t, "3"))
	p.put(second)
	if err := p.close(); err != nil {
		t.Error(err)
	}
	if slices.Sort(p.closed); !slices.Equal(p.closed, []string{"1", "2", "3"}) {
		t.Errorf("closed sessions at the end: %v, want 1, 2 and 3", p.closed)
	}
}
