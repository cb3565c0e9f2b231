package console

import (
	"fmt"
	"net/url"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
)

// storeContent is how much a store has when a page asks whether it may be replaced.
type storeContent struct{ groups, customers int64 }

func (c *call) content() (n storeContent, err error) {
	if n.groups, err = c.Service.CountGroups(c.ctx(), c.store.Key, cohort.GroupFilter{}); err != nil {
		return n, err
	}
	n.customers, err = c.Service.CountCustomers(c.ctx(), c.store.Key, cohort.CustomerFilter{})
	return n, err
}

// Key is what a confirmation carries. It differs when the counts do.
func (n storeContent) Key() string { return fmt.Sprintf("%d-%d", n.groups, n.customers) }

// Words says how much it is.
func (n storeContent) Words() string {
	return numeral.Plural(n.groups, "group", "groups") + " and " + numeral.Plural(n.customers, "customer", "customers")
}

// confirmState reports whether the form confirms what the store has now. If not, it asks,
// with these numbers.
func (c *call) confirmState(action, title, text string, fields url.Values) (sure bool, err error) {
	now, err := c.content()
	if err != nil || c.form.Get("confirmed") == now.Key() {
		return err == nil, err
	}
	fields.Set("confirmed", now.Key())
	texts := []string{text, "The store has " + now.Words() + " now."}
	if c.form.Has("confirmed") {
		texts = append([]string{"The store has changed since you were asked."}, texts...)
	}
	return false, c.confirm(confirmation{
		Title: title, Section: "state", Button: title, Back: c.path("state"), Action: c.path("state", action), Fields: fields, Text: texts,
	})
}
