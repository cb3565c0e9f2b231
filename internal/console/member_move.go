package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
	"cohort.example/cohort/internal/service"
)

// movePage is what the page of a move shows, before it and while it runs.
type movePage struct {
	To        int64
	ToName    string
	Reason    string
	Listed    int // customers that the list names
	Moving    int64
	Unchanged int64
	Unknown   int64
	Sample    []cohort.Customer
	Strangers []string // some of the unknown ids and e-mail addresses
	List      string   // what is left to move
	Left      int
	Moved     int64 // so far
	Begun     bool
	Problem   *problem

	// Edit says that the list has to be mended first. Groups are those to move to.
	Edit   bool
	Groups []option
	Chosen string
}

// moveMembers moves the customers of a list to a group: first it shows what would happen, and
// then it moves one slice for each request, so that no list is too long.
func (c *call) moveMembers() error {
	if err := c.readUpload("list", maxForm); err != nil {
		return err
	}
	to, err := strconv.ParseInt(c.form.Get("to"), 10, 64)
	if err != nil || to < 0 {
		return c.moveRefused(cohort.Invalid("to", "Choose the group that the customers move to."))
	}
	list, err := parseMembers(c.listed())
	if err != nil {
		return c.moveRefused(err)
	}
	p := movePage{To: to, ToName: "no group", Reason: c.form.Get("reason"), Listed: list.len()}
	if to > 0 {
		g, err := c.Service.Group(c.ctx(), c.store.Key, to)
		if err != nil {
			return err
		}
		p.ToName = g.Name
	}
	if c.form.Get("moving") == "" {
		return c.previewMove(p, list)
	}
	return c.moveSlice(p, list)
}

// listed returns the customers that were chosen and those that were listed, one a line.
func (c *call) listed() string {
	return strings.TrimPrefix(strings.Join(append(c.form["customer"], c.form.Get("list")), "\n"), "\n")
}

// moveRefused shows the list again, as it was typed, with why the move was refused.
func (c *call) moveRefused(err error) error {
	wrong, status, err := refused(err)
	if err != nil {
		return err
	}
	groups := membersPage{}
	if err := c.fillGroups(&groups); err != nil {
		return err
	}
	text := c.listed()
	p := movePage{Problem: wrong, List: text, Edit: true, Groups: groups.Groups, Chosen: c.form.Get("to"), Reason: c.form.Get("reason")}
	return c.renderMove(status, p)
}

// previewMove shows what a move would do.
func (c *call) previewMove(p movePage, list memberList) error {
	p.List, p.Left = list.text(), list.len()
	for rest := list; rest.len() > 0; {
		var move service.MemberMove
		move, rest = rest.slice()
		move.GroupID, move.DryRun = p.To, true
		moved, err := c.Service.MoveMembers(c.ctx(), c.store.Key, move)
		if err != nil {
			return err
		}
		p.add(moved)
	}
	return c.renderMove(0, p)
}

// add adds what a part of the list would do.
func (p *movePage) add(moved service.MovedMembers) {
	p.Moving += moved.Count
	p.Unchanged += moved.Unchanged
	p.Unknown += moved.Unknown
	if len(p.Sample) == 0 {
		p.Sample = moved.Sample
	}
	for _, id := range moved.IDs {
		p.Strangers = append(p.Strangers, fmt.Sprint(id))
	}
	p.Strangers = append(p.Strangers, moved.Emails...)
	p.Strangers = p.Strangers[:min(len(p.Strangers), service.MaxBulkSample)]
}

// moveSlice moves the first customers of a list, if they are as many as was shown, and shows
// how many are left.
func (c *call) moveSlice(p movePage, list memberList) error {
	expected, err1 := strconv.ParseInt(c.form.Get("moving"), 10, 64)
	moved, err2 := strconv.ParseInt(c.form.Get("moved"), 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return &statusError{http.StatusBadRequest, "The form does not say how many customers move."}
	}
	move, rest := list.slice()
	if rest.len() == 0 {
		// The last slice has what is left of the number that was confirmed.
		move.Expected = &expected
	} else {
		preview := move
		preview.GroupID, preview.DryRun = p.To, true
		now, err := c.Service.MoveMembers(c.ctx(), c.store.Key, preview)
		if err != nil {
			return err
		}
		if now.Count > expected {
			return c.previewMove(movePage{To: p.To, ToName: p.ToName, Reason: p.Reason, Listed: p.Listed, Moved: moved, Problem: &problem{Text: moveChanged}}, list)
		}
		move.Expected = &now.Count
	}
	move.GroupID = p.To
	done, err := c.Service.MoveMembers(c.because(), c.store.Key, move)
	if cohort.KindOf(err) == cohort.KindConflict {
		return c.previewMove(movePage{To: p.To, ToName: p.ToName, Reason: p.Reason, Listed: p.Listed, Moved: moved, Problem: &problem{Text: moveChanged}}, list)
	}
	if err != nil {
		return err
	}
	p.Moved, p.Moving = moved+done.Count, expected-done.Count
	if rest.len() == 0 {
		return c.sayAndGo(c.path("members")+fmt.Sprintf("?group=%d", p.To), numeral.Plural(p.Moved, "customer was", "customers were")+" moved to "+p.ToName+".")
	}
	p.Begun, p.List, p.Left = true, rest.text(), rest.len()
	return c.renderMove(0, p)
}

// moveChanged says why a move asks again.
const moveChanged = "The number of customers that would move has changed since you confirmed it. What was moved stays moved. Check the numbers again."

func (c *call) renderMove(status int, p movePage) error {
	if p.Problem != nil && status == 0 {
		status = http.StatusConflict
	}
	return c.render(page{name: "member_move", section: "members", status: status, title: "Move customers", body: p, same: []example{
		{"Command line", fmt.Sprintf("cohort group move --store %s --email ann@example.com,bob@example.com --to %d --dry-run", c.store.Hash, p.To)},
		{"curl", fmt.Sprintf("curl -X POST -H \"X-Auth-Token: $TOKEN\" -H 'Content-Type: application/json' \\\n  -d '{\"customer_group_id\":%d,\"emails\":[\"ann@example.com\"],\"dry_run\":true}' \\\n  %s/stores/%s/cohort/v1/members/move", p.To, c.APIURL, c.store.Hash)},
	}})
}
