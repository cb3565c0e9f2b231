package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"
)

// ErrEventsMissed is a reader of events that was away for too long: events after its
// position have been deleted. It has to read the store anew.
var ErrEventsMissed = errors.New("events have been missed")

// maxEventWait is how long the server waits for an event.
const maxEventWait = 60 * time.Second

// Event is a change of a store. Ids that do not apply are 0.
type Event struct {
	Number int64 `json:"number"`
	// Type is "customerGroup.updated" and the like.
	Type         string `json:"type"`
	Date         Time   `json:"date"`
	GroupID      int64  `json:"customer_group_id,omitempty"`
	CustomerID   int64  `json:"customer_id,omitempty"`
	AddressID    int64  `json:"address_id,omitempty"`
	AttributeID  int64  `json:"attribute_id,omitempty"`
	ChannelID    int64  `json:"channel_id,omitempty"`
	PriceListID  int64  `json:"price_list_id,omitempty"`
	AssignmentID int64  `json:"assignment_id,omitempty"`
	CategoryID   int64  `json:"category_id,omitempty"`
	BrandID      int64  `json:"brand_id,omitempty"`
	ProductID    int64  `json:"product_id,omitempty"`
	VariantID    int64  `json:"variant_id,omitempty"`
	Currency     string `json:"currency,omitempty"`
	// Actor is the id of the token that made the change, "command line" and the like.
	// ActorName and Reason are those of [WithActor].
	Actor     string `json:"actor"`
	ActorName string `json:"actor_name,omitempty"`
	Reason    string `json:"reason,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	// Changes has the values before and after by field. A field is null if its values are
	// not kept, so the array may be nil.
	Changes map[string][]json.RawMessage `json:"changes"`
}

// EventPage is a page of events.
type EventPage struct {
	Events []Event
	// After is where the next page begins.
	After int64 `json:"after"`
	More  bool  `json:"more"`
	// First and Last are the lowest and the highest number of the store.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Missed says that events after the position have been deleted.
	Missed bool `json:"missed"`
}

// EventQuery says which events to read.
type EventQuery struct {
	// After is the number of the last event that was read; 0 is the beginning.
	After int64
	// Types are those to read; none is all.
	Types []string
	// Limit is at most 250; 0 is 50.
	Limit int
	// Wait is how long the server waits for an event if there is none, at most 60 s, in
	// whole seconds.
	Wait time.Duration
}

// Events returns a page of events, lowest number first.
func (s *CohortService) Events(ctx context.Context, e EventQuery) (EventPage, error) {
	q, err := eventQuery(e.After, e.Limit, e.Types)
	if err != nil {
		return EventPage{}, err
	}
	if e.Wait < 0 || e.Wait > maxEventWait {
		return EventPage{}, argument("the server waits for an event for 0 to 60 s, not %v", e.Wait)
	}
	if seconds := int(e.Wait / time.Second); seconds > 0 {
		q.Set("wait", strconv.Itoa(seconds))
	}
	page, err := get[struct {
		Data []Event   `json:"data"`
		Meta EventPage `json:"meta"`
	}](ctx, s.c, request{method: http.MethodGet, path: cohortPath + "/events", query: q, slow: e.Wait})
	page.Meta.Events = page.Data
	return page.Meta, err
}

// Follow yields events as they come, from a position on, until the context ends or a request
// fails: then it yields the error, and a caller may follow again after the last event that it
// has seen. No event is left out; [ErrEventsMissed] says that the server has some no more.
// Wait of the query is how long one request waits (30 s).
func (s *CohortService) Follow(ctx context.Context, e EventQuery) iter.Seq2[Event, error] {
	const usualWait = 30 * time.Second
	if e.Wait == 0 {
		e.Wait = usualWait
	}
	return func(yield func(Event, error) bool) {
		for {
			page, err := s.Events(ctx, e)
			switch {
			case err != nil:
			case page.Missed:
				err = fmt.Errorf("client: %w: those after %d", ErrEventsMissed, e.After)
			case page.After < e.After || page.More && page.After == e.After:
				err = fmt.Errorf("client: %w: that after %d", ErrRepeatedPage, e.After)
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, event := range page.Events {
				if !yield(event, nil) {
					return
				}
			}
			e.After = page.After
		}
	}
}
