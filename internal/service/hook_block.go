package service

import (
	"maps"
	"sync"
	"time"
)

// A destination domain of a token is blocked for hookBlockTime if, over hookWindowTime, more
// than a tenth of at least hookWindowCalls calls have failed. All by the clock of the store.
// Source: the vendor's page about webhooks.
const (
	hookWindowTime  = 2 * time.Minute
	hookWindowCalls = 100
	hookBlockTime   = 3 * time.Minute
)

// maxHookWindows bounds the domains that are remembered.
const maxHookWindows = 10_000

// windowKey is a destination domain of the hooks of a token.
type windowKey struct{ store, token, domain string }

// hookWindows counts the calls of this process.
type hookWindows struct {
	mu    sync.Mutex
	known map[windowKey]*hookWindow
}

type hookWindow struct {
	began         time.Time
	calls, failed int
}

// hookBlock is a block that begins.
type hookBlock struct {
	until  time.Time
	reason string // the last error
	failed int
}

// observe counts a call, with its error or "". It returns a block if too many have failed.
func (w *hookWindows) observe(k windowKey, now time.Time, failure string) *hookBlock {
	w.mu.Lock()
	defer w.mu.Unlock()
	win := w.known[k]
	if win == nil || now.Sub(win.began) >= hookWindowTime || now.Before(win.began) {
		w.makeRoom(now)
		win = &hookWindow{began: now}
		w.known[k] = win
	}
	win.calls++
	if failure == "" {
		return nil
	}
	win.failed++
	if win.calls < hookWindowCalls || win.failed*10 <= win.calls {
		return nil
	}
	delete(w.known, k)
	return &hookBlock{now.Add(hookBlockTime), failure, win.failed}
}

// forget drops the counts of a store.
func (w *hookWindows) forget(storeKey string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.known, func(k windowKey, _ *hookWindow) bool { return k.store == storeKey })
}

func (w *hookWindows) makeRoom(now time.Time) {
	if len(w.known) < maxHookWindows {
		return
	}
	for k, win := range w.known {
		if now.Sub(win.began) >= hookWindowTime {
			delete(w.known, k)
		}
	}
	if len(w.known) >= maxHookWindows {
		clear(w.known)
	}
}
