package apiv3

import (
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// includableParts are parts of a product that a response has only on request, in the order
// of responses.
var includableParts = []member[cohort.Product]{
	customFieldFormat.included(),
	imageFormat.included(),
	{"primary_image", appendPrimaryImage},
	videoFormat.included(),
	valueMember("options", func(p *cohort.Product) []object[cohort.Option] { return optionsToWire(p.Options, variantOptionFormat) }),
	valueMember("modifiers", func(p *cohort.Product) []object[cohort.Option] { return optionsToWire(p.Modifiers, modifierFormat) }),
	valueMember("channels", func(p *cohort.Product) []int64 { return append([]int64{}, p.Channels...) }),
	{"reviews", appendNone},          // Cohort has neither these
	{"parent_relations", appendNone}, // nor these
}

func optionsToWire(options []cohort.Option, format *optionFormat) []object[cohort.Option] {
	return allToWire(options, func(o cohort.Option) object[cohort.Option] { return object[cohort.Option]{format.members, o} })
}

func appendNone(dst []byte, _ *cohort.Product) ([]byte, error) { return append(dst, "[]"...), nil }

// appendPrimaryImage appends the first image that is the thumbnail, otherwise the first
// one, and null if there is none. [ours]
func appendPrimaryImage(dst []byte, p *cohort.Product) ([]byte, error) {
	images, err := imageFormat.objects(p)
	if err != nil || len(images) == 0 {
		return append(dst, "null"...), err
	}
	i := slices.IndexFunc(images, func(o object[partObject]) bool { return o.row.fields.Bool("is_thumbnail", false) })
	return api.AppendJSON(dst, images[max(i, 0)])
}

// addPart adds a part to the request, unless it is unknown.
func (q *productQuery) addPart(name string) {
	switch name {
	case "options":
		q.With.Options = true
	case "modifiers":
		q.With.Modifiers = true
	case "channels":
		q.With.Channels = true
	}
	for _, m := range includableParts {
		if m.name == name {
			q.parts = append(q.parts, name)
		}
	}
}

// withParts returns a product with the requested parts that are not in its own record.
func (h *handler) withParts(r *api.Request, q productQuery, p cohort.Product) (cohort.Product, error) {
	if q.With == (cohort.ProductWith{}) {
		return p, nil // as it was written
	}
	return h.svc.ProductWith(r.Context(), r.Store.Key, p.ID, q.With)
}

// partMembers are the requested ones of includableParts.
func (q *productQuery) partMembers() (members []member[cohort.Product]) {
	for _, m := range includableParts {
		if slices.Contains(q.parts, m.name) {
			members = append(members, m)
		}
	}
	return members
}
