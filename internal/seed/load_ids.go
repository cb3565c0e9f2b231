package seed

import "fmt"

// giveIDs takes the ids from items and gives ids to those without.
func (l *loader) giveIDs(k kind, at string, items []*Node) error {
	for i, item := range items {
		if err := l.useID(k, fmt.Sprintf("%s[%d].id", at, i), item, item.take("id")); err != nil {
			return err
		}
	}
	for _, item := range items {
		if l.ids[item] == 0 {
			l.newID(k, item)
		}
		l.names.add(k, l.ids[item], item.text(nouns[k].by))
	}
	return nil
}

// maxID leaves room for further ids.
const maxID = 1 << 52

// useID gives an item the id that the seed says.
func (l *loader) useID(k kind, path string, item, value *Node) error {
	if value == nil {
		return nil
	}
	id, ok := value.int()
	if !ok || id < 1 || id > maxID {
		return &Error{Line: value.Line, Path: path, Detail: "An id is a whole number from 1 on."}
	}
	if l.seen[k] == nil {
		l.seen[k] = map[int64]*Node{}
	}
	if other := l.seen[k][id]; other != nil {
		return &Error{Line: value.Line, Path: path, Detail: fmt.Sprintf("The id %d is there twice, also in line %d.", id, other.Line)}
	}
	l.seen[k][id] = item
	l.ids[item] = id
	l.plan.Last[string(k)] = max(l.plan.Last[string(k)], id, first[k])
	return nil
}

func (l *loader) newID(k kind, item *Node) {
	last := max(l.plan.Last[string(k)], first[k]) + 1
	l.plan.Last[string(k)], l.ids[item] = last, last
}

// giveInnerIDs gives ids to the addresses of customers and the variants of products.
func (l *loader) giveInnerIDs() error {
	for i, c := range l.section("customers") {
		if err := l.innerIDs(addresses, fmt.Sprintf("customers[%d].addresses", i), c.field("addresses").items()); err != nil {
			return err
		}
	}
	for i, p := range l.section("products") {
		path := fmt.Sprintf("products[%d].", i)
		base := p.take("base_variant")
		if base == nil {
			base = newObject()
		}
		l.bases[p] = base
		if err := l.innerIDs(variants, path+"base_variant", []*Node{base}); err != nil {
			return err
		}
		if err := l.innerIDs(variants, path+"variants", p.field("variants").items()); err != nil {
			return err
		}
	}
	for _, c := range l.section("customers") {
		l.missingIDs(addresses, c.field("addresses").items())
	}
	for _, p := range l.section("products") {
		l.missingIDs(variants, []*Node{l.bases[p]})
		l.missingIDs(variants, p.field("variants").items())
		l.names.add(variants, l.ids[l.bases[p]], p.text("sku"))
	}
	return nil
}

func (l *loader) innerIDs(k kind, at string, items []*Node) error {
	for i, item := range items {
		path := fmt.Sprintf("%s[%d]", at, i)
		if item.Kind != Object {
			return &Error{Line: item.Line, Path: path, Detail: "The item must be an object."}
		}
		if err := l.useID(k, path+".id", item, item.take("id")); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) missingIDs(k kind, items []*Node) {
	for _, item := range items {
		if l.ids[item] == 0 {
			l.newID(k, item)
		}
		if k == variants {
			l.names.add(k, l.ids[item], item.text("sku"))
		}
	}
}

// use makes the next resource of a kind have the id of an item.
func (l *loader) use(k kind, item *Node) {
	l.plan.Next[string(k)] = []int64{l.ids[item]} // of one that was refused before, the id is left
}
