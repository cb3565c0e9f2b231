package apiv3

import (
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// partObject is a custom field, an image or a video of a product.
type partObject struct {
	productID int64
	fields    cohort.Details
}

// partFormat are the fields of one of cohort.ProductParts in bodies and responses. Source:
// the vendor's reference, and ours where a comment says so.
type partFormat struct {
	cohort.PartList
	what     string // names one object
	body     api.Fields[cohort.Details]
	required []string // in a create
	members  []member[partObject]
}

var (
	customFieldFormat = newPartFormat("custom_fields", "custom field", []string{"name", "value"},
		storedMember("id", ""), storedMember("name", ""), storedMember("value", ""))
	// Cohort makes no smaller images, so all addresses are the image_url. [ours]
	imageFormat = newPartFormat("images", "image", []string{"image_url"},
		storedMember("id", ""), productMember(), storedMember("is_thumbnail", "false"), storedMember("sort_order", "0"),
		storedMember("description", `""`), storedMember("image_url", ""), addressMember("url_zoom"),
		addressMember("url_standard"), addressMember("url_thumbnail"), addressMember("url_tiny"),
		storedMember("date_modified", ""))
	// Cohort does not ask the host site for the length. [ours]
	videoFormat = newPartFormat("videos", "video", []string{"video_id"},
		storedMember("id", ""), productMember(), storedMember("type", `"youtube"`), storedMember("video_id", ""), storedMember("sort_order", "0"),
		storedMember("title", `""`), storedMember("description", `""`), storedMember("length", `""`))
)

func newPartFormat(name, what string, required []string, members ...member[partObject]) *partFormat {
	at := slices.IndexFunc(cohort.ProductParts, func(p cohort.PartList) bool { return p.Name == name })
	f := &partFormat{PartList: cohort.ProductParts[at], what: what, required: required, members: members}
	var written []cohort.DetailField
	f.body = api.Fields[cohort.Details]{}
	for _, field := range f.Element.Fields {
		if field.ReadOnly || field.Name == "id" {
			f.body[field.Name] = nil
			continue
		}
		written = append(written, field)
	}
	addDetails(f.body, written, func(d *cohort.Details) *cohort.Details { return d })
	return f
}

// storedMember is a field as it is stored, or fallback if it was never set.
func storedMember(name, fallback string) member[partObject] {
	return member[partObject]{name, func(dst []byte, o *partObject) ([]byte, error) {
		if value, ok := o.fields[name]; ok {
			return append(dst, value...), nil
		}
		return append(dst, fallback...), nil
	}}
}

// addressMember is the address of an image in some size.
func addressMember(name string) member[partObject] {
	return member[partObject]{name, func(dst []byte, o *partObject) ([]byte, error) { return append(dst, o.fields["image_url"]...), nil }}
}

func productMember() member[partObject] {
	return valueMember("product_id", func(o *partObject) int64 { return o.productID })
}

// objects returns the objects of a product with all members. It is never nil, which would
// be encoded as null.
func (f *partFormat) objects(p *cohort.Product) ([]object[partObject], error) {
	stored, err := f.Objects(p.Details)
	if err != nil {
		return nil, fmt.Errorf("product %d: %w", p.ID, err)
	}
	return allToWire(stored, func(d cohort.Details) object[partObject] {
		return object[partObject]{f.members, partObject{p.ID, d}}
	}), nil
}

// included is the list as a member of a product.
func (f *partFormat) included() member[cohort.Product] {
	return member[cohort.Product]{f.Name, func(dst []byte, p *cohort.Product) ([]byte, error) {
		objects, err := f.objects(p)
		if err != nil {
			return dst, err
		}
		return api.AppendJSON(dst, objects)
	}}
}
