package service

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/tracing"
)

// send makes an attempt at each message of a run, several at the same time. Messages about
// one subject are sent one after another: after a failure the others wait behind it. Once the
// slice is over, or the destination is blocked, no more attempts begin.
func (r *hookRun) send(ctx context.Context, end time.Time) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-hookReserve))
		defer cancel()
	}
	groups := r.groups()
	var next atomic.Int64
	var blocked atomic.Pointer[hookBlock]
	var sending sync.WaitGroup
	for w := range min(hookConcurrency, len(groups)) {
		sending.Go(func() {
			for first := w == 0; ; first = false { // one attempt is made in any case
				i := int(next.Add(1)) - 1
				if i >= len(groups) {
					return
				}
				for _, it := range groups[i] {
					if !first && (!time.Now().Before(end) || ctx.Err() != nil) || blocked.Load() != nil {
						return
					}
					if b := r.attempt(ctx, it); b != nil {
						blocked.Store(b)
					}
					if it.State != cohort.DeliveryDelivered {
						leaveBehind(groups[i], it)
						break
					}
				}
			}
		})
	}
	sending.Wait()
	r.blocked = blocked.Load()
}

// groups returns the messages that can be sent, by subject.
func (r *hookRun) groups() (groups [][]*hookItem) {
	for _, it := range r.retries {
		groups = append(groups, []*hookItem{it})
	}
	index := map[string]int{}
	for _, it := range r.events {
		if it.behind {
			continue
		}
		i, ok := index[it.Subject]
		if !ok {
			i = len(groups)
			index[it.Subject] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], it)
	}
	return groups
}

// leaveBehind makes the messages after one that has failed wait for it.
func leaveBehind(group []*hookItem, failed *hookItem) {
	after := false
	for _, it := range group {
		it.behind = it.behind || after
		after = after || it == failed
	}
}

// attempt makes an attempt at a message. It returns a block if the destination fails too
// often.
func (r *hookRun) attempt(ctx context.Context, it *hookItem) *hookBlock {
	h := r.work.Hook
	begun, now := time.Now(), r.s.timestamp(r.store)
	if it.Attempt == 0 && !it.told.IsZero() {
		r.s.hooks.stats.observeLag(now.Sub(it.told))
	}
	traced, span := tracing.StartRoot(ctx, "webhook")
	span.Text("cohort.store", cohort.HashOfKey(r.store))
	span.Text("cohort.scope", it.Scope)
	span.Number("cohort.attempt", it.Attempt+1)
	answer := r.s.hookSender.Send(traced, HookAttempt{
		ID: messageID(r.store, it.HookDelivery), Timestamp: now, Destination: h.Destination, Headers: h.Headers,
		Body: []byte(it.Body), Secrets: r.work.Secrets,
	})
	span.Number("http.response.status_code", answer.Status)
	span.End(answer.Err)
	it.sent = true
	it.Attempt++
	it.Status, it.RequestHeader, it.Response, it.Duration = answer.Status, answer.Request, answer.Response, time.Since(begun)
	it.DateModified = r.s.timestamp(r.store)
	it.State, it.Error, it.NextAttempt = cohort.DeliveryDelivered, "", time.Time{}
	if answer.Err != nil {
		it.Error = answer.Err.Error()
		it.State = cohort.DeliveryFailed
		if it.Attempt <= len(hookLadder) {
			it.State, it.NextAttempt = cohort.DeliveryWaiting, it.DateModified.Add(hookLadder[it.Attempt-1])
		}
	}
	return r.s.hooks.windows.observe(windowKey{r.store, h.ClientID, hookDomain(h.Destination)}, it.DateModified, it.Error)
}

// messageID returns the id of a message, the same for all attempts, also after a crash in
// which the first one was forgotten. Only deliveries without an event have ids of their own.
func messageID(storeKey string, d cohort.HookDelivery) string {
	var own int64
	if d.EventNumber == 0 {
		own = d.ID
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d %d %q %q", storeKey, d.HookID, d.EventNumber, own, d.Scope, d.Subject))
	return "msg_" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}
