package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
)

func auditRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/audit", handle: (*call).listEvents},
		{method: "GET", path: "stores/{hash}/audit/export", handle: (*call).exportEvents, waits: true},
	}
}

// auditPage is what the page of the history shows.
type auditPage struct {
	Form   form
	Kinds  []option
	Events []auditEvent
	Newest string // the address of the first page; "": this is it
	Older  string // that of the next page; "": there is none
	Days   int    // for how long events are kept
	Most   int64  // and how many
	CSV    string // the addresses of the exports
	JSONL  string
	Past   []option // the addresses of the group and the customer in the past, with texts
}

// listEvents shows what has changed in the store, the newest first.
func (c *call) listEvents() error {
	p := page{name: "audit", title: "History"}
	body := auditPage{
		Form: form{Values: c.r.URL.Query()}, Kinds: kindOptions(), Days: int(c.store.EventAge().Hours() / 24), Most: c.store.MostEvents(),
		CSV: c.exportPath("csv"), JSONL: c.exportPath("jsonl"),
	}
	search, err := c.askedEvents()
	if err == nil {
		p.same = c.sameEvents(search)
		err = c.addEvents(&body, search)
	}
	if err != nil {
		problem, status, err := refused(err)
		if err != nil {
			return err
		}
		body.Form.Problem, p.status = problem, status
	}
	p.body = body
	return c.render(p)
}

func (c *call) addEvents(body *auditPage, search cohort.EventSearch) error {
	found, err := c.Service.SearchEvents(c.ctx(), c.store.Key, search, pageSize)
	if err != nil {
		return err
	}
	if body.Events, err = c.describe(found.Events); err != nil {
		return err
	}
	if id := strconv.FormatInt(search.GroupID, 10); search.GroupID != 0 {
		body.Past = append(body.Past, option{c.path("groups", id, "as-of"), "Group " + id + " at a time"})
	}
	if id := strconv.FormatInt(search.CustomerID, 10); search.CustomerID != 0 {
		body.Past = append(body.Past, option{c.path("customers", id, "as-of"), "The group of customer " + id + " at a time"})
	}
	if search.Before != 0 {
		body.Newest = c.with("before", "")
	}
	if found.Next != 0 {
		body.Older = c.with("before", strconv.FormatInt(found.Next, 10))
	}
	return nil
}

// exportPath returns the address of the export with the same filters.
func (c *call) exportPath(format string) string {
	values := c.r.URL.Query()
	values.Del("before")
	values.Set("format", format)
	return c.path("audit", "export") + "?" + values.Encode()
}

// askedEvents returns the events that the address asks for.
func (c *call) askedEvents() (s cohort.EventSearch, err error) {
	if s.Kinds, err = askedKinds(c.query("kind")); err != nil {
		return s, err
	}
	s.Actor = c.query("actor")
	for _, id := range []struct {
		name   string
		into   *int64
		wanted string
	}{
		{"group", &s.GroupID, "Give the id of a group."}, {"customer", &s.CustomerID, "Give the id of a customer."},
		{"product", &s.ProductID, "Give the id of a product."}, {"before", &s.Before, "Give the number of an event."},
	} {
		if *id.into, err = c.askedNumber(id.name, 0, id.wanted); err != nil {
			return s, err
		}
	}
	return s, nil
}

// kindFamilies are filters for the kinds of events with a prefix.
var kindFamilies = []option{
	{"customerGroup.*", "groups and members"}, {"customerGroup.member.*", "members"}, {"customer.*", "customers"},
	{"category.*", "categories"}, {"product.*", "products"}, {"variant.*", "variants"}, {"priceList.*", "price lists"},
}

// kindOptions returns the choices of the filter by kind.
func kindOptions() []option {
	list := append([]option{{"", "everything"}}, kindFamilies...)
	for _, k := range cohort.EventKinds() {
		list = append(list, option{string(k), string(k)})
	}
	return list
}

func askedKinds(text string) ([]cohort.EventKind, error) {
	if text == "" {
		return nil, nil
	}
	if prefix, ok := strings.CutSuffix(text, "*"); ok && slices.ContainsFunc(kindFamilies, func(o option) bool { return o.Value == text }) {
		return slices.DeleteFunc(cohort.EventKinds(), func(k cohort.EventKind) bool { return !strings.HasPrefix(string(k), prefix) }), nil
	}
	kind, err := cohort.ParseEventKind(text)
	if err != nil {
		return nil, cohort.Invalid("kind", "There are no events of the type "+text+".")
	}
	return []cohort.EventKind{kind}, nil
}

// sameEvents returns how to read the same events without the console. The API and the command
// line have them the oldest first.
func (c *call) sameEvents(s cohort.EventSearch) []example {
	path, command := "/cohort/v1/events", "cohort events --store "+c.store.Hash
	switch {
	case s.GroupID != 0:
		path = fmt.Sprintf("/cohort/v1/groups/%d/history?members=true", s.GroupID)
		command = fmt.Sprintf("cohort group history %d --store %s --members", s.GroupID, c.store.Hash)
	case s.CustomerID != 0:
		path = fmt.Sprintf("/cohort/v1/customers/%d/history", s.CustomerID)
		command = ""
	case len(s.Kinds) > 0:
		names := make([]string, len(s.Kinds))
		for i, k := range s.Kinds {
			names[i] = string(k)
		}
		path += "?type=" + strings.Join(names, ",")
		command += " --type " + strings.Join(names, ",")
	}
	list := []example{{"curl", c.storeCurl(path, nil)}}
	if command != "" {
		list = append(list, example{"Command line", command})
	}
	return list
}
