package catalogfile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cohort.example/cohort"
)

// itemOf parses an item. Err is the first error, but kind and id are set whenever
// possible, because other items may refer to them.
func itemOf(r record, standard cohort.CatalogKind) (item cohort.CatalogItem) {
	idErr := readID(r, &item)
	if item.Err = readKind(r, standard, &item); item.Err != nil {
		return item
	}
	if item.Err = idErr; item.Err != nil {
		return item
	}
	s := schemas[item.Kind]
	s.begin(&item)
	for _, name := range r.names() {
		if item.Err = s.read(r, name, &item); item.Err != nil {
			return item
		}
	}
	for _, name := range s.required {
		if r.value(name) == nil {
			item.Err = cohort.Invalid(name, "It is missing.")
			return item
		}
	}
	item.ReplaceDetails = r.hasFurther(item.Kind) || len(*s.detailsAt(&item)) > 0
	item.KeepBulkTiers = item.Kind == cohort.CatalogProduct && !r.mayHave(bulkTiers)
	return item
}

// read reads one field of a record.
func (s *schema) read(r record, name string, item *cohort.CatalogItem) error {
	if name == "kind" || name == "id" {
		return nil
	}
	if i, ok := s.detailNames[name]; ok {
		return s.readDetail(r, s.details[i], item)
	}
	v := r.value(name)
	i, known := s.fieldNames[name]
	switch {
	case v == nil && isField(name): // null, even if the field is one of another kind
		return nil
	case !known:
		return unknownField(name, item.Kind)
	}
	if err := s.fields[i].set(item, v); err != nil {
		return cohort.Invalid(name, reasonOf(err))
	}
	return nil
}

func (s *schema) readDetail(r record, f cohort.DetailField, item *cohort.CatalogItem) error {
	raw, err := r.detail(f)
	if err != nil {
		return cohort.Invalid(f.Name, reasonOf(err))
	}
	if raw == nil {
		return nil
	}
	parsed, err := f.Parse(raw)
	if err != nil {
		return cohort.Invalid(f.Name, detailReason(err))
	}
	d := s.detailsAt(item)
	if *d == nil {
		*d = cohort.Details{}
	}
	(*d)[f.Name] = parsed
	return nil
}

// detailReason returns the text of an error of DetailField.Parse, with the place within
// the value.
func detailReason(err error) string {
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
		first := slices.Min(slices.Collect(maps.Keys(items)))
		return fmt.Sprintf("element %d: %s", first+1, detailReason(items[first]))
	}
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Field != "" {
		return e.Field + ": " + reasonOf(err)
	}
	return reasonOf(err)
}

func readID(r record, item *cohort.CatalogItem) error {
	v := r.value("id")
	if v == nil {
		return cohort.Invalid("id", "It is missing.")
	}
	id, err := v.id()
	if err != nil {
		return cohort.Invalid("id", reasonOf(err))
	}
	item.ID = id
	return nil
}

func readKind(r record, standard cohort.CatalogKind, item *cohort.CatalogItem) error {
	v := r.value("kind")
	if v == nil {
		if standard == "" {
			return cohort.Invalid("kind", "It is missing. It is brand, category, product or variant; if all lines are of one kind, set it with --kind.")
		}
		item.Kind = standard
		return nil
	}
	word, err := v.text()
	kind := cohort.CatalogKind(strings.ToLower(strings.TrimSpace(word)))
	switch {
	case err != nil:
		return cohort.Invalid("kind", reasonOf(err))
	case !slices.Contains(cohort.CatalogKinds(), kind):
		return cohort.Invalid("kind", short(word)+" is not brand, category, product or variant.")
	case standard != "" && kind != standard:
		return cohort.Invalid("kind", "It is "+string(kind)+", but --kind is "+string(standard)+".")
	}
	item.Kind = kind
	return nil
}

func unknownField(name string, kind cohort.CatalogKind) error {
	if isField(name) {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: "A " + string(kind) + " has no " + name + "."}
	}
	return &cohort.Error{Kind: cohort.KindInvalid, Message: "There is no field " + short(name) + "."}
}

func reasonOf(err error) string {
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Reason != "" {
		return e.Reason
	}
	return err.Error()
}
