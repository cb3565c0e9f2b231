package service_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestHistoryIsWhatWasSeen runs random changes, and remembers what the store has after each
// of them. The history must give that state for the times of some of them, also of what has
// been deleted since.
func TestHistoryIsWhatWasSeen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var minutes atomic.Int64
		svc := newService(t, d, nil, service.WithClock(func() time.Time { return t0.Add(time.Duration(minutes.Load()) * time.Minute) }))
		histories := 0
		rapid.Check(t, func(t *rapid.T) {
			histories++
			store := fmt.Sprint("h", histories)
			if _, err := svc.CreateStore(context.Background(), cohort.Store{Hash: store, Events: true}); err != nil {
				t.Fatal(err)
			}
			h := &historyModel{eventModel: &eventModel{svc: svc, store: store}}
			actions := rapid.StateMachineActions(h.eventModel)
			actions[""] = func(t *rapid.T) {
				h.remember(t)
				minutes.Add(1)
			}
			t.Repeat(actions)
			h.check(t)
		})
	})
}

// historyModel remembers states.
type historyModel struct {
	*eventModel
	seen []seenState
}

// seenState is what a store has at a time.
type seenState struct {
	at      time.Time
	groups  map[int64]cohort.GroupAsOf
	members map[int64]int64 // the groups of the customers
}

func (h *historyModel) remember(t *rapid.T) {
	s := seenState{at: h.svc.Now(h.store), groups: map[int64]cohort.GroupAsOf{}, members: map[int64]int64{}}
	page := cohort.Page{Number: 1, Size: 100}
	groups, err := h.svc.ListGroupMembers(context.Background(), h.store, cohort.GroupFilter{}, page)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		s.groups[g.ID] = cohort.GroupAsOf{Group: g.Group, Members: g.Members}
	}
	customers, err := h.svc.ListCustomers(context.Background(), h.store, cohort.CustomerFilter{}, page)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range customers {
		s.members[c.ID] = c.GroupID
	}
	h.seen = append(h.seen, s)
}

func (h *historyModel) check(t *rapid.T) {
	ctx := context.Background()
	for range 2 {
		s := rapid.SampledFrom(h.seen).Draw(t, "seen")
		for id := int64(1); id <= 6; id++ {
			got, err := h.svc.GroupAsOf(ctx, h.store, id, s.at)
			want, existed := s.groups[id]
			if !existed {
				if cohort.KindOf(err) != cohort.KindNotFound {
					t.Fatalf("group %d at %v: %+v, error %v", id, s.at, got, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("group %d at %v: %v", id, s.at, err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(cohort.GroupAsOf{}, "Number", "Since"), cmpopts.IgnoreFields(cohort.Group{}, "DateCreated", "DateModified")); diff != "" {
				t.Fatalf("group %d at %v (-seen +history):\n%s", id, s.at, diff)
			}
		}
		for id := int64(1); id <= 6; id++ {
			got, err := h.svc.Membership(ctx, h.store, id, s.at)
			want, existed := s.members[id]
			if !existed && cohort.KindOf(err) == cohort.KindNotFound {
				continue
			}
			if err != nil || !existed || got.GroupID != want {
				t.Fatalf("customer %d at %v: %+v, error %v; she existed: %v, in group %d", id, s.at, got, err, existed, want)
			}
		}
	}
}
