package apiv2

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// countWire is the response to every count.
type countWire struct {
	Count int64 `json:"count"`
}

func countDocument(n int64) *api.Document {
	return api.NewUntagged(append(strconv.AppendInt([]byte(`{"count":`), n, 10), '}'))
}

// setLocation sets the Location of a new resource from its path after "/v2". The
// header has a path and not a URL, so it is valid behind every proxy.
func setLocation(w http.ResponseWriter, r *api.Request, path string) {
	w.Header().Set("Location", "/stores/"+r.Store.Hash+"/v2"+path)
}

// reader adds the rows of one page of a list to a piece.
type reader[T any] func(ctx context.Context, p cohort.Page, to *api.Piece[T]) error

// list returns a bare array of the rows of a reader, ordered by id.
func list[T any](p cohort.Page, read reader[T], id func(T) int64, appendRow func([]byte, T) ([]byte, error)) api.List[T] {
	return api.List[T]{
		Page: p, Open: "[", Append: appendRow,
		Read:  func(ctx context.Context, p cohort.Page, to *api.Piece[T]) (int64, error) { return 0, read(ctx, p, to) },
		Key:   func(row T) string { return strconv.FormatInt(id(row), 10) },
		Close: func(dst []byte, _ api.Extent) ([]byte, error) { return append(dst, ']'), nil },
	}
}

// writeList sends a list, or 204 if it is empty.
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
