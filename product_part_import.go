package cohort

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// ImportParts is AdoptParts for the details of a product in an import: an object with an
// id keeps it, even if no stored object has it, and replaces the stored one as a whole.
func ImportParts(before, imported Details, now time.Time, reserve func(kind string, n int64) (first int64, err error)) (Details, error) {
	for _, part := range ProductParts {
		stored, err := part.Objects(before)
		if err != nil {
			return nil, err
		}
		objects, err := part.Objects(imported)
		if err != nil {
			return nil, err
		}
		if len(objects) > 0 {
			before = before.Merge(Details{part.Name: encodeObjects(counterparts(stored, objects))})
		}
	}
	return AdoptParts(before, imported, now, reserve)
}

// counterparts returns the stored objects, and one for each object that brings an id of its
// own. Of those that an object replaces, it leaves out what the object does not have.
func counterparts(stored, objects []Details) []Details {
	byID := make(map[string]Details, len(stored))
	for _, s := range stored {
		byID[string(s["id"])] = s
	}
	var list []Details
	for _, object := range objects {
		id, ok := object["id"]
		if !ok {
			continue
		}
		s, isStored := byID[string(id)]
		if !isStored {
			s = Details{"id": id}
		}
		list = append(list, reduced(s, object))
		delete(byID, string(id))
	}
	for _, s := range stored {
		if _, free := byID[string(s["id"])]; free {
			list = append(list, s)
		}
	}
	return list
}

// reduced returns a stored object without the fields that another one does not have. It
// then has no date either, since the other one is a change.
func reduced(stored, object Details) Details {
	r := maps.Clone(stored)
	maps.DeleteFunc(r, func(name string, _ json.RawMessage) bool { return name != dateModified && object[name] == nil })
	if len(r) < len(stored) {
		delete(r, dateModified)
	}
	return r
}

func encodeObjects(objects []Details) json.RawMessage {
	b := []byte{'['}
	for i, object := range objects {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		for j, name := range slices.Sorted(maps.Keys(object)) {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, quote(name)...), ':'), object[name]...)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// CheckPartIDs checks the ids of the parts of an imported product. It returns a KindInvalid
// error that names the first one out of range.
func CheckPartIDs(d Details) error {
	for _, part := range ProductParts {
		objects, err := part.Objects(d)
		if err != nil {
			return err
		}
		for i, object := range objects {
			if id := object.Integer("id", 1); id < 1 || id > MaxCatalogID {
				return Invalid(part.Name, fmt.Sprintf("element %d: id: An id is an integer from 1 to %d.", i+1, int64(MaxCatalogID)))
			}
		}
	}
	return nil
}
