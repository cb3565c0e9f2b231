package apiv3

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

type eventsWire struct {
	Data []api.Event    `json:"data"`
	Meta eventsMetaWire `json:"meta"`
}

// eventsMetaWire says where a page is. After is the parameter "after" of the next page.
type eventsMetaWire struct {
	After  int64 `json:"after"`
	More   bool  `json:"more"`
	First  int64 `json:"first"`
	Last   int64 `json:"last"`
	Missed bool  `json:"missed"`
}

func (h *handler) eventRoutes() []api.Route {
	return []api.Route{
		{Operation: "listEvents", Method: "GET", Path: "/v1/events", Scope: cohort.ScopeCustomersRead, Waits: true, Handle: h.listEvents},
		{Operation: "streamEvents", Method: "GET", Path: "/v1/events/stream", Scope: cohort.ScopeCustomersRead, Streams: true, Handle: h.streamEvents},
		{Operation: "exportEvents", Method: "GET", Path: "/v1/events/export", Scope: cohort.ScopeCustomersRead, Streams: true, Concurrency: exportConcurrency, Handle: h.exportEvents},
	}
}

func (h *handler) listEvents(w http.ResponseWriter, r *api.Request) error {
	q, err := readEventQuery(r, "after", "type", "limit", "wait")
	if err != nil {
		return err
	}
	page, err := h.readEvents(r, q)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, newEventsWire(page))
}

func newEventsWire(page cohort.EventPage) eventsWire {
	return eventsWire{
		Data: allToWire(page.Events, api.NewEvent),
		Meta: eventsMetaWire{After: page.Next, More: page.More, First: page.First, Last: page.Last, Missed: page.Missed},
	}
}

// eventQuery is what a client wants to read.
type eventQuery struct {
	filter cohort.EventFilter
	limit  int
	wait   time.Duration // for an event
	// members: those of a group too
	members bool
	asOf    time.Time // the zero time: not given
}

// readEventQuery reads the parameters that an operation has.
func readEventQuery(r *api.Request, known ...string) (q eventQuery, err error) {
	q.limit = defaultLimit
	err = readParams(r, func(name, value string) (bool, error) {
		if !slices.Contains(known, name) {
			return false, nil
		}
		return true, q.set(name, value)
	})
	return q, err
}

func (q *eventQuery) set(name, value string) (err error) {
	switch name {
	case "after":
		q.filter.After, err = readEventNumber(value)
	case "limit":
		q.limit, err = readCount(value)
		q.limit = min(q.limit, maxLimit)
	case "type":
		q.filter.Kinds, err = readEventKinds(value)
	case "members":
		q.members, err = strconv.ParseBool(value)
		if err != nil {
			err = cohort.Invalid("", "The value must be true or false.")
		}
	case "as_of":
		q.asOf, err = readPastTime(value)
	case "wait":
		var seconds int
		seconds, err = strconv.Atoi(value)
		if err != nil || seconds < 0 || seconds > int(maxEventWait/time.Second) {
			err = cohort.Invalid("", "The value must be a whole number of seconds from 0 to 60.")
		}
		q.wait = time.Duration(seconds) * time.Second
	}
	return err
}

// readPastTime reads a time of which a client wants to know the state.
func readPastTime(value string) (at time.Time, err error) {
	if at, err = time.Parse(time.RFC3339, value); err != nil {
		return at, cohort.Invalid("", "The value must be a time such as 2026-11-03T00:00:00Z.")
	}
	return at.UTC(), nil
}

func readEventNumber(value string) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 {
		return 0, cohort.Invalid("", "The value must be the number of an event, or 0.")
	}
	return n, nil
}

// readEventKinds reads types of events with commas between them.
func readEventKinds(value string) (kinds []cohort.EventKind, err error) {
	for name := range strings.SplitSeq(value, ",") {
		if len(kinds) == maxListed {
			return nil, cohort.Invalid("", "The list has too many values.")
		}
		k, err := cohort.ParseEventKind(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, k)
	}
	return kinds, nil
}
