package apiv3

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// eventWire is an event in responses. Its fields are those of [cohort.Event].
type eventWire struct {
	Number     int64            `json:"number"`
	Type       cohort.EventKind `json:"type"`
	Date       time.Time        `json:"date"`
	GroupID    int64            `json:"customer_group_id,omitempty"`
	CustomerID int64            `json:"customer_id,omitempty"`
	Actor      string           `json:"actor"`
	RequestID  string           `json:"request_id,omitempty"`
	Changes    json.RawMessage  `json:"changes"`
}

type eventsWire struct {
	Data []eventWire    `json:"data"`
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

func (h *handler) listEvents(w http.ResponseWriter, r *api.Request) error {
	filter, limit, err := readEventQuery(r)
	if err != nil {
		return err
	}
	page, err := h.svc.Events(r.Context(), r.Store.Key, filter, limit)
	if err != nil {
		return err
	}
	wire := eventsWire{
		Data: make([]eventWire, len(page.Events)),
		Meta: eventsMetaWire{After: page.Next, More: page.More, First: page.First, Last: page.Last, Missed: page.Missed},
	}
	for i, e := range page.Events {
		wire.Data[i] = eventWire{e.Number, e.Kind, e.Date, e.GroupID, e.CustomerID, e.Actor, e.RequestID, e.Changes}
	}
	return api.WriteJSON(w, http.StatusOK, wire)
}

// readEventQuery reads the parameters after, limit and type.
func readEventQuery(r *api.Request) (f cohort.EventFilter, limit int, err error) {
	limit = defaultLimit
	params, err := r.ParseQuery()
	if err != nil {
		return f, limit, err
	}
	var failed failures
	var unknown []string
	for _, p := range params {
		var err error
		switch p.Name {
		case "after":
			f.After, err = readEventNumber(p.Value)
		case "limit":
			limit, err = readCount(p.Value)
			limit = min(limit, maxLimit)
		case "type":
			f.Kinds, err = readEventKinds(p.Value)
		default:
			unknown = append(unknown, p.Name)
		}
		if err != nil {
			failed.add(p.Name, err)
		}
	}
	if len(unknown) > 0 {
		return f, limit, unknownFilters(unknown)
	}
	return f, limit, failed.err()
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
