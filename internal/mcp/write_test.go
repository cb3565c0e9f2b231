package mcp_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/mcp"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

func TestWriteGroups(t *testing.T) {
	eachOwner(t, mcp.Options{AllowWrites: true}, func(t *testing.T, f *fixture, c client) {
		c.want(t, "create_group", args{
			"name": "VIP", "is_default": true, "category_access": args{"type": "specific", "categories": []int{5}},
			"discount_rules": []args{{"type": "product", "product_id": 1, "method": "fixed", "amount": "20.5"}, {"type": "all", "method": "percent", "amount": 5}},
		}, `"id":4`, `"is_default":true`, `"category_access":{"type":"specific","categories":[5]}`, `{"type":"product","product_id":1,"method":"fixed","amount":"20.5"}`)
		if g := must[cohort.Group](t)(f.svc.Group(t.Context(), f.store.Key, 1)); g.IsDefault {
			t.Error("two groups are the default group")
		}
		c.refuses(t, "create_group", args{"name": "vip"}, "name")
		c.refuses(t, "create_group", args{}, "name: a group needs a name")
		for text, rule := range map[string]args{
			"amount: a rule with a method needs an amount":                  {"type": "all", "method": "percent"},
			"product_id: a rule of type category does not have this field":  {"type": "category", "product_id": 1, "method": "percent", "amount": 1},
			"amount: the amount must be a decimal number":                   {"type": "all", "method": "percent", "amount": "ten"},
			"type: The type must be all, category, product or price_list":   {"type": "brand"},
			"amount: A percentage must not be more than 100":                {"type": "all", "method": "percent", "amount": 101},
			"category_id: An id is a positive integer":                      {"type": "category", "method": "percent", "amount": 1},
			`unexpected additional properties ["percent"]`:                  {"type": "all", "percent": 5},
			"discount_rules: A price_list rule has no method and no amount": {"type": "price_list", "price_list_id": 1, "method": "percent", "amount": 1},
			"amount: The amount must have at most 4 decimals":               {"type": "all", "method": "percent", "amount": 0.00001},
			"method: The method must be percent, fixed or price":            {"type": "all", "amount": 1},
			"amount: The amount must not be negative":                       {"type": "all", "method": "price", "amount": -1},
		} {
			c.refuses(t, "create_group", args{"name": "Broken", "discount_rules": []args{rule}}, text)
		}

		dry := c.want(t, "update_group", args{"group": "Wholesale", "dry_run": true, "changes": args{"discount_rules": []args{{"type": "all", "method": "percent", "amount": 20}}}},
			`"dry_run":true`, `"name":"Linen shirt","price_before":"26.96 USD","price_after":"23.96 USD","sees_before":true,"sees_after":true`, `"before":{"id":2`, `"amount":"20"`)
		if g := must[cohort.Group](t)(f.svc.Group(t.Context(), f.store.Key, 2)); g.DiscountRules[0].Amount.String() != "10" {
			t.Errorf("a dry run has changed the group: %s", dry)
		}
		c.want(t, "update_group", args{"group": 2, "changes": args{"name": "Trade", "discount_rules": []args{}}}, `"before":{"id":2,"name":"Wholesale"`, `"after":{"id":2,"name":"Trade"`, `"discount_rules":[]`)
		c.refuses(t, "update_group", args{"group": "Trade", "changes": args{}}, "changes: give at least one")
		c.refuses(t, "update_group", args{"group": "Trade", "changes": args{"name": ""}}, "name: ")
		c.refuses(t, "update_group", args{"group": "Trade", "dry_run": true, "changes": args{"name": ""}}, "name: ")
		c.want(t, "assign_price_list", args{"group": "Trade", "price_list": "Dealers 2026"}, `"assignment":{"price_list_id":1,"price_list":"Dealers 2026","group_id":2}`, `"discount_rules":[{"type":"price_list","price_list_id":1}]`)
		c.refuses(t, "assign_price_list", args{"group": "Staff", "price_list": 1}, "The customer group has discount rules")
		c.want(t, "explain_price", args{"customer": 1, "sku": "HAT"}, `"price":"7.00 USD"`, `price list \"Dealers 2026\" (1) of the group`)
	})
}

