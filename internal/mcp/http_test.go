package mcp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/mcp"
	"cohort.example/cohort/internal/server"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

var (
	readScopes  = []cohort.Scope{cohort.ScopeCustomersRead, cohort.ScopeProductsRead}
	writeScopes = []cohort.Scope{cohort.ScopeCustomers, cohort.ScopeProducts, cohort.ScopeChannels}
)

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"old","version":"1"}}}`

// post sends a JSON-RPC message as a client does. header has names and values alternately; the
// name Host sets the host.
func post(t *testing.T, url, token, body string, header ...string) (status int, answer string, h http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", url+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header
}

func TestHTTPChecks(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		token := f.token(t, readScopes...)
		url := f.serve(t, mcp.Options{}, server.Options{LoopbackOnly: true, Hosts: []string{"api.bigcommerce.com"}})
		for _, c := range []struct {
			name, token, body string
			header            []string
			status            int
			text              string
		}{
			{"valid", token, initialize, nil, 200, `"protocolVersion":"2025-06-18"`},
			{"the scheme in another case", "", initialize, []string{"Authorization", "bearer " + token}, 200, "cohort"},
			{"the own origin", token, initialize, []string{"Origin", url}, 200, "cohort"},
			{"a foreign origin", token, initialize, []string{"Origin", "https://evil.example"}, 403, "pages of other sites"},
			{"a foreign site", token, initialize, []string{"Sec-Fetch-Site", "cross-site"}, 403, "pages of other sites"},
			{"a foreign host", token, initialize, []string{"Host", "evil.example"}, 403, "--dev"},
			{"the vendor's host", token, initialize, []string{"Host", "api.bigcommerce.com"}, 403, "The MCP server has no other names"},
			{"no token", "", initialize, nil, 401, "Bearer and the token of a store"},
			{"another scheme", "", initialize, []string{"Authorization", "Basic " + token}, 401, "Bearer"},
			{"a wrong token", "wrong", initialize, nil, 401, "Unauthorized"},
			{"no JSON", token, "{", nil, 400, ""},
			{"a batch", token, " [" + initialize + "]", nil, 400, "one message in a request"},
			{"another type", token, initialize, []string{"Content-Type", "text/plain"}, 415, "JSON"},
			{"no event stream", token, initialize, []string{"Accept", "application/json"}, 400, "text/event-stream"},
			{"too long", token, strings.Repeat(" ", 1<<20) + initialize, nil, 413, "larger than 1 MiB"},
			{"a long reason", token, initialize, []string{"X-Cohort-Reason", strings.Repeat("x", 256)}, 400, "X-Cohort-Reason"},
		} {
			t.Run(c.name, func(t *testing.T) {
				status, text, header := post(t, url, c.token, c.body, c.header...)
				if status != c.status || !strings.Contains(text, c.text) {
					t.Errorf("got %d %s, want %d with %s", status, text, c.status, c.text)
				}
				if challenge := header.Get("WWW-Authenticate"); (challenge == "Bearer") != (c.status == 401) {
					t.Errorf("WWW-Authenticate %q", challenge)
				}
			})
		}
		for _, method := range []string{"GET", "DELETE"} {
			r, _ := http.NewRequestWithContext(t.Context(), method, url+"/mcp", nil)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "POST" {
				t.Errorf("%s: %d, Allow %q", method, res.StatusCode, res.Header.Get("Allow"))
			}
		}
	})
}

// A server that is not only for its own machine may have any name, such as behind a proxy on
// the same machine.
func TestHTTPAnyHost(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		url := f.serve(t, mcp.Options{}, server.Options{})
		if status, text, _ := post(t, url, f.token(t, readScopes...), initialize, "Host", "api.shop.example"); status != 200 {
			t.Errorf("%d %s", status, text)
		}
	})
}

func sorted(tools map[string]*sdk.Tool) []string { return slices.Sorted(maps.Keys(tools)) }

// A token sees the tools that its scopes and the server allow, and can call no other one.
func TestToolsOfTokens(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		writing := f.serve(t, mcp.Options{AllowWrites: true}, server.Options{})
		reading := f.serve(t, mcp.Options{}, server.Options{})
		writes := []string{"create_group", "update_group", "delete_group", "move_members", "assign_price_list", "retry_job", "set_faults", "reset_store", "seed_store", "advance_clock"}

		all := connect(t, writing, f.token(t, writeScopes...)).names(t)
		for _, name := range writes {
			if all[name] == nil {
				t.Errorf("a token with all scopes does not see %s", name)
			}
		}
		readOnly := connect(t, writing, f.token(t, readScopes...))
		alsoReadOnly := connect(t, reading, f.token(t, writeScopes...))
		for _, c := range []client{readOnly, alsoReadOnly} {
			names := c.names(t)
			for name, tool := range names {
				if !tool.Annotations.ReadOnlyHint {
					t.Errorf("a client that must only read sees %s", name)
				}
			}
			if len(names) != len(all)-len(writes) {
				t.Errorf("the tools are %v", sorted(names))
			}
		}
		readOnly.refuses(t, "create_group", args{"name": "X"}, "create_group cannot be used: the token lacks the scope")
		readOnly.refuses(t, "reset_store", nil, "the token lacks the scope")
		alsoReadOnly.refuses(t, "create_group", args{"name": "X"}, "--mcp-allow-writes")
		if n := must[int64](t)(f.svc.CountGroups(t.Context(), f.store.Key, cohort.GroupFilter{})); n != 3 {
			t.Errorf("there are %d groups", n)
		}
		if _, err := readOnly.CallTool(t.Context(), &sdk.CallToolParams{Name: "drop_tables"}); err == nil || !strings.Contains(err.Error(), "unknown tool") {
			t.Errorf("an unknown tool: %v", err)
		}
		// A token for the catalog only sees no customers.
		products := connect(t, writing, f.token(t, cohort.ScopeProductsRead))
		if got, want := sorted(products.names(t)), []string{"check_access", "compare_prices", "explain_price", "get_price_list", "list_price_lists", "search_docs"}; !slices.Equal(got, want) {
			t.Errorf("the tools are %v, want %v", got, want)
		}
		products.refuses(t, "explain_price", args{"customer": "ann@example.com", "product": 1}, "lacks the scope to look up e-mails")
		products.refuses(t, "explain_price", args{"group": "Staff", "product": 1}, "lacks the scope to read groups")
		products.want(t, "explain_price", args{"group": 3, "product": 1}, "14.98 USD")
		customers := connect(t, writing, f.token(t, cohort.ScopeCustomers))
		customers.want(t, "get_group", args{"group": 2}, `"price_lists":null`)
		customers.want(t, "update_group", args{"group": 2, "dry_run": true, "changes": args{"name": "Y"}}, "lacks the scope to show prices")
	})
}

// The token decides the store.
func TestStoreOfToken(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		url := f.serve(t, mcp.Options{AllowWrites: true}, server.Options{})
		other := must[cohort.Store](t)(f.svc.CreateStore(t.Context(), cohort.Store{Hash: "other"}))
		stranger := connect(t, url, (&fixture{f.svc, other}).token(t, writeScopes...))
		stranger.want(t, "list_groups", nil, `"total":0`)
		stranger.refuses(t, "delete_group", args{"group": 2}, "not found")
		if _, err := stranger.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "cohort://groups/2"}); err == nil {
			t.Error("a token reads the group of another store")
		}
		stranger.want(t, "create_group", args{"name": "Mine"}, `"id":1`)
		connect(t, url, f.token(t, readScopes...)).want(t, "list_groups", nil, `"total":3`)
	})
}

// A change over HTTP has the token as its actor, as in REST, and the request in the log names
// the tool. A token that was revoked changes nothing.
func TestActorAndLog(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		var log bytes.Buffer
		url := f.serve(t, mcp.Options{AllowWrites: true}, server.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		token, secret, err := f.svc.CreateToken(t.Context(), cohort.Token{StoreKey: f.store.Key, Scopes: writeScopes})
		if err != nil {
			t.Fatal(err)
		}
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_group","arguments":{"name":"VIP"}}}`
		status, text, header := post(t, url, secret, body, "X-Cohort-Actor", "Jo", "X-Cohort-Reason", "asked by mail")
		if status != 200 || !strings.Contains(text, `"structuredContent":{"after":{"id":4,"name":"VIP"`) {
			t.Fatalf("%d %s", status, text)
		}
		e := f.eventsOf(t, 4)[0]
		if e.Actor != token.ID || e.ActorName != "Jo" || e.Reason != "MCP tool create_group: asked by mail" || e.RequestID != header.Get("X-Request-Id") {
			t.Errorf("the event is %+v", e)
		}
		if err := f.svc.RevokeToken(t.Context(), token.ID); err != nil {
			t.Fatal(err)
		}
		if status, _, _ := post(t, url, secret, body); status != 401 {
			t.Errorf("a revoked token: %d", status)
		}
		if line := log.String(); !strings.Contains(line, "operation=mcp status=200") || !strings.Contains(line, "tool=create_group") || strings.Contains(line, "VIP") {
			t.Errorf("the log is %s", line)
		}
	})
}

