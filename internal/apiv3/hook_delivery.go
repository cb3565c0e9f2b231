package apiv3

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// The log of the deliveries of a webhook belongs to the extension: the vendor has none.

func (h *handler) deliveryRoutes() []api.Route {
	const of = "/v1/hooks/{webhook_id}/deliveries"
	return []api.Route{
		{Operation: "listDeliveries", Method: "GET", Path: of, Handle: hooked(h.listDeliveries)},
		{Operation: "redeliver", Method: "POST", Path: of + "/{delivery_id}/redeliver", Handle: hooked(h.redeliver)},
	}
}

// deliveryWire is a delivery in responses. NextAttempt is null if no attempt is to come.
type deliveryWire struct {
	ID            int64                `json:"id"`
	HookID        int64                `json:"hook_id"`
	EventNumber   int64                `json:"event_number,omitempty"`
	Scope         string               `json:"scope"`
	State         cohort.DeliveryState `json:"state"`
	Attempts      int                  `json:"attempts"`
	NextAttempt   *time.Time           `json:"next_attempt"`
	Status        int                  `json:"status,omitempty"`
	Error         string               `json:"error,omitempty"`
	DurationMS    int64                `json:"duration_ms"`
	RequestHeader map[string]string    `json:"request_headers"`
	RequestBody   json.RawMessage      `json:"request_body"`
	Response      string               `json:"response_body"`
	DateCreated   time.Time            `json:"date_created"`
	DateModified  time.Time            `json:"date_modified"`
}

func deliveryToWire(d cohort.HookDelivery) deliveryWire {
	wire := deliveryWire{
		ID: d.ID, HookID: d.HookID, EventNumber: d.EventNumber, Scope: d.Scope, State: d.State, Attempts: d.Attempt, Status: d.Status,
		Error: d.Error, DurationMS: d.Duration.Milliseconds(), RequestHeader: d.RequestHeader, RequestBody: json.RawMessage(d.Body),
		Response: d.Response, DateCreated: d.DateCreated, DateModified: d.DateModified,
	}
	if wire.RequestHeader == nil {
		wire.RequestHeader = map[string]string{}
	}
	if !d.NextAttempt.IsZero() {
		wire.NextAttempt = &d.NextAttempt
	}
	return wire
}

// deliveriesMetaWire says where a page is. After is the parameter "after" of the next page.
type deliveriesMetaWire struct {
	After int64 `json:"after"`
	More  bool  `json:"more"`
}

func (h *handler) listDeliveries(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("webhook_id")
	if err != nil {
		return err
	}
	filter, limit, err := readDeliveryQuery(r)
	if err != nil {
		return err
	}
	filter.HookID = id
	list, more, err := h.svc.HookDeliveries(r.Context(), r.Store.Key, r.Client, filter, limit)
	if err != nil {
		return err
	}
	meta := deliveriesMetaWire{After: filter.After, More: more}
	if len(list) > 0 {
		meta.After = list[len(list)-1].ID
	}
	return api.WriteJSON(w, http.StatusOK, struct {
		Data []deliveryWire     `json:"data"`
		Meta deliveriesMetaWire `json:"meta"`
	}{allToWire(list, deliveryToWire), meta})
}

// deliveryStates are the states that a delivery can be in.
var deliveryStates = []cohort.DeliveryState{cohort.DeliveryWaiting, cohort.DeliveryDelivered, cohort.DeliveryFailed}

// readDeliveryQuery reads the parameters after, limit and state.
func readDeliveryQuery(r *api.Request) (f cohort.DeliveryFilter, limit int, err error) {
	limit = defaultLimit
	err = readParams(r, func(name, value string) (known bool, err error) {
		switch name {
		case "after":
			if f.After, err = readEventNumber(value); err != nil {
				err = cohort.Invalid("", "The value must be the id of a delivery, or 0.")
			}
		case "limit":
			limit, err = readCount(value)
			limit = min(limit, maxLimit)
		case "state":
			if f.State = cohort.DeliveryState(value); !slices.Contains(deliveryStates, f.State) {
				err = cohort.Invalid("", "The value must be waiting, delivered or failed.")
			}
		default:
			return false, nil
		}
		return true, err
	})
	return f, limit, err
}

// noDelivery marks the error about a delivery that does not exist, unlike its webhook.
type noDelivery struct{ error }

func (n noDelivery) Unwrap() error { return n.error }

func (h *handler) redeliver(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("webhook_id")
	if err != nil {
		return err
	}
	if _, err := h.svc.Hook(r.Context(), r.Store.Key, r.Client, id); err != nil {
		return err
	}
	delivery, err := r.ID("delivery_id")
	if err == nil {
		err = h.svc.RedeliverHook(r.Context(), r.Store.Key, id, delivery)
	}
	if cohort.KindOf(err) == cohort.KindNotFound {
		return noDelivery{err}
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
