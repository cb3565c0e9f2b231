package mcp_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/mcp"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// The tools for tests do what the control API does, for the store of the token.
func TestToolsForTests(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		url := f.serve(t, mcp.Options{AllowWrites: true}, server.Options{})
		token := f.token(t, writeScopes...)
		c := connect(t, url, token)
		send := func(method, path, body string) int {
			return servertest.Send(t, method, url+"/stores/demo"+path, token, body).Status
		}

		send("POST", "/v2/customer_groups", `{"name":"VIP"}`)
		send("POST", "/v3/catalog/brands", `{"name":"Levy","id":7}`)
		send("GET", "/v2/customers?email=ann@example.com", "")
		list := c.want(t, "list_requests", args{"limit": 2}, `"method":"GET","path":"/stores/demo/v2/customers","operation":"listCustomers","status":200`, `"unread_fields":["body.id"]`, `"more":true`)
		if strings.Contains(list, "ann@") || strings.Contains(list, "VIP") {
			t.Errorf("the list has personal data: %s", list)
		}
		c.want(t, "list_requests", args{"operation": "createGroup", "limit": 1}, `"operation":"createGroup"`, `"more":false`)
		c.want(t, "list_requests", args{"cursor": 1}, "listCustomers")
		c.refuses(t, "list_requests", args{"operation": "nothing"}, "operation: There is no such operation")
		c.want(t, "verify_requests", args{"criteria": args{"operation": "createGroup", "body": args{"name": "VIP"}}, "times": 1}, `{"ok":true,"count":1}`)
		c.want(t, "verify_requests", args{"criteria": args{"operation": "createGroup", "body": args{"name": "Other"}}}, `"ok":false,"count":0`, `"differs":["body.name"]`)
		c.refuses(t, "verify_requests", args{"criteria": args{}, "times": -1}, "times")

		c.want(t, "set_faults", args{"faults": []args{{"operation": "getGroup", "action": args{"status": 503}}}}, `"total":1`)
		if status := send("GET", "/v2/customer_groups/1", ""); status != 503 {
			t.Errorf("a request with a fault: %d", status)
		}
		c.refuses(t, "set_faults", args{"faults": []args{{"operation": "nothing"}}}, "faults")
		c.want(t, "set_faults", args{"faults": []args{}}, `"rows":[],"total":0`)
		if status := send("GET", "/v2/customer_groups/1", ""); status != 200 {
			t.Errorf("a request without a fault: %d", status)
		}
		c.want(t, "advance_clock", args{"by": "48h"}, `"offset":"48h0m0s"`)
		c.refuses(t, "advance_clock", args{"by": "soon"}, "by")

		stale := field(t, c.want(t, "reset_store", args{"to_empty": true}, `"done":false,"groups":4,"customers":3,"products":2`), "confirm")
		f.group(t, cohort.Group{Name: "Late"})
		c.refuses(t, "reset_store", args{"to_empty": true, "confirm": stale}, "something has changed")
		if _, done := c.confirm(t, "reset_store", args{"to_empty": true}); done != `{"done":true,"groups":0,"customers":0,"products":0}` {
			t.Errorf("the reset answers %s", done)
		}
		seed := args{"customer_groups": []args{{"name": "Dealers"}}, "customers": []args{{"first_name": "A", "last_name": "B", "email": "a@example.com", "customer_group_id": "Dealers"}}}
		if _, done := c.confirm(t, "seed_store", args{"seed": seed}); done != `{"done":true,"groups":1,"customers":1,"products":0}` {
			t.Errorf("the seed answers %s", done)
		}
		c.want(t, "list_members", args{"group": "Dealers"}, "a@example.com")
		broken := args{"seed": args{"nothing": []args{}}}
		broken["confirm"] = field(t, c.ask(t, "seed_store", broken), "confirm")
		c.refuses(t, "seed_store", broken, "nothing")
	})
}

// A client whose server has no control API sees none of its tools.
func TestNoToolsForTests(t *testing.T) {
	eachOwner(t, mcp.Options{AllowWrites: true}, func(t *testing.T, f *fixture, c client) {
		names := c.names(t)
		for _, name := range []string{"list_requests", "verify_requests", "set_faults", "reset_store", "seed_store", "advance_clock"} {
			if names[name] != nil {
				t.Errorf("there is %s", name)
			}
		}
	})
}
