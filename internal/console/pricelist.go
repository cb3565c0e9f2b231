package console

import (
	"fmt"
	"net/url"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
)

func priceListRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/pricelists", handle: (*call).listPriceLists},
		{method: "POST", path: "stores/{hash}/pricelists", handle: (*call).createPriceList},
		{method: "GET", path: "stores/{hash}/pricelists/{id}", handle: (*call).showPriceList},
		{method: "POST", path: "stores/{hash}/pricelists/{id}", handle: (*call).updatePriceList},
		{method: "POST", path: "stores/{hash}/pricelists/{id}/delete", handle: (*call).deletePriceList},
		{method: "POST", path: "stores/{hash}/pricelists/{id}/assign", handle: (*call).assignPriceList},
		{method: "POST", path: "stores/{hash}/pricelists/{id}/unassign", handle: (*call).unassignPriceList},
	}
}

// priceListsPage is what the list of price lists shows.
type priceListsPage struct {
	Lists []cohort.PriceList
	Total int64
	Like  string
	Form  form
	pager
}

func (c *call) listPriceLists() error { return c.renderPriceLists(0, form{}) }

func (c *call) renderPriceLists(status int, f form) error {
	p := priceListsPage{Like: c.query("name"), Form: f}
	var found rows[cohort.PriceList]
	total, err := c.Service.ReadPriceLists(c.ctx(), c.store.Key, cohort.PriceListFilter{NameLike: p.Like}, cohort.Page{Number: c.number(), Size: pageSize}, &found)
	if err != nil {
		return err
	}
	p.Lists, p.Total, p.pager = found.list, total, c.pagesOf(total)
	return c.render(page{name: "pricelists", status: status, title: "Price lists", body: p, same: []example{
		{"curl", fmt.Sprintf("curl -H \"X-Auth-Token: $TOKEN\" %[1]s/stores/%[2]s/v3/pricelists\ncurl -H \"X-Auth-Token: $TOKEN\" -H 'Content-Type: application/json' -d '{\"name\":\"Trade\"}' %[1]s/stores/%[2]s/v3/pricelists", c.APIURL, c.store.Hash)},
	}})
}

func (c *call) createPriceList() error {
	l := cohort.PriceList{Name: c.form.Get("name"), Active: true}
	created, err := c.Service.CreatePriceList(c.because(), c.store.Key, l)
	if err == nil {
		return c.sayAndGo(c.listPath(created.ID), "The price list was created. It has no prices yet.")
	}
	wrong, status, err := refused(err)
	if err != nil {
		return err
	}
	return c.renderPriceLists(status, form{c.form, wrong})
}

func (c *call) listPath(id int64) string { return c.path("pricelists", fmt.Sprint(id)) }

// priceListPage is what the page of a price list shows.
type priceListPage struct {
	List        cohort.PriceList
	Assignments []assignmentLine
	More        bool // there are more assignments
	Records     []cohort.PriceRecord
	SKU         string
	Groups      []option
	Channels    []option
	Form        form
	Problem     *problem   // of an assignment
	Chosen      url.Values // for it
	pager
}

// priceList returns the price list of the path.
func (c *call) priceList() (cohort.PriceList, error) {
	id, err := c.id()
	if err != nil {
		return cohort.PriceList{}, err
	}
	return c.Service.PriceList(c.ctx(), c.store.Key, id)
}

func (c *call) showPriceList() error { return c.renderPriceList(0, priceListPage{}) }

func (c *call) renderPriceList(status int, p priceListPage) (err error) {
	if p.List, err = c.priceList(); err != nil {
		return err
	}
	if p.Form.Values == nil {
		p.Form.Values = url.Values{"name": {p.List.Name}}
		if p.List.Active {
			p.Form.Values.Set("active", "on")
		}
	}
	for _, fill := range []func(*priceListPage) error{c.fillTargets, c.fillAssignments, c.fillRecords} {
		if err := fill(&p); err != nil {
			return err
		}
	}
	id := p.List.ID
	return c.render(page{name: "pricelist", section: "pricelists", status: status, title: p.List.Name, body: p, same: []example{
		{"curl", fmt.Sprintf("curl -H \"X-Auth-Token: $TOKEN\" %[1]s/stores/%[2]s/v3/pricelists/%[3]d/records\n"+
			"curl -X PUT -H \"X-Auth-Token: $TOKEN\" -H 'Content-Type: application/json' \\\n  -d '[{\"sku\":\"SKU\",\"currency\":\"%[4]s\",\"price\":19.95}]' %[1]s/stores/%[2]s/v3/pricelists/%[3]d/records\n"+
			"curl -H \"X-Auth-Token: $TOKEN\" '%[1]s/stores/%[2]s/v3/pricelists/assignments?price_list_id=%[3]d'", c.APIURL, c.store.Hash, id, strings.ToLower(c.store.Currency))},
	}})
}

