package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strconv"
)

// Delivery is a message of a webhook in its log.
type Delivery struct {
	ID          int64  `json:"id"`
	HookID      int64  `json:"hook_id"`
	EventNumber int64  `json:"event_number,omitempty"`
	Scope       string `json:"scope"`
	// State is "waiting", "delivered" or "failed".
	State    string `json:"state"`
	Attempts int    `json:"attempts"`
	// NextAttempt is zero if none is to come.
	NextAttempt    Time              `json:"next_attempt"`
	Status         int               `json:"status,omitempty"`
	Error          string            `json:"error,omitempty"`
	DurationMS     int64             `json:"duration_ms"`
	RequestHeaders map[string]string `json:"request_headers"`
	RequestBody    json.RawMessage   `json:"request_body"`
	ResponseBody   string            `json:"response_body"` // its beginning
	DateCreated    Time              `json:"date_created"`
	DateModified   Time              `json:"date_modified"`
}

func deliveriesPath(hook int64) string {
	return fmt.Sprintf("%s/hooks/%d/deliveries", cohortPath, hook)
}

// Deliveries yields the log of a webhook. A state selects, and "" is all.
func (s *CohortService) Deliveries(ctx context.Context, hook int64, state string) iter.Seq2[Delivery, error] {
	type page struct {
		Data []Delivery `json:"data"`
		Meta struct {
			After int64 `json:"after"`
			More  bool  `json:"more"`
		} `json:"meta"`
	}
	return func(yield func(Delivery, error) bool) {
		var seen pages[int64]
		q, err := params(struct {
			State string `query:"state"`
		}{state})
		if err != nil {
			yield(Delivery{}, err)
			return
		}
		q.Set("limit", strconv.Itoa(maxPage))
		for {
			p, err := get[page](ctx, s.c, request{method: http.MethodGet, path: deliveriesPath(hook), query: q})
			if err != nil {
				yield(Delivery{}, err)
				return
			}
			if !yieldFresh(p.Data, func(d Delivery) int64 { return d.ID }, &seen, yield) || !p.Meta.More || len(p.Data) == 0 {
				return
			}
			q.Set("after", strconv.FormatInt(p.Meta.After, 10))
		}
	}
}

// Redeliver sends a message of a webhook again, whatever has become of it.
func (s *CohortService) Redeliver(ctx context.Context, hook, delivery int64) error {
	return s.c.run(ctx, request{method: http.MethodPost, path: fmt.Sprintf("%s/%d/redeliver", deliveriesPath(hook), delivery)})
}
