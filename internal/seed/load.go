package seed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// MaxItems is how many items a seed may have in all sections, with their records,
// addresses and variants.
const MaxItems = 50_000

// Counts are the numbers of items of the sections of a seed.
type Counts map[string]int

// loader writes a seed into a store that is empty.
type loader struct {
	*caller
	svc   *service.Service
	root  *Node
	names names
	plan  *service.IDPlan
	ids   map[*Node]int64 // of the items
	seen  map[kind]map[int64]*Node
	bases map[*Node]*Node // what is told of the base variant, by product
	dates []dated
	// deleted are the channels to delete when all else is there.
	deleted []int64
}

// Load replaces the content of a store by a seed, all or nothing. The state is what
// ResetStore of the service goes back to. It returns an *Error for a mistake in the seed.
func Load(ctx context.Context, svc *service.Service, dialects []*api.Dialect, st cohort.Store, root *Node) (Counts, error) {
	l := &loader{
		svc: svc, root: root.copy(), names: names{}, ids: map[*Node]int64{}, seen: map[kind]map[int64]*Node{}, bases: map[*Node]*Node{},
		plan: &service.IDPlan{Next: map[string][]int64{}, Last: map[string]int64{}},
	}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	counts := Counts{}
	for _, s := range sections {
		if n := len(l.section(s.name)); n > 0 {
			counts[s.name] = n
		}
	}
	err := svc.RebuildStore(ctx, st.Key, l.plan, l.passwords(), func(ctx context.Context) error {
		l.caller = newCaller(ctx, dialects, st)
		if err := l.settings(); err != nil {
			return err
		}
		for _, s := range sections {
			if err := s.load(l); err != nil {
				return err
			}
		}
		if err := l.deleteChannels(); err != nil {
			return err
		}
		return l.setDates()
	})
	return counts, err
}

// section is a list of a seed.
type section struct {
	name string
	kind kind       // of the ids of its items; "": they have none
	refs references // in its items
	load func(l *loader) error
}

// sections are the sections of a seed, besides the store and its settings. Each refers only
// to those before it, which is the order of loading.
var sections []section

func init() {
	sections = []section{ // not in the declaration, because the functions use it
		{"channels", channels, nil, (*loader).channels},
		{"customer_attributes", attributes, nil, (*loader).attributes},
		{"brands", brands, nil, (*loader).brands},
		{"category_trees", trees, treeReferences, (*loader).trees},
		{"categories", categories, categoryReferences, (*loader).categories},
		{"products", products, productReferences, (*loader).products},
		{"price_lists", lists, listReferences, (*loader).lists},
		{"customer_groups", groups, groupReferences, (*loader).groups},
		{"customers", customers, customerReferences, (*loader).customers},
		{"segments", "", segmentReferences, (*loader).segments},
		{"hooks", "", nil, (*loader).hooks},
	}
}

// section returns the items of a section.
func (l *loader) section(name string) []*Node { return l.root.field(name).items() }

// first are the ids that every store has from the beginning.
var first = map[kind]int64{channels: cohort.FirstChannelID, trees: cohort.FirstTreeID}

// The names of what every store has from the beginning.
const (
	firstChannelName = "Storefront"
	firstTreeName    = "Default catalog tree"
)

// prepare checks the shape of the seed, gives ids to all items, and replaces names by ids.
func (l *loader) prepare() error {
	if l.root.Kind != Object {
		return &Error{Line: l.root.Line, Detail: "A seed is an object of sections, such as customer_groups."}
	}
	for _, f := range l.root.Fields {
		if err := checkSection(f); err != nil {
			return err
		}
	}
	l.names.add(channels, cohort.FirstChannelID, firstChannelName)
	l.names.add(trees, cohort.FirstTreeID, firstTreeName)
	total := 0
	for _, s := range sections {
		items := l.section(s.name)
		total += len(items) + inside(items, "addresses") + inside(items, "variants") + inside(items, "records")
		if total > MaxItems {
			return &Error{Line: l.root.field(s.name).Line, Path: s.name, Detail: fmt.Sprintf("A seed has at most %d items.", MaxItems)}
		}
		if s.kind == "" {
			continue
		}
		if err := l.giveIDs(s.kind, s.name, items); err != nil {
			return err
		}
	}
	if err := l.giveInnerIDs(); err != nil {
		return err
	}
	return l.resolve()
}

