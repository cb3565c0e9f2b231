package apiv3

import (
	"net/http"

	"cohort.example/cohort/internal/api"
)

// Some lists of the customers family page by number only: the vendor has cursors for
// customers, form-field values and metafields. "meta" of these lists has "pagination"
// alone. Otherwise they are like those in cursor_page.go.

// decodeNumberQuery reads the parameters of a list that pages by number only.
func decodeNumberQuery[F any](r *api.Request, table filters[F]) (filter F, page cursorPaging, err error) {
	return decodePageQuery(r, table, func(F) listOrder { return orderByID }, func(name string) bool { return name == "page" || name == "limit" })
}

// writeNumberList sends a page of a list that pages by number only. read returns how
// many rows the whole list has, and key the id of a row.
func writeNumberList[T, W any](w http.ResponseWriter, r *api.Request, p cursorPaging, read reader[T], toWire func(T) W, key func(T) string) error {
	return writeList(w, r, p.Page, read, toWire, key, func(e api.Extent) any { return meta{Pagination: p.pagination(e.Count, e.Total)} })
}
