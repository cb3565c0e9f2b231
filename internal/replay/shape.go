package replay

import (
	"slices"
	"strings"

	"cohort.example/cohort/internal/exchange"
)

// shape is the form of one or more JSON values: their types, the keys of objects in their
// order, and the form of the elements of arrays.
type shape struct {
	kinds []exchange.Kind
	keys  []*member // at most maxKeys
	known map[string]*member
	items *shape // nil: no array had an element
}

// maxKeys bounds how many keys of an object are compared.
const maxKeys = 1000

// member is a key of objects.
type member struct {
	name   string
	always bool // every object has it
	shape  *shape
}

// shapeOf returns the shape of a value.
func shapeOf(v exchange.Value) *shape {
	s := &shape{kinds: []exchange.Kind{v.Kind}, known: map[string]*member{}}
	for _, m := range v.Members {
		if known := s.member(m.Key); known != nil {
			known.shape.merge(shapeOf(m.Value))
			continue
		}
		s.insert(&member{m.Key, true, shapeOf(m.Value)}, len(s.keys))
	}
	for _, item := range v.Items {
		if s.items == nil {
			s.items = shapeOf(item)
			continue
		}
		s.items.merge(shapeOf(item))
	}
	return s
}

// member returns the member with a name, or nil.
func (s *shape) member(name string) *member { return s.known[name] }

// insert adds a key at a position.
func (s *shape) insert(m *member, at int) {
	if len(s.keys) < maxKeys {
		s.keys = slices.Insert(s.keys, at, m)
		s.known[m.name] = m
	}
}

func (s *shape) isObject() bool { return slices.Contains(s.kinds, exchange.Object) }

// merge adds the values of another shape. A key stays one that every object has only if it
// is that in both, or if one of them has no objects.
func (s *shape) merge(o *shape) {
	objects, others := s.isObject(), o.isObject()
	for _, kind := range o.kinds {
		if !slices.Contains(s.kinds, kind) {
			s.kinds = append(s.kinds, kind)
		}
	}
	for _, m := range s.keys {
		m.always = m.always && (!others || o.member(m.name) != nil)
	}
	for i, m := range o.keys {
		known := s.member(m.name)
		if known == nil {
			s.insert(&member{m.name, m.always && !objects, m.shape}, s.after(o.keys[:i]))
			continue
		}
		known.always = known.always && m.always
		known.shape.merge(m.shape)
	}
	if s.items == nil {
		s.items = o.items
	} else if o.items != nil {
		s.items.merge(o.items)
	}
}

// after returns the position after the nearest one of the keys that precede another one.
func (s *shape) after(before []*member) int {
	for _, b := range slices.Backward(before) {
		if known := s.member(b.name); known != nil {
			return slices.Index(s.keys, known) + 1
		}
	}
	return 0
}

// compare adds the ways in which another shape differs from this one. An array without
// elements says nothing about them.
func (s *shape) compare(path string, o *shape, into *differences) {
	for _, kind := range o.kinds {
		if !slices.Contains(s.kinds, kind) {
			into.add(Type, path, kindsText(s.kinds), kindsText(o.kinds))
			break
		}
	}
	if s.isObject() && o.isObject() {
		s.compareKeys(path, o, into)
	}
	if s.items != nil && o.items != nil {
		s.items.compare(path+"[]", o.items, into)
	}
}

func (s *shape) compareKeys(path string, o *shape, into *differences) {
	for _, m := range s.keys {
		if other := o.member(m.name); m.always && (other == nil || !other.always) {
			into.add(MissingKey, join(path, m.name), kindsText(m.shape.kinds), "")
		}
	}
	for _, m := range o.keys {
		if s.member(m.name) == nil {
			into.add(NewKey, join(path, m.name), "", kindsText(m.shape.kinds))
		}
	}
	if a, b := s.common(o), o.common(s); !slices.Equal(a, b) {
		into.add(KeyOrder, path, strings.Join(a, ", "), strings.Join(b, ", "))
	}
	for _, m := range s.keys {
		if other := o.member(m.name); other != nil {
			m.shape.compare(join(path, m.name), other.shape, into)
		}
	}
}

// common returns the keys that both shapes have, in the order of this one.
func (s *shape) common(o *shape) (names []string) {
	for _, m := range s.keys {
		if o.member(m.name) != nil {
			names = append(names, m.name)
		}
	}
	return names
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func kindsText(kinds []exchange.Kind) string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	slices.Sort(names)
	return strings.Join(names, " or ")
}
