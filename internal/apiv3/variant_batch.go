package apiv3

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// variantItemFields has the fields of a variant of a batch.
var variantItemFields = func() api.Fields[service.VariantItem] {
	table := variantBody(func(i *service.VariantItem) *cohort.VariantUpdate { return &i.VariantUpdate })
	table["id"] = api.Plain(func(i *service.VariantItem) *int64 { return &i.ID }, texts.ReadID)
	table["product_id"] = api.Plain(func(i *service.VariantItem) *int64 { return &i.ProductID }, texts.ReadID)
	return table
}()

// newVariantFields are the fields that a new variant of a batch must have.
var newVariantFields = []string{"product_id", "sku", "option_values"}

func (h *handler) putVariants(w http.ResponseWriter, r *api.Request) error {
	items, err := decodeVariants(r)
	if err != nil {
		return rejectVariants(err)
	}
	after, err := h.svc.PutVariants(r.Context(), r.Store.Key, items)
	if err != nil {
		return rejectVariants(err)
	}
	return writeSingle(w, allToWire(after, variantToWire(fieldSelection{})))
}

// decodeVariants decodes a batch. The response to one that is too large is the vendor's.
func decodeVariants(r *api.Request) ([]service.VariantItem, error) {
	v, err := parseBody(r)
	if err != nil {
		return nil, err
	}
	if values, ok := v.Array(); ok && len(values) > cohort.MaxVariantsWritten {
		return nil, &api.HTTPError{
			Status:  http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("The request payload is too large. The maximum items allowed in the array is %d", cohort.MaxVariantsWritten),
		}
	}
	values, err := batchValues(v, cohort.MaxVariantsWritten)
	if err != nil {
		return nil, err
	}
	items := make([]service.VariantItem, len(values))
	var failed failures
	for i, v := range values {
		object, ok := v.Object()
		var required []string
		switch {
		case !ok: // decodeObject refuses it
		case object.Has("id"):
		case object.Has("product_id"):
			required = newVariantFields
		default:
			failed.add(strconv.Itoa(i), cohort.Invalid("id", "The id of a variant is required, or a product_id for a new variant."))
			continue
		}
		if err := decodeObject(v, &items[i], variantItemFields, required...); err != nil {
			failed.add(strconv.Itoa(i), err)
		}
	}
	return items, failed.err()
}

// variantsRejected is the response to a batch with wrong items. BatchErrors has the errors
// of each of these once more, in the form of the vendor's reference.
type variantsRejected struct {
	errorWire
	BatchErrors []errorWire `json:"batch_errors"`
}

// rejectVariants turns an error about items of a batch into its response. It returns other
// errors as they are. The vendor's reference has no 409 for the batch.
func rejectVariants(err error) error {
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok || !aboutItems(err) {
		return invalidConflict(err)
	}
	const status = http.StatusUnprocessableEntity
	body := variantsRejected{errorWire: described(status, titleInvalid, err, e)}
	body.Type = api.StatusType
	items := map[int]map[string]string{}
	for path, reason := range body.Errors {
		index, _, _ := strings.Cut(path, ".")
		i, _ := strconv.Atoi(index) // cannot fail: the path begins with an index
		if items[i] == nil {
			items[i] = map[string]string{}
		}
		items[i][path] = reason
	}
	for _, i := range slices.Sorted(maps.Keys(items)) {
		body.BatchErrors = append(body.BatchErrors, errorWire{Status: status, Title: titleInvalid, Type: api.StatusType, Errors: items[i]})
	}
	return &customError{status: status, body: body, err: err}
}
