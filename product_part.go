package cohort

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"
)

// PartList is a list of objects in the Details of a product: custom fields, images or
// videos. Each object has an id, which is unique among those of its kind in a store.
type PartList struct {
	DetailField
	Counter  string   // the kind of the ids
	keys     []string // the fields by which an object without an id is recognized
	distinct bool     // whether two objects must not have the same keys
	dated    bool     // whether the objects have the time of their last change
}

// Bounds of the parts of a product. Source: the vendor's reference; the number of videos
// and the size are [ours].
const (
	maxCustomFields    = 200
	maxCustomFieldText = 250
	maxImages          = 1000
	maxVideos          = 1000
	maxPartImageURL    = 255
	maxVideoTitle      = 255
	maxVideoID         = 25
	maxPartBytes       = 1 << 19 // of one list in its stored form
)

// ProductParts are the parts of a product that Details has. A response has them only on
// request. Cohort stores the addresses of images, and no files.
var ProductParts = []PartList{
	{
		DetailField: partField("custom_fields", maxCustomFields,
			DetailField{Name: "name", Kind: DetailText, Min: 1, Max: maxCustomFieldText, Required: true},
			DetailField{Name: "value", Kind: DetailText, Min: 1, Max: maxCustomFieldText, Required: true},
		),
		Counter: "custom_field", keys: []string{"name", "value"}, distinct: true,
	},
	{
		DetailField: partField("images", maxImages,
			DetailField{Name: "image_url", Kind: DetailText, Min: 1, Max: maxPartImageURL},
			DetailField{Name: "is_thumbnail", Kind: DetailBoolean},
			sortOrderIfSet(),
			DetailField{Name: "description", Kind: DetailText},
			DetailField{Name: dateModified, Kind: DetailTime, ReadOnly: true},
			DetailField{Name: "product_id", ReadOnly: true},
			DetailField{Name: "url_zoom", ReadOnly: true},
			DetailField{Name: "url_standard", ReadOnly: true},
			DetailField{Name: "url_thumbnail", ReadOnly: true},
			DetailField{Name: "url_tiny", ReadOnly: true},
		),
		Counter: "image", keys: []string{"image_url"}, dated: true,
	},
	{
		DetailField: partField("videos", maxVideos,
			DetailField{Name: "title", Kind: DetailText, Max: maxVideoTitle},
			DetailField{Name: "description", Kind: DetailText},
			sortOrderIfSet(),
			DetailField{Name: "type", Kind: DetailText, Choices: []string{"youtube"}},
			DetailField{Name: "video_id", Kind: DetailText, Min: 1, Max: maxVideoID},
			DetailField{Name: "product_id", ReadOnly: true},
			DetailField{Name: "length", ReadOnly: true},
		),
		Counter: "video", keys: []string{"video_id"},
	},
}

const dateModified = "date_modified"

// partField describes a list of objects with ids. The fields of an object have no
// defaults: an object with the id of a stored one keeps the fields that it does not have.
func partField(name string, most int64, fields ...DetailField) DetailField {
	id := DetailField{Name: "id", Kind: DetailInteger, Min: 1, Max: math.MaxInt64}
	return DetailField{
		Name: name, Kind: DetailArray, Max: most,
		Element: &DetailField{Kind: DetailObject, Fields: append([]DetailField{id}, fields...)},
	}
}

func sortOrderIfSet() DetailField {
	field := sortOrder()
	field.Default = ""
	return field
}

// Objects returns the objects of a part of a product, in the stored order.
func (p PartList) Objects(d Details) (objects []Details, err error) {
	raw, ok := d[p.Name]
	if !ok {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &objects); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return objects, nil
}

// AdoptParts gives the objects of the lists in an update of a product their ids, and
// returns the update with the lists as they are stored. before are the details of the
// product, nil for a new one. A list replaces the stored one.
//
// An object with the id of a stored one keeps that id and the fields that it does not
// have. An object without an id takes that of a stored object with the same address
// (images), video_id (videos), or name and value (custom fields). Every other object gets
// a new id. reserve allocates n ids of a kind in the store, from first on.
//
// It returns a KindInvalid error for an id that is twice in a list, two custom fields with
// the same name and value, an image without an address, and a video without a video_id.
// The error's Field is the place within the update. It does not change its arguments.
func AdoptParts(before, update Details, now time.Time, reserve func(kind string, n int64) (first int64, err error)) (Details, error) {
	adopted := update
	for _, part := range ProductParts {
		if _, ok := update[part.Name]; !ok {
			continue
		}
		list, err := part.adopt(before, update, now, reserve)
		if err != nil {
			return nil, within(part.Name, err)
		}
		adopted = adopted.Merge(Details{part.Name: list})
	}
	return adopted, nil
}