// A request counts for the quota.
func TestQuota(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		st := must[cohort.Store](t)(f.svc.UpdateStore(t.Context(), f.store.Key, cohort.StoreUpdate{Plan: new(cohort.PlanStandard), Quota: new(3)}))
		url := f.serve(t, mcp.Options{}, server.Options{})
		token := (&fixture{f.svc, st}).token(t, readScopes...)
		for i := range 4 {
			status, _, header := post(t, url, token, initialize)
			if want := []int{200, 200, 200, 429}[i]; status != want {
				t.Errorf("request %d: %d, want %d", i, status, want)
			}
			if left := header.Get("X-Rate-Limit-Requests-Left"); left != fmt.Sprint(max(2-i, 0)) {
				t.Errorf("request %d: left %s", i, left)
			}
		}
	})
}

// A tool counts with the operation of the REST API whose limits it has.
func TestConcurrencyOfTools(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		memory := limit.NewMemoryWithClocks(f.svc.Now)
		c := connect(t, f.serve(t, mcp.Options{AllowWrites: true}, server.Options{Memory: memory}), f.token(t, writeScopes...))
		_, done := memory.Admit(limit.Request{Store: f.store.Key, Operation: "bulkMembers", Concurrency: 1})
		move := args{"from_group": 2, "to_group": 1}
		c.refuses(t, "move_members", move, "too many calls at once; retry after 1 s")
		c.refuses(t, "delete_group", args{"group": 1}, "too many calls at once")
		done()
		c.want(t, "move_members", move, `"members":2`)
	})
}

