package console

import (
	"fmt"
	"strconv"
	"time"

	"cohort.example/cohort"
)

func memberPastRoutes() []route {
	return []route{{method: "GET", path: "stores/{hash}/customers/{id}/as-of", handle: (*call).showPastMember}}
}

// pastMemberPage shows in which group a customer was.
type pastMemberPage struct {
	ID      int64
	Form    form
	Answer  *cohort.Membership // nil: the form has a problem, or nothing was asked
	At      time.Time
	Group   string      // "": none
	Path    string      // of the group then
	Change  *auditEvent // with which this began; nil: it is older than the events
	History string      // the address of the events of the customer
}

// showPastMember shows in which group a customer was at a time, and who moved her there.
func (c *call) showPastMember() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	text := strconv.FormatInt(id, 10)
	p := page{name: "member-past", title: fmt.Sprintf("The group of customer %d in the past", id), section: "members"}
	body := pastMemberPage{ID: id, Form: form{Values: c.r.URL.Query()}, History: c.path("audit") + "?customer=" + text}
	if c.asked() {
		if err := c.fillPastMember(&body); err != nil {
			problem, status, err := refusedPast(err, "There was no customer with this id at that time.")
			if err != nil {
				return err
			}
			body.Form.Problem, p.status = problem, status
		} else {
			at := body.At.Format(time.RFC3339Nano)
			p.same = []example{
				{"curl", c.storeCurl("/cohort/v1/customers/"+text+"/membership?as_of="+at, nil)},
				{"Command line", fmt.Sprintf("cohort group member %d --store %s --as-of %s", id, c.store.Hash, at)},
			}
		}
	}
	p.body = body
	return c.render(p)
}

// refusedPast is refused for a form that asks about the past. missing says that there was
// nothing with the id.
func refusedPast(err error, missing string) (*problem, int, error) {
	if cohort.KindOf(err) == cohort.KindNotFound {
		err = cohort.Invalid("at", missing)
	}
	p, status, err := refused(err)
	if p != nil && p.field == "as_of" {
		p.field = "at"
	}
	return p, status, err
}

// askedMoment returns the time that a form about the past asks for.
func (c *call) askedMoment() (time.Time, error) {
	at, err := c.askedTime("at")
	if err == nil && at.IsZero() {
		err = cohort.Invalid("at", "Give a time in UTC, such as 2026-11-03 or 2026-11-03 14:30.")
	}
	return at, err
}

func (c *call) fillPastMember(p *pastMemberPage) (err error) {
	if p.At, err = c.askedMoment(); err != nil {
		return err
	}
	release, err := c.expensive()
	if err != nil {
		return err
	}
	defer release()
	m, err := c.Service.Membership(c.ctx(), c.store.Key, p.ID, p.At)
	if err != nil {
		return err
	}
	p.Answer = &m
	if m.Change != nil {
		told, err := c.describe([]cohort.Event{*m.Change})
		if err != nil {
			return err
		}
		p.Change = &told[0]
	}
	if m.GroupID == 0 {
		return nil
	}
	group, err := c.Service.GroupAsOf(c.ctx(), c.store.Key, m.GroupID, p.At)
	if err != nil && cohort.KindOf(err) != cohort.KindNotFound {
		return err
	}
	p.Group = fmt.Sprintf("group %d %s", m.GroupID, group.Name)
	p.Path = c.path("groups", strconv.FormatInt(m.GroupID, 10), "as-of") + "?at=" + p.At.Format(time.RFC3339Nano)
	return nil
}