// The confirmation of a change is refused when what it was made for has changed.
func TestMoveMembers(t *testing.T) {
	eachOwner(t, mcp.Options{AllowWrites: true}, func(t *testing.T, f *fixture, c client) {
		move := args{"from_group": "Wholesale", "to_group": "Staff"}
		stale := field(t, c.want(t, "move_members", move, `"done":false`, `"members":2`, `"sample":[{"id":1,"from_group":2},{"id":2,"from_group":2}]`), "confirm")
		f.customer(t, "Dan", "Oak", "dan@example.com", 2)
		for _, wrong := range []any{stale, "2", "3", "yes", "2-00000000"} {
			c.refuses(t, "move_members", args{"from_group": "Wholesale", "to_group": "Staff", "confirm": wrong}, "confirm:", "something has changed", "Nothing was changed")
		}
		dry, done := c.confirm(t, "move_members", move)
		if !strings.Contains(dry, `"members":3`) || !strings.Contains(done, `"done":true,"members":3`) {
			t.Errorf("dry run %s, then %s", dry, done)
		}
		c.want(t, "list_members", args{"group": "Staff"}, `"total":4`)

		// The value of one move does not confirm another one, and not one to a group that has changed.
		one := args{"customers": []any{1, 2, 99}, "to_group": 1}
		value := field(t, c.want(t, "move_members", one, `"members":2`, "99: no customer has this id"), "confirm")
		c.refuses(t, "move_members", args{"customers": []any{1, 4}, "to_group": 1, "confirm": value}, "something has changed")
		c.ask(t, "update_group", args{"group": 1, "changes": args{"name": "Shop"}})
		c.refuses(t, "move_members", args{"customers": []any{1, 2, 99}, "to_group": 1, "confirm": value}, "something has changed")
		if _, done := c.confirm(t, "move_members", one); !strings.Contains(done, `"done":true,"members":2`) {
			t.Errorf("the move: %s", done)
		}
		_, done = c.confirm(t, "move_members", args{"customers": []any{"ANN@example.com", "x@example.com"}, "to_group": 0})
		if !strings.Contains(done, `"members":1`) || !strings.Contains(done, "x@example.com: no customer has this e-mail") {
			t.Errorf("the move by e-mail: %s", done)
		}
		c.want(t, "move_members", args{"customers": []any{1}, "to_group": 0}, `"note":"no customer would move"`, `"unchanged":1`)
		c.refuses(t, "move_members", args{"customers": []any{1, "ann@example.com"}, "to_group": 0}, "not both kinds")
		c.refuses(t, "move_members", args{"customers": []any{"Ann"}, "to_group": 0}, `"Ann" is neither an id nor an e-mail`)
		c.refuses(t, "move_members", args{"to_group": 0}, "give either customers or from_group")
		c.refuses(t, "move_members", args{"customers": make([]int, 1001), "to_group": 0}, "at most 1000 at once")
	})
}

func TestDeleteGroup(t *testing.T) {
	eachOwner(t, mcp.Options{AllowWrites: true}, func(t *testing.T, f *fixture, c client) {
		asked := c.want(t, "delete_group", args{"group": "Wholesale"}, `"members":2`, "give reassign_to")
		if strings.Contains(asked, "confirm") {
			t.Errorf("without reassign_to: %s", asked)
		}
		stale := field(t, c.ask(t, "delete_group", args{"group": "Wholesale", "reassign_to": 0}), "confirm")
		c.ask(t, "update_group", args{"group": "Wholesale", "changes": args{"is_group_for_guests": true}})
		c.refuses(t, "delete_group", args{"group": "Wholesale", "reassign_to": 0, "confirm": stale}, "something has changed")
		if _, done := c.confirm(t, "delete_group", args{"group": "Wholesale", "reassign_to": "Staff"}); !strings.Contains(done, `"done":true,"members":2`) {
			t.Errorf("the deletion: %s", done)
		}
		if _, err := f.svc.Group(t.Context(), f.store.Key, 2); cohort.KindOf(err) != cohort.KindNotFound {
			t.Errorf("the group: %v", err)
		}
		c.refuses(t, "delete_group", args{"group": "Staff", "reassign_to": "Staff"}, "reassign_to: The group is the one to delete")
		c.confirm(t, "delete_group", args{"group": "Retail"})
		c.want(t, "list_groups", nil, `"total":1`, `"members":3`)
	})
}

