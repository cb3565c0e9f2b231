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

// eventWire is an event in responses. Its fields are those of [cohort.Event]; ids that are 0
// or empty are left out.
type eventWire struct {
	Number       int64            `json:"number"`
	Type         cohort.EventKind `json:"type"`
	Date         time.Time        `json:"date"`
	GroupID      int64            `json:"customer_group_id,omitempty"`
	CustomerID   int64            `json:"customer_id,omitempty"`
	AddressID    int64            `json:"address_id,omitempty"`
	AttributeID  int64            `json:"attribute_id,omitempty"`
	ChannelID    int64            `json:"channel_id,omitempty"`
	PriceListID  int64            `json:"price_list_id,omitempty"`
	AssignmentID int64            `json:"assignment_id,omitempty"`
	CategoryID   int64            `json:"category_id,omitempty"`
	BrandID      int64            `json:"brand_id,omitempty"`
	ProductID    int64            `json:"product_id,omitempty"`
	VariantID    int64            `json:"variant_id,omitempty"`
	Currency     string           `json:"currency,omitempty"`
	Actor        string           `json:"actor"`
	ActorName    string           `json:"actor_name,omitempty"`
	Reason       string           `json:"reason,omitempty"`
	RequestID    string           `json:"request_id,omitempty"`
	Changes      json.RawMessage  `json:"changes"`
}

func newEventWire(e cohort.Event) eventWire {
	return eventWire{
		Number: e.Number, Type: e.Kind, Date: e.Date, GroupID: e.GroupID, CustomerID: e.CustomerID, AddressID: e.AddressID,
		AttributeID: e.AttributeID, ChannelID: e.ChannelID, PriceListID: e.PriceListID, AssignmentID: e.AssignmentID,
		CategoryID: e.CategoryID, BrandID: e.BrandID, ProductID: e.ProductID, VariantID: e.VariantID, Currency: e.Currency,
		Actor: e.Actor, ActorName: e.ActorName, Reason: e.Reason, RequestID: e.RequestID, Changes: e.Changes,
	}
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
		wire.Data[i] = newEventWire(e)
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
