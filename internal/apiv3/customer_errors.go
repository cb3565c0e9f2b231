package apiv3

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// customersTexts are the texts of the errors of an operation on a batch of customers.
type customersTexts struct{ title, takenPath, taken string }

// Source: recordings for creates; the texts for updates follow them, except the title.
var (
	createCustomersTexts = customersTexts{"Create customers failed.", ".customer_create", "Error creating customers: email "}
	updateCustomersTexts = customersTexts{"Update customers failed.", ".customer_update", "Error updating customers: email "}
)

// customerPaths are the paths of fields of a customer in V3, where errors have others.
var customerPaths = map[string]string{"password": "authentication.new_password", "store_credit": "store_credit_amounts.0.amount"}

// customersError returns the error of a batch of customers. email returns the email that
// an item of the batch has sent.
func customersError(err error, texts customersTexts, email func(i int) *string) error {
	items, ok := errors.AsType[cohort.ItemErrors](err)
	if !ok {
		return err
	}
	var failed failures
	var taken bool
	for _, i := range slices.Sorted(maps.Keys(items)) {
		if errors.Is(items[i], service.ErrEmailTaken) && email(i) != nil {
			if !taken { // the path has no index, so it names the first one
				failed.add("", cohort.Invalid(texts.takenPath, texts.taken+*email(i)+" already in use"))
			}
			taken = true
			continue
		}
		failed.add(strconv.Itoa(i), customerError(items[i]))
	}
	return withTitle(texts.title, failed.err())
}

// customerError returns the error of one customer with the paths and texts of V3.
func customerError(err error) error {
	if part, ok := errors.AsType[service.PartErrors](err); ok {
		var failed failures
		failed.add(part.Part, inV3(part.Errors))
		return failed.err()
	}
	e, ok := errors.AsType[*cohort.Error](err)
	switch {
	case !ok:
		return err
	case e.Kind == cohort.KindNotFound: // the text is recorded
		return cohort.Invalid("id", "invalid customer ID")
	case e.Kind == cohort.KindInvalid && e.Field == "email": // the text is recorded
		return cohort.Invalid("email", "invalid email")
	case customerPaths[e.Field] != "":
		renamed := *e
		renamed.Field = customerPaths[e.Field]
		return &renamed
	}
	return err
}
