package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
)

func groupPastRoutes() []route {
	return []route{{method: "GET", path: "stores/{hash}/groups/{id}/as-of", handle: (*call).showPastGroup}}
}

// pastGroupPage shows a group as it was beside what it is now.
type pastGroupPage struct {
	ID      int64
	Form    form
	At      time.Time
	Since   time.Time // from when on the events are complete
	Rows    []pastRow // empty: the form has a problem, or nothing was asked
	Gone    bool      // the group is deleted since
	History string    // the address of its events
	Prices  string    // the address of a price of that time
}

// pastRow is a property of a group, then and now.
type pastRow struct {
	Name      string
	Then, Now []string // a line each
	Changed   bool
}

// showPastGroup shows a group as it was at a time.
func (c *call) showPastGroup() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	text := strconv.FormatInt(id, 10)
	p := page{name: "group-past", title: fmt.Sprintf("Group %d in the past", id), section: "groups"}
	body := pastGroupPage{ID: id, Form: form{Values: c.r.URL.Query()}, History: c.path("audit") + "?group=" + text}
	if c.asked() {
		if err := c.fillPastGroup(&body); err != nil {
			problem, status, err := refusedPast(err, "There was no group with this id at that time.")
			if err != nil {
				return err
			}
			body.Form.Problem, p.status = problem, status
		} else {
			p.same = []example{
				{"curl", c.storeCurl("/cohort/v1/groups/"+text+"?as_of="+body.At.Format(time.RFC3339Nano), nil)},
				{"Command line", fmt.Sprintf("cohort group history %d --store %s", id, c.store.Hash)},
			}
		}
	}
	p.body = body
	return c.render(p)
}

func (c *call) fillPastGroup(p *pastGroupPage) (err error) {
	if p.At, err = c.askedMoment(); err != nil {
		return err
	}
	release, err := c.expensive()
	if err != nil {
		return err
	}
	defer release()
	then, err := c.Service.GroupAsOf(c.ctx(), c.store.Key, p.ID, p.At)
	if err != nil {
		return err
	}
	now, err := c.Service.GroupAsOf(c.ctx(), c.store.Key, p.ID, c.Service.Now(c.store.Key))
	if p.Gone = cohort.KindOf(err) == cohort.KindNotFound; err != nil && !p.Gone {
		return err
	}
	p.Since = then.Since
	before, err := c.groupLines(then)
	if err != nil {
		return err
	}
	after := map[string][]string{}
	if !p.Gone {
		if after, err = c.groupLines(now); err != nil {
			return err
		}
	}
	for _, name := range []string{"Name", "Members", "Rules", "Access", "Price lists", "Default group", "Group for guests"} {
		row := pastRow{Name: name, Then: before[name], Now: after[name]}
		row.Changed = !p.Gone && strings.Join(row.Then, "\n") != strings.Join(row.Now, "\n")
		p.Rows = append(p.Rows, row)
	}
	p.Prices = c.path("prices") + "?for=group&id=" + strconv.FormatInt(p.ID, 10) + "&as_of=" + p.At.Format(time.RFC3339Nano)
	return nil
}

// pastFields are the rows of the page for fields whose values no event may have kept.
var pastFields = map[string]string{
	"name": "Name", "is_default": "Default group", "is_group_for_guests": "Group for guests", "category_access": "Access", "discount_rules": "Rules",
}

// groupLines returns the properties of a group in words, by the names of their rows.
func (c *call) groupLines(g cohort.GroupAsOf) (map[string][]string, error) {
	n, err := c.namesOfPast(g)
	if err != nil {
		return nil, err
	}
	lines := map[string][]string{
		"Name": {g.Name}, "Members": {numeral.Number(g.Members)}, "Default group": {yesNo(g.IsDefault)}, "Group for guests": {yesNo(g.IsGroupForGuests)},
	}
	for _, r := range g.DiscountRules {
		lines["Rules"] = append(lines["Rules"], n.words(r))
	}
	for _, id := range g.CategoryAccess.Categories {
		lines["Access"] = append(lines["Access"], n.of(cohort.RuleCategory, id))
	}
	if lines["Access"] == nil {
		lines["Access"] = []string{accessWords[g.CategoryAccess.Type]}
	}
	for _, a := range g.Assignments {
		text := n.of(cohort.RulePriceList, a.PriceListID)
		if a.ChannelID != 0 {
			text += fmt.Sprintf(" in channel %d", a.ChannelID)
		}
		lines["Price lists"] = append(lines["Price lists"], text)
	}
	for _, field := range g.Unknown {
		lines[pastFields[field]] = []string{"not kept"}
	}
	for name, of := range lines {
		if most := maxPastLines; len(of) > most {
			lines[name] = append(of[:most:most], numeral.Plural(int64(len(of)-most), "more", "more"))
		}
	}
	return lines, nil
}

// maxPastLines is how many rules, categories or price lists of a group in the past are shown.
const maxPastLines = 100

// namesOfPast reads the names of what a group names. They are those of now.
func (c *call) namesOfPast(g cohort.GroupAsOf) (names, error) {
	wanted := map[cohort.RuleType][]int64{}
	for _, r := range g.DiscountRules[:min(len(g.DiscountRules), maxPastLines)] {
		wanted[r.Type] = append(wanted[r.Type], r.TargetID)
	}
	visible := g.CategoryAccess.Categories
	wanted[cohort.RuleCategory] = append(wanted[cohort.RuleCategory], visible[:min(len(visible), maxPastLines)]...)
	for _, a := range g.Assignments[:min(len(g.Assignments), maxPastLines)] {
		wanted[cohort.RulePriceList] = append(wanted[cohort.RulePriceList], a.PriceListID)
	}
	return c.names(c.ctx(), wanted)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