func (p PartList) adopt(before, update Details, now time.Time, reserve func(string, int64) (int64, error)) (json.RawMessage, error) {
	stored, err := p.Objects(before)
	if err != nil {
		return nil, err
	}
	objects, err := p.Objects(update)
	if err != nil {
		return nil, err
	}
	if err := checkPartIDs(objects); err != nil {
		return nil, err
	}
	matches := p.match(stored, objects)
	isNew := int64(0)
	for i, match := range matches {
		objects[i] = p.settle(match, objects[i], now)
		if match == nil {
			isNew++
		}
	}
	if err := p.check(objects); err != nil {
		return nil, err
	}
	if isNew > 0 {
		next, err := reserve(p.Counter, isNew)
		if err != nil {
			return nil, err
		}
		for i, match := range matches {
			if match == nil {
				objects[i]["id"] = json.RawMessage(strconv.FormatInt(next, 10))
				next++
			}
		}
	}
	return p.Encode(objects)
}

func checkPartIDs(objects []Details) error {
	seen := map[string]bool{}
	for i, object := range objects {
		id, ok := object["id"]
		if ok && seen[string(id)] {
			return Invalid(strconv.Itoa(i)+".id", "The id is in the list twice.")
		}
		seen[string(id)] = true
	}
	return nil
}

// match returns the stored object for each of the objects, nil for none. Ids count before
// the keys, and each stored object is found once.
func (p PartList) match(stored, objects []Details) []Details {
	byID := make(map[string]Details, len(stored))
	for _, s := range stored {
		byID[string(s["id"])] = s
	}
	matches := make([]Details, len(objects))
	for i, object := range objects {
		id := string(object["id"]) // no stored object has the id ""
		matches[i] = byID[id]
		delete(byID, id)
	}
	byKey := make(map[string][]Details, len(byID))
	for _, s := range stored {
		if _, free := byID[string(s["id"])]; free {
			byKey[p.key(s)] = append(byKey[p.key(s)], s)
		}
	}
	for i, object := range objects {
		if _, hasID := object["id"]; hasID {
			continue
		}
		if free := byKey[p.key(object)]; len(free) > 0 {
			matches[i] = free[0]
			byKey[p.key(object)] = free[1:]
		}
	}
	return matches
}

func (p PartList) key(object Details) string {
	key := ""
	for _, name := range p.keys {
		key += string(object[name]) + "\n" // no JSON string has a line break
	}
	return key
}

// settle returns an object with the id of the stored one and the fields that it shares
// with it, and with the time of its last change. stored is nil for a new object.
func (p PartList) settle(stored, object Details, now time.Time) Details {
	settled := maps.Clone(object)
	if _, hasID := object["id"]; hasID && stored != nil {
		settled = stored.Merge(object)
	}
	delete(settled, "id")
	delete(settled, dateModified)
	if stored != nil {
		settled["id"] = stored["id"]
	}
	if !p.dated {
		return settled
	}
	settled[dateModified] = stored[dateModified]
	if !maps.EqualFunc(stored, settled, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
		settled[dateModified] = quote(now.UTC().Format(time.RFC3339))
	}
	return settled
}

// check checks the rules for which one object is not enough, or of which only its settled
// form has the fields.
func (p PartList) check(objects []Details) error {
	seen := map[string]bool{}
	for i, object := range objects {
		for _, name := range p.keys {
			if object[name] == nil {
				return Invalid(strconv.Itoa(i)+"."+name, "The field is required.")
			}
		}
		if p.distinct && seen[p.key(object)] {
			return Invalid(strconv.Itoa(i), "Another one in the list has the same name and value.")
		}
		seen[p.key(object)] = true
	}
	return nil
}

// Encode returns the stored form of objects, with the fields in the order of the table. It
// returns a KindInvalid error if the list is too long.
func (p PartList) Encode(objects []Details) (json.RawMessage, error) {
	if int64(len(objects)) > p.Max {
		return nil, Invalid("", fmt.Sprintf("A product has at most %d %s.", p.Max, strings.ReplaceAll(p.Name, "_", " ")))
	}
	b := []byte{'['}
	for i, object := range objects {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		for _, field := range p.Element.Fields {
			value, ok := object[field.Name]
			if !ok {
				continue
			}
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			b = append(append(append(b, quote(field.Name)...), ':'), value...)
		}
		b = append(b, '}')
	}
	b = append(b, ']')
	if len(b) > maxPartBytes {
		return nil, Invalid("", fmt.Sprintf("The list must not be longer than %d bytes of JSON.", maxPartBytes))
	}
	return b, nil
}

// partFields are the fields of Details that hold the parts.
func partFields() []DetailField {
	fields := make([]DetailField, len(ProductParts))
	for i, part := range ProductParts {
		fields[i] = part.DetailField
	}
	return fields
}