// checkSection checks the name and the type of a section.
func checkSection(f Field) error {
	want := Object
	if i := slices.IndexFunc(sections, func(s section) bool { return s.name == f.Name }); i >= 0 {
		want = List
	} else if f.Name != "store" && f.Name != "customer_settings" {
		return &Error{Line: f.Value.Line, Path: f.Name, Detail: "There is no such section."}
	}
	if f.Value.Kind == Null { // a section without items
		f.Value.Kind = want
	}
	if f.Value.Kind != want {
		return &Error{Line: f.Value.Line, Path: f.Name, Detail: "The section must be " + map[Kind]string{List: "a list.", Object: "an object."}[want]}
	}
	for i, item := range f.Value.Items {
		if item.Kind != Object {
			return &Error{Line: item.Line, Path: fmt.Sprintf("%s[%d]", f.Name, i), Detail: "The item must be an object."}
		}
	}
	return nil
}

// inside counts the items of a list inside of items.
func inside(items []*Node, name string) (n int) {
	for _, item := range items {
		n += len(item.field(name).items())
	}
	return n
}

// resolve replaces the names in all items by ids.
func (l *loader) resolve() error {
	for _, s := range sections {
		for i, item := range l.section(s.name) {
			if err := l.names.resolve(item, s.refs); err != nil {
				return under(fmt.Sprintf("%s[%d]", s.name, i), err)
			}
		}
	}
	if settings := l.root.field("customer_settings"); settings != nil {
		return under("customer_settings", l.names.resolve(settings, settingsReferences))
	}
	return nil
}

// under puts a path before that of an error.
func under(path string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Path = strings.TrimSuffix(path+"."+e.Path, ".")
	}
	return err
}

// passwords returns the passwords of all customers.
func (l *loader) passwords() (list []string) {
	for _, c := range l.section("customers") {
		if p := c.field("authentication").text("new_password"); cohort.ValidatePassword(p) == nil {
			list = append(list, p)
		}
	}
	return list
}

// dates are the dates that a seed gives to an item.
type dates struct{ created, modified *Node }

// takeDates takes the dates from an item.
func takeDates(item *Node) dates { return dates{item.take("date_created"), item.take("date_modified")} }

// keep keeps the dates of an item for setDates. One that is missing is equal to the other.
func (d dates) keep(l *loader, k kind, path string, id int64) error {
	if d.created == nil && d.modified == nil {
		return nil
	}
	created, err := readDate(path+".date_created", cmp.Or(d.created, d.modified))
	if err != nil {
		return err
	}
	modified, err := readDate(path+".date_modified", cmp.Or(d.modified, d.created))
	if err != nil {
		return err
	}
	l.dates = append(l.dates, dated{k, id, created, modified})
	return nil
}

// dated are the dates of a resource.
type dated struct {
	kind              kind
	id                int64
	created, modified time.Time
}

// setDates sets the dates that the seed gives. It is last, because items that refer to
// another one modify it.
func (l *loader) setDates() error {
	for _, d := range l.dates {
		if err := l.svc.SetDates(l.ctx, l.store.Key, string(d.kind), d.id, d.created, d.modified); err != nil {
			return err
		}
	}
	return nil
}

func readDate(path string, n *Node) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, n.Text)
	if n.Kind != Text || err != nil || t.Year() < 1970 || t.Year() > 9998 {
		return t, &Error{Line: n.Line, Path: path, Detail: "The value must be a date such as 2026-01-31T12:00:00Z, from 1970 to 9998."}
	}
	return t, nil
}
