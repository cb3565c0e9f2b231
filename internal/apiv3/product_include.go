package apiv3

import (
	"encoding/json"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// includableParts are parts of a product that a response has only on request, in the order
// of responses.
var includableParts = []member[cohort.Product]{
	partMember("custom_fields", func(p *cohort.Product) ([]customFieldWire, error) {
		return readPart[customFieldWire](p, "custom_fields")
	}),
	partMember("images", imagesOf),
	partMember("primary_image", primaryImageOf),
	partMember("videos", videosOf),
	partMember("options", func(p *cohort.Product) ([]object[cohort.Option], error) {
		return optionsToWire(p.Options, variantOptionFormat), nil
	}),
	partMember("modifiers", func(p *cohort.Product) ([]object[cohort.Option], error) {
		return optionsToWire(p.Modifiers, modifierFormat), nil
	}),
	valueMember("channels", func(p *cohort.Product) []int64 { return append([]int64{}, p.Channels...) }),
	{"reviews", appendNone},          // Cohort has neither these
	{"parent_relations", appendNone}, // nor these
}

func partMember[V any](name string, value func(*cohort.Product) (V, error)) member[cohort.Product] {
	return member[cohort.Product]{name, func(dst []byte, p *cohort.Product) ([]byte, error) {
		v, err := value(p)
		if err != nil {
			return dst, fmt.Errorf("%s of product %d: %w", name, p.ID, err)
		}
		return api.AppendJSON(dst, v)
	}}
}

func optionsToWire(options []cohort.Option, format *optionFormat) []object[cohort.Option] {
	return allToWire(options, func(o cohort.Option) object[cohort.Option] { return object[cohort.Option]{format.members, o} })
}

func appendNone(dst []byte, _ *cohort.Product) ([]byte, error) { return append(dst, "[]"...), nil }

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

// readPart returns a list in the details of a product. It is never nil, which would be
// encoded as null.
func readPart[W any](p *cohort.Product, name string) ([]W, error) {
	list := []W{}
	if raw, ok := p.Details[name]; ok {
		return list, json.Unmarshal(raw, &list)
	}
	return list, nil
}

// customFieldWire is a custom field of a product in responses. The fields of parts are
// those of the vendor's reference.
type customFieldWire struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// imageWire is an image of a product in responses. All addresses are the image_url. [ours]
type imageWire struct {
	ID           int64  `json:"id"`
	ProductID    int64  `json:"product_id"`
	IsThumbnail  bool   `json:"is_thumbnail"`
	SortOrder    int64  `json:"sort_order"`
	Description  string `json:"description"`
	ImageURL     string `json:"image_url"`
	URLZoom      string `json:"url_zoom"`
	URLStandard  string `json:"url_standard"`
	URLThumbnail string `json:"url_thumbnail"`
	URLTiny      string `json:"url_tiny"`
	DateModified string `json:"date_modified"`
}

func imagesOf(p *cohort.Product) ([]imageWire, error) {
	images, err := readPart[imageWire](p, "images")
	for i := range images {
		m := &images[i]
		m.ProductID = p.ID
		m.URLZoom, m.URLStandard, m.URLThumbnail, m.URLTiny = m.ImageURL, m.ImageURL, m.ImageURL, m.ImageURL
	}
	return images, err
}

// primaryImageOf returns the first image that is the thumbnail, otherwise the first one,
// and nil if there is none. [ours]
func primaryImageOf(p *cohort.Product) (*imageWire, error) {
	images, err := imagesOf(p)
	if err != nil || len(images) == 0 {
		return nil, err
	}
	i := max(slices.IndexFunc(images, func(m imageWire) bool { return m.IsThumbnail }), 0)
	return &images[i], nil
}

// videoWire is a video of a product in responses. Cohort does not ask the host site for
// its length. [ours]
type videoWire struct {
	ID          int64  `json:"id"`
	ProductID   int64  `json:"product_id"`
	Type        string `json:"type"`
	VideoID     string `json:"video_id"`
	SortOrder   int64  `json:"sort_order"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Length      string `json:"length"`
}

func videosOf(p *cohort.Product) ([]videoWire, error) {
	videos, err := readPart[videoWire](p, "videos")
	for i := range videos {
		v := &videos[i]
		v.ProductID, v.Type = p.ID, "youtube"
	}
	return videos, err
}
