package service

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

// The codes of messages about failed deliveries. Source: the vendor's page about webhooks.
const (
	codeWillRetry = 90001
	codeGivenUp   = 90002
	codeBlocked   = 90003
)

// exceptionEvery is how often a hook is told that deliveries to a destination are repeated.
const exceptionEvery = 10 * time.Minute

// exceptionTimes has when this process last told of repeated deliveries.
type exceptionTimes struct {
	mu   sync.Mutex
	last map[windowKey]time.Time
}

// take reports whether it is time to tell of a destination again, and takes note of it.
func (e *exceptionTimes) take(k windowKey, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if last, ok := e.last[k]; ok && now.Sub(last) < exceptionEvery && !now.Before(last) {
		return false
	}
	if len(e.last) >= maxHookWindows {
		clear(e.last)
	}
	e.last[k] = now
	return true
}

// forget drops what is known of a store.
func (e *exceptionTimes) forget(storeKey string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.last, func(k windowKey, _ time.Time) bool { return k.store == storeKey })
}

// tellExceptions adds messages about failed deliveries of a run to the hook that is told of
// them, and returns that hook if it added some. It tells nothing of that hook itself.
//
// isTime reports whether it is time to tell that a delivery will be repeated. The function of an
// update may run again, so it has to give the same answer each time.
func (s *Service) tellExceptions(tx *db.Tx, run *hookRun, given bool, isTime func() bool) ([]cohort.Hook, error) {
	failed := run.firstFailure()
	if failed == nil || run.work.Hook.Scope == cohort.ScopeDeliveryException {
		return nil, nil
	}
	h := run.work.Hook
	to, err := tx.ExceptionHook(run.store, h.ClientID)
	if err != nil || to.ID == 0 {
		return nil, err
	}
	if n, err := tx.CountWaitingDeliveries(run.store, to.ID); err != nil || n >= MaxWaitingDeliveries {
		return nil, err
	}
	now := s.timestamp(run.store)
	var list []cohort.HookDelivery
	add := func(code int, text string) {
		list = append(list, exception(run, to.ID, code, fmt.Sprintf("%s The last error: %s", text, failed.Error), now))
	}
	if given {
		add(codeGivenUp, "A delivery has failed for the last time. The webhook was deactivated.")
	} else if isTime() {
		add(codeWillRetry, "A delivery has failed and will be repeated.")
	}
	if run.blocked != nil {
		add(codeBlocked, "Too many deliveries fail. Nothing is sent to the domain for three minutes.")
	}
	if len(list) == 0 {
		return nil, nil
	}
	if err := tx.InsertDeliveries(run.store, list); err != nil {
		return nil, err
	}
	return []cohort.Hook{to}, s.outbox.PutAll(tx, []outbox.Message{hookMessage(run.store, to)})
}

// firstFailure returns the first message of a run that has failed, or nil.
func (r *hookRun) firstFailure() *hookItem {
	for _, it := range r.attempted() {
		if it.State != cohort.DeliveryDelivered {
			return it
		}
	}
	return nil
}

// exceptionData is the member "data" of a message about a failed delivery.
type exceptionData struct {
	Type    string `json:"type"`
	ID      int64  `json:"id"`
	Code    int    `json:"error_code"`
	Message string `json:"message"`
}

// exception returns a delivery about failed deliveries of a run. It has no event.
func exception(run *hookRun, to int64, code int, text string, now time.Time) cohort.HookDelivery {
	data, err := json.Marshal(exceptionData{"webhook", run.work.Hook.ID, code, text})
	if err != nil {
		panic(err) // numbers and texts always have a form
	}
	m := cohort.HookMessage{Scope: cohort.ScopeDeliveryException, Data: data, Date: now}
	return cohort.HookDelivery{
		HookID: to, Subject: "webhook " + strconv.FormatInt(run.work.Hook.ID, 10), Scope: m.Scope,
		Body:  string(m.Body(run.work.Store.Number(), run.work.Store.Hash)),
		State: cohort.DeliveryWaiting, NextAttempt: now, DateCreated: now, DateModified: now,
	}
}
