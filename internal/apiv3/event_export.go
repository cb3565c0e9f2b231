package apiv3

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// exportConcurrency is how many exports of the events of a store run together.
const exportConcurrency = 4

// exportEvents sends the events that the store has, one JSON object a line. It holds one page
// in memory, and no transaction while the client receives it.
func (h *handler) exportEvents(w http.ResponseWriter, r *api.Request) error {
	q, err := readEventQuery(r, "after", "type")
	if err != nil {
		return err
	}
	page, err := h.svc.Events(r.Context(), r.Store.Key, q.filter, service.MaxEvents)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	control := http.NewResponseController(w)
	for last := page.Last; ; {
		var lines bytes.Buffer
		encoder := json.NewEncoder(&lines)
		encoder.SetEscapeHTML(false)
		for _, e := range page.Events {
			if e.Number > last {
				break
			}
			if err := encoder.Encode(api.NewEvent(e)); err != nil {
				return err
			}
		}
		_ = control.SetWriteDeadline(time.Now().Add(eventReadTimeout)) // fails only without a network connection
		if _, err := w.Write(lines.Bytes()); err != nil {
			return api.Disconnected(err)
		}
		if !page.More || page.Next >= last {
			return nil
		}
		q.filter.After = page.Next
		if page, err = h.svc.Events(r.Context(), r.Store.Key, q.filter, service.MaxEvents); err != nil {
			return err
		}
	}
}
