package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"
)

// GroupHistory yields the events of a group, oldest first, and with members also those of
// its members. It works for deleted groups too.
func (s *CohortService) GroupHistory(ctx context.Context, id int64, members bool) iter.Seq2[Event, error] {
	return s.history(ctx, cohortGroupPath(id)+"/history", members)
}

// CustomerHistory yields the events of a customer and of her memberships, oldest first.
func (s *CohortService) CustomerHistory(ctx context.Context, id int64) iter.Seq2[Event, error] {
	return s.history(ctx, fmt.Sprintf("%s/customers/%d/history", cohortPath, id), false)
}

func (s *CohortService) history(ctx context.Context, path string, members bool) iter.Seq2[Event, error] {
	type page struct {
		Data []Event `json:"data"`
		Meta struct {
			After int64 `json:"after"`
			More  bool  `json:"more"`
		} `json:"meta"`
	}
	return func(yield func(Event, error) bool) {
		for after := int64(0); ; {
			q, err := eventQuery(after, maxPage, nil)
			if err != nil {
				yield(Event{}, err)
				return
			}
			if members {
				q.Set("members", "true")
			}
			p, err := get[page](ctx, s.c, request{method: http.MethodGet, path: path, query: q})
			if err == nil && p.Meta.More && p.Meta.After <= after {
				err = fmt.Errorf("client: %w: that after %d", ErrRepeatedPage, after)
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, event := range p.Data {
				if !yield(event, nil) {
					return
				}
			}
			if !p.Meta.More {
				return
			}
			after = p.Meta.After
		}
	}
}

// PastGroup is a group as it was at a time.
type PastGroup struct {
	ID               int64             `json:"id"`
	Name             string            `json:"name"`
	CategoryAccess   CategoryAccess    `json:"category_access"`
	DiscountRules    []DiscountRule    `json:"discount_rules"`
	Assignments      []GroupAssignment `json:"price_list_assignments"`
	IsDefault        bool              `json:"is_default"`
	IsGroupForGuests bool              `json:"is_group_for_guests"`
	Members          int64             `json:"members"`
	// Unknown names the fields whose values were too long to be kept.
	Unknown []string `json:"unknown"`
	// Event is the number of the event that made the group what it was; null: an older one.
	Event Opt[int64] `json:"event,omitzero"`
	AsOf  Time       `json:"as_of"`
	// KnownSince is the time since when the events of the store are complete.
	KnownSince Time `json:"known_since"`
}

// GroupAsOf returns a group as it was; the zero time is now. A time before KnownSince is an
// [ErrInvalid].
func (s *CohortService) GroupAsOf(ctx context.Context, id int64, at time.Time) (PastGroup, error) {
	return getData[PastGroup](ctx, s.c, request{method: http.MethodGet, path: cohortGroupPath(id), query: asOfQuery(at)})
}

// Membership says in which group a customer was at a time. What is null is older than the
// events of the store.
type Membership struct {
	CustomerID int64 `json:"customer_id"`
	// GroupID is 0 for no group.
	GroupID int64      `json:"customer_group_id"`
	Since   Time       `json:"since"`
	Event   Opt[Event] `json:"event,omitzero"`
	AsOf    Time       `json:"as_of"`
	// KnownSince is the time since when the events of the store are complete.
	KnownSince Time `json:"known_since"`
}

// MembershipAsOf returns in which group a customer was; the zero time is now.
func (s *CohortService) MembershipAsOf(ctx context.Context, customer int64, at time.Time) (Membership, error) {
	path := fmt.Sprintf("%s/customers/%d/membership", cohortPath, customer)
	return getData[Membership](ctx, s.c, request{method: http.MethodGet, path: path, query: asOfQuery(at)})
}
