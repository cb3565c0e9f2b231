package apiv3

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// Segments and shopper profiles have formats of their own: invalid input is 400 with the
// path as "instance", a conflict is 409 with the counts of the batch, and the pagination
// of lists has no links. Source: the vendor's reference.

// invalidSegmentsWire is the response to invalid input.
type invalidSegmentsWire struct {
	Status   int               `json:"status"`
	Title    string            `json:"title"`
	Type     string            `json:"type"`
	Instance string            `json:"instance"`
	Errors   map[string]string `json:"errors"`
}

// conflictsWire is the response to a batch with conflicts, of which nothing is done.
type conflictsWire struct {
	Data   []struct{}     `json:"data"`
	Errors []errorWire    `json:"errors"`
	Meta   batchCountWire `json:"meta"`
}

type batchCountWire struct {
	Total   int `json:"total"`
	Success int `json:"success"`
	Failed  int `json:"failed"`
}

// segmented gives the errors of a handler about invalid input the format of segments.
func segmented(handle api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *api.Request) error {
		err := handle(w, r)
		if err == nil {
			return nil
		}
		if _, own := errors.AsType[*customError](err); own {
			return err
		}
		body := errorWire{Title: titleInvalid}
		if e, ok := errors.AsType[*api.HTTPError](err); ok {
			if e.Status != http.StatusBadRequest {
				return err
			}
			body.Title = e.Message
		} else if e, ok := errors.AsType[*cohort.Error](err); ok && e.Kind == cohort.KindInvalid {
			body = described(http.StatusBadRequest, titleInvalid, err, e)
		} else {
			return err
		}
		if body.Errors == nil {
			body.Errors = map[string]string{}
		}
		return &customError{status: http.StatusBadRequest, err: err, body: invalidSegmentsWire{
			http.StatusBadRequest, body.Title, api.StatusType, r.URL.Path, body.Errors,
		}}
	}
}

// batchConflict gives a conflict of a batch its format. It returns other errors
// unchanged.
func batchConflict(title string, items int, conflicts map[string]string, err error) error {
	if cohort.KindOf(err) != cohort.KindConflict {
		return err
	}
	return &customError{status: http.StatusConflict, err: err, body: conflictsWire{
		Data:   []struct{}{},
		Errors: []errorWire{{Status: http.StatusConflict, Title: title, Type: api.StatusType, Errors: conflicts}},
		Meta:   batchCountWire{Total: items, Failed: items},
	}}
}

// writeRows sends the resources of a batch.
func writeRows[T, W any](w http.ResponseWriter, status int, list []T, toWire func(T) W) error {
	return api.WriteJSON(w, status, single{Data: allToWire(list, toWire)})
}

// unlinkedMeta is the meta of a list whose pagination has no links.
type unlinkedMeta struct {
	Pagination unlinkedPagination `json:"pagination"`
}

type unlinkedPagination struct {
	Total       int64 `json:"total"`
	Count       int   `json:"count"`
	PerPage     int   `json:"per_page"`
	CurrentPage int   `json:"current_page"`
	TotalPages  int64 `json:"total_pages"`
}

// writeUnlinked is writeNumberList without links.
func writeUnlinked[T, W any](w http.ResponseWriter, r *api.Request, p cursorPaging, read reader[T], toWire func(T) W, key func(T) string) error {
	return writeList(w, r, p.Page, read, toWire, key, func(e api.Extent) any {
		m := p.pagination(e.Count, e.Total)
		return unlinkedMeta{unlinkedPagination{m.Total, m.Count, m.PerPage, m.CurrentPage, m.TotalPages}}
	})
}

// uuidFilters has the filter by UUIDs. A nil list means that it was not sent.
var uuidFilters = filters[[]string]{
	"id:in": func(into *[]string, value string) error {
		parts := strings.SplitN(value, ",", cohort.MaxSegmentUUIDs+1)
		if len(parts) > cohort.MaxSegmentUUIDs {
			return cohort.Invalid("", fmt.Sprintf("The list has more than %d values.", cohort.MaxSegmentUUIDs))
		}
		list := make([]string, len(parts))
		for i, part := range parts {
			id := strings.TrimSpace(part)
			if !cohort.IsUUID(id) {
				return cohort.Invalid("", "The value must be a UUID, or several with commas between them.")
			}
			list[i] = strings.ToLower(id)
		}
		narrow(into, list)
		return nil
	},
}

// joinIDs returns the request with one parameter "id:in" for all of them. In the vendor's
// file this family, and no other, has the list as one parameter for each id, so clients
// that are generated from it repeat the parameter.
func joinIDs(r *api.Request) *api.Request {
	var ids, others []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil && name == "id:in" {
			ids = append(ids, value)
		} else {
			others = append(others, pair)
		}
	}
	if len(ids) < 2 {
		return r
	}
	joined, request, address := *r, *r.Request, *r.URL
	address.RawQuery = strings.Join(append(others, "id:in="+strings.Join(ids, ",")), "&")
	request.URL, joined.Request = &address, &request
	return &joined
}

// decodeUUIDs reads the filter of a deletion. Without one it returns nil: the vendor
// deletes everything then. A parameter with another name is an error, so that a mistyped
// one does not delete everything.
func decodeUUIDs(r *api.Request) ([]string, error) {
	r = joinIDs(r)
	params, err := r.ParseQuery()
	if err != nil || len(params) == 0 {
		return nil, err
	}
	return decodeDeletion(r, uuidFilters)
}

// decodeUUIDArray decodes a body, which must be an array of 1 to limit UUIDs.
func decodeUUIDArray(r *api.Request, limit int) ([]string, error) {
	v, err := parseBody(r)
	if err != nil {
		return nil, err
	}
	values, err := batchValues(v, limit)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(values))
	wrong := cohort.ItemErrors{}
	for i, value := range values {
		if ids[i], err = readUUID(value); err != nil {
			wrong[i] = err
		}
	}
	return ids, wrong.Err()
}

func readUUID(v api.Value) (string, error) {
	id, ok := v.Text()
	if !ok || !cohort.IsUUID(id) {
		return "", cohort.Invalid("", "The value must be a UUID.")
	}
	return strings.ToLower(id), nil
}