// Lists are of one token only, so nothing may share them.
func TestListsArePrivate(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		c := connect(t, f.serve(t, mcp.Options{}, server.Options{}), f.token(t, readScopes...))
		list, err := c.ListTools(t.Context(), nil)
		if err != nil || list.CacheScope != "private" {
			t.Errorf("the cache scope is %q, %v", list.CacheScope, err)
		}
		if got := c.InitializeResult(); got == nil || got.ProtocolVersion != "2026-07-28" {
			t.Errorf("the client agrees on %+v", got)
		}
	})
}

// TestToolList holds the size of the list of all tools, and what it says of each.
func TestToolList(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		c := connect(t, f.serve(t, mcp.Options{AllowWrites: true}, server.Options{}), f.token(t, writeScopes...))
		list, err := c.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		const maxTokens = 6000
		t.Logf("%d tools: %d bytes, about %d tokens", len(list.Tools), len(text), len(text)/4)
		if len(text)/4 >= maxTokens {
			t.Errorf("the list of tools has about %d tokens", len(text)/4)
		}
		for _, tool := range list.Tools {
			a := tool.Annotations
			if tool.Description == "" || a == nil || a.Title == "" || a.DestructiveHint == nil || a.OpenWorldHint == nil || *a.OpenWorldHint || a.ReadOnlyHint && *a.DestructiveHint {
				t.Errorf("%s is described by %+v", tool.Name, a)
			}
			if schema := tool.InputSchema.(map[string]any); schema["additionalProperties"] == nil {
				t.Errorf("%s accepts arguments that it does not know", tool.Name)
			}
		}
	})
}