// fillTargets reads the groups and the channels that the list can be assigned to.
func (c *call) fillTargets(p *priceListPage) error {
	groups := membersPage{}
	if err := c.fillGroups(&groups); err != nil {
		return err
	}
	p.Groups = groups.Groups
	var channels rows[cohort.Channel]
	if _, err := c.Service.ReadChannels(c.ctx(), c.store.Key, cohort.ChannelFilter{}, cohort.Page{Number: 1, Size: pageSize}, &channels); err != nil {
		return err
	}
	for _, ch := range channels.list {
		p.Channels = append(p.Channels, option{fmt.Sprint(ch.ID), ch.Name})
	}
	return nil
}

// fillRecords reads a page of the records, by variant and currency. It does not count them.
func (c *call) fillRecords(p *priceListPage) error {
	var f cohort.PriceRecordFilter
	if p.SKU = c.query("sku"); p.SKU != "" {
		f.SKUs = []string{p.SKU}
	}
	at := cohort.Page{Number: 1, Size: pageSize + 1, After: "0/AAA"}
	if after := c.query("after"); after != "" {
		at.After = after
		p.Prev = c.with("after", "")
	}
	var found rows[cohort.PriceRecord]
	if _, err := c.Service.ReadPriceRecords(c.ctx(), c.store.Key, p.List.ID, f, at, &found); err != nil {
		return err
	}
	p.Records = found.list
	if len(p.Records) > pageSize {
		p.Records = p.Records[:pageSize]
		last := p.Records[pageSize-1]
		p.Next = c.with("after", fmt.Sprintf("%d/%s", last.VariantID, last.Currency))
	}
	return nil
}

func (c *call) updatePriceList() error {
	l, err := c.priceList()
	if err != nil {
		return err
	}
	name, active := strings.TrimSpace(c.form.Get("name")), c.form.Has("active")
	if _, err = c.Service.UpdatePriceList(c.because(), c.store.Key, l.ID, cohort.PriceListUpdate{Name: &name, Active: &active}); err == nil {
		return c.sayAndGo(c.listPath(l.ID), "The price list was saved.")
	}
	wrong, status, err := refused(err)
	if err != nil {
		return err
	}
	return c.renderPriceList(status, priceListPage{Form: form{c.form, wrong}})
}

// deletePriceList asks, with what the list takes along, again if that has changed, and then
// deletes it.
func (c *call) deletePriceList() error {
	l, err := c.priceList()
	if err != nil {
		return err
	}
	records, err := c.Service.ReadPriceRecords(c.ctx(), c.store.Key, l.ID, cohort.PriceRecordFilter{}, cohort.Page{Number: 1, Size: 1}, &rows[cohort.PriceRecord]{})
	if err != nil {
		return err
	}
	assignments, err := c.Service.ReadAssignments(c.ctx(), c.store.Key, cohort.AssignmentFilter{PriceListIDs: []int64{l.ID}}, cohort.Page{Number: 1, Size: 1}, &rows[cohort.PriceListAssignment]{})
	if err != nil {
		return err
	}
	takes := fmt.Sprintf("%d/%d", records, assignments)
	if c.form.Get("takes") != takes {
		return c.confirm(confirmation{
			Title: "Delete price list " + l.Name, Section: "pricelists", Button: "Delete the price list", Back: c.listPath(l.ID),
			Text: []string{fmt.Sprintf("It takes %s and %s along. The groups that it is assigned to pay what their next list, their rules or the catalog say.",
				numeral.Plural(records, "price", "prices"), numeral.Plural(assignments, "assignment", "assignments"))},
			Action: c.r.URL.Path, Fields: url.Values{"takes": {takes}},
		})
	}
	if err := c.Service.DeletePriceList(c.because(), c.store.Key, l.ID); err != nil {
		return err
	}
	return c.sayAndGo(c.path("pricelists"), "The price list "+l.Name+" was deleted.")
}

// TierText puts bulk tiers into words.
func (v view) TierText(tiers []cohort.BulkTier) string {
	var parts []string
	for _, t := range tiers {
		quantity := fmt.Sprintf("%d to %d", t.QuantityMin, t.QuantityMax)
		if t.QuantityMax == 0 {
			quantity = fmt.Sprintf("%d and more", t.QuantityMin)
		}
		what := map[cohort.Method]string{cohort.MethodPercent: t.Amount.String() + "% off", cohort.MethodPrice: t.Amount.String() + " off each", cohort.MethodFixed: t.Amount.String() + " each"}[t.Method]
		parts = append(parts, quantity+": "+what)
	}
	return strings.Join(parts, "; ")
}