// The events of a change name the tool.
func TestEventsNameTheTool(t *testing.T) {
	eachOwner(t, mcp.Options{AllowWrites: true}, func(t *testing.T, f *fixture, c client) {
		c.ask(t, "create_group", args{"name": "VIP"})
		c.ask(t, "update_group", args{"group": "VIP", "changes": args{"name": "VIPs"}})
		var got [][3]string
		for _, e := range f.eventsOf(t, 4) {
			got = append(got, [3]string{string(e.Kind), e.Actor, e.Reason})
		}
		want := [][3]string{
			{string(cohort.GroupCreated), cohort.ActorCommandLine, "MCP tool create_group"}, {string(cohort.GroupUpdated), cohort.ActorCommandLine, "MCP tool update_group"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// eventsOf returns the events of a group.
func (f *fixture) eventsOf(t *testing.T, group int64) (events []cohort.Event) {
	t.Helper()
	for _, e := range must[cohort.EventPage](t)(f.svc.Events(t.Context(), f.store.Key, cohort.EventFilter{}, 100)).Events {
		if e.GroupID == group {
			events = append(events, e)
		}
	}
	return events
}

// pricingSystem fails while down is true.
type pricingSystem struct{ down atomic.Bool }

func (p *pricingSystem) PushSitewide(context.Context, service.SitewideDiscount) error {
	if p.down.Load() {
		return errors.New("down for maintenance")
	}
	return nil
}

// A group that is written while another pricing system is down is written, with a warning, and
// the message to that system is a job.
func TestJobs(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		var system pricingSystem
		f := newFixture(t, d, service.WithPusher(&system))
		c := f.owner(t, mcp.Options{AllowWrites: true})
		c.want(t, "list_jobs", nil, `{"rows":[],"total":0}`)
		system.down.Store(true)
		rules := []args{{"type": "all", "method": "percent", "amount": 5}}
		c.want(t, "create_group", args{"name": "VIP", "discount_rules": rules}, `"id":4`, `"warning":"`)
		c.want(t, "update_group", args{"group": "Wholesale", "changes": args{"discount_rules": rules}}, `"amount":"5"`, `"warning":"`)
		page := c.want(t, "list_jobs", args{"state": "waiting", "limit": 1}, `"what":"sitewide discount of group 4","state":"waiting"`, `"last_error":"`, `"total":2`)
		c.want(t, "list_jobs", args{"cursor": field(t, page, "next_cursor")}, `"what":"sitewide discount of group 2"`, `"total":2`)
		c.want(t, "list_jobs", args{"state": "dead"}, `"total":0`)
		job, _ := strconv.Atoi(field(t, page, "next_cursor").(string))
		c.want(t, "retry_job", args{"job": job}, `{"due_now":1}`)
		c.refuses(t, "retry_job", args{"job": 7}, "job: there is no such job")
		c.refuses(t, "retry_job", args{"job": 0}, "job")
		c.refuses(t, "list_jobs", args{"state": "lost"}, "state")
	})
}

// What is the fault of the server stays in its log.
func TestErrorTexts(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("disk /dev/sda1 is full"), ""},
		{&cohort.Error{Err: errors.New("disk")}, ""},
		{&cohort.Error{Kind: cohort.KindUnavailable, Err: errors.New("disk")}, "temporarily unavailable; retry later"},
		{&cohort.Error{Kind: cohort.KindUnauthorized}, "the token was revoked"},
		{&api.TooManyError{Limit: "concurrency", RetryAfter: 3}, "too many calls at once; retry after 3 s"},
		{&limit.FullError{Limit: "expensive", RetryAfter: 2}, "the server is busy; retry after 2 s"},
		{fmt.Errorf("reading: %w", context.DeadlineExceeded), "the call took too long or was canceled; ask for less at once"},
		{cohort.Invalid("name", "It is empty."), "name: It is empty."},
	} {
		if got := mcp.ErrorText(c.err); got != c.want {
			t.Errorf("%v reads %q, want %q", c.err, got, c.want)
		}
	}
}
