package apiv2

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
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

// reader hands on a page of a list.
type reader[T any] func(ctx context.Context, p cohort.Page, to *api.Piece[T]) error

// list is the list that a reader reads: a bare array, by id.
func list[T any](p cohort.Page, read reader[T], id func(T) int64, appendRow func([]byte, T) ([]byte, error)) api.List[T] {
	return api.List[T]{
		Page: p, Open: "[", Append: appendRow,
		Read:  func(ctx context.Context, p cohort.Page, to *api.Piece[T]) (int64, error) { return 0, read(ctx, p, to) },
		Place: func(row T) string { return strconv.FormatInt(id(row), 10) },
		Close: func(dst []byte, _ api.Extent) ([]byte, error) { return append(dst, ']'), nil },
	}
}

// writeList answers with a list, or with 204 when it would be empty.
func writeList[T, W any](w http.ResponseWriter, r *api.Request, p cohort.Page, read reader[T], id func(T) int64, toWire func(T) W) error {
	page, err := api.ReadPage(r, list(p, read, id, func(dst []byte, row T) ([]byte, error) { return api.AppendJSON(dst, toWire(row)) }))
	if err != nil {
		return err
	}
	if page.Count() == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return page.Write(w)
}
