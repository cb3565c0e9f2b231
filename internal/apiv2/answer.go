package apiv2

import (
	"net/http"
	"strconv"

	"cohort.example/cohort/internal/api"
)

// countWire is the answer to every count.
type countWire struct {
	Count int64 `json:"count"`
}

func countDocument(n int64) *api.Document {
	return api.NewUntagged(append(strconv.AppendInt([]byte(`{"count":`), n, 10), '}'))
}

// setLocation names what was made, by its path behind "/v2". It is a path and
// not a URL, so it holds behind any proxy.
func setLocation(w http.ResponseWriter, r *api.Request, path string) {
	w.Header().Set("Location", "/stores/"+r.Store.Hash+"/v2"+path)
}

// writeList answers with a bare array, or with 204 when it would be empty.
func writeList[T, W any](w http.ResponseWriter, items []T, toWire func(T) W) error {
	if len(items) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	wires := make([]W, len(items))
	for i, item := range items {
		wires[i] = toWire(item)
	}
	return api.WriteJSON(w, http.StatusOK, wires)
}
