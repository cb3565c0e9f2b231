package mcp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/mcp"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/shopspring/decimal"
)

// fixture is a store with groups, customers, products and price lists.
type fixture struct {
	svc   *service.Service
	store cohort.Store
}

func newFixture(t *testing.T, d *db.DB, opts ...service.Option) *fixture {
	t.Helper()
	svc := service.New(d, opts...)
	st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "demo", Events: true, EventDays: cohort.MaxEventDays})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{svc, st}
	percent := func(off int64) []cohort.DiscountRule {
		return []cohort.DiscountRule{{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(off)}}
	}
	f.group(t, cohort.Group{Name: "Retail", IsDefault: true, IsGroupForGuests: true})
	f.group(t, cohort.Group{Name: "Wholesale", DiscountRules: percent(10)})
	f.group(t, cohort.Group{Name: "Staff", DiscountRules: percent(50), CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessNone}})
	f.customer(t, "Ann", "Lee", "ann@example.com", 2)
	f.customer(t, "Bob", "Ray", "bob@example.com", 2)
	f.customer(t, "Cleo", "Annis", "cleo@example.com", 3)
	must[cohort.Product](t)(svc.CreateProduct(t.Context(), st.Key, cohort.Product{
		Name: "Linen shirt", Type: cohort.ProductPhysical, Price: decimal.RequireFromString("29.95"), SKU: "LINEN",
	}))
	must[cohort.Product](t)(svc.CreateProduct(t.Context(), st.Key, cohort.Product{
		Name: "Hat", Type: cohort.ProductPhysical, Price: decimal.RequireFromString("10"), SKU: "HAT",
	}))
	must[cohort.PriceList](t)(svc.CreatePriceList(t.Context(), st.Key, cohort.PriceList{Name: "Dealers 2026", Active: true}))
	must[cohort.PriceRecord](t)(svc.SetPriceRecord(t.Context(), st.Key, cohort.PriceRecordUpdate{
		PriceListID: 1, SKU: "HAT", Currency: "USD", Price: new(decimal.NewNullDecimal(decimal.NewFromInt(7))),
	}))
	return f
}

// must returns a function that returns a value and fails for an error.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (f *fixture) group(t *testing.T, g cohort.Group) {
	t.Helper()
	must[cohort.Group](t)(f.svc.CreateGroup(t.Context(), f.store.Key, g))
}

func (f *fixture) customer(t *testing.T, first, last, email string, group int64) {
	t.Helper()
	must[cohort.Customer](t)(f.svc.CreateCustomer(t.Context(), f.store.Key, cohort.CustomerUpdate{FirstName: &first, LastName: &last, Email: &email, GroupID: &group}))
}

// token returns the secret of a new token of the store.
func (f *fixture) token(t *testing.T, scopes ...cohort.Scope) string {
	t.Helper()
	_, secret, err := f.svc.CreateToken(t.Context(), cohort.Token{StoreKey: f.store.Key, Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// client is a connected client.
type client struct{ *sdk.ClientSession }

// owner returns a client of the owner of the database, in memory.
func (f *fixture) owner(t *testing.T, o mcp.Options) client {
	t.Helper()
	o.Service, o.Version = f.svc, "v0"
	return inMemory(t, func(ctx context.Context, transport sdk.Transport) error {
		return mcp.New(o).Serve(ctx, f.store, transport)
	})
}

// inMemory returns a client of a function that serves.
func inMemory(t *testing.T, serve func(context.Context, sdk.Transport) error) client {
	t.Helper()
	here, there := sdk.NewInMemoryTransports()
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- serve(ctx, there) }()
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "v0"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		session.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serving ended with %v", err)
		}
	})
	return client{session}
}

// serve serves the store over HTTP, as a development server does.
func (f *fixture) serve(t *testing.T, o mcp.Options, so server.Options) (url string) {
	t.Helper()
	o.Service, o.Version = f.svc, "v0"
	if so.Control == nil {
		so.Faults, so.Journal = &fault.Set{}, journal.New()
		if so.Memory == nil {
			so.Memory = limit.NewMemoryWithClocks(f.svc.Now)
		}
		t.Cleanup(so.Journal.Close)
		so.Control = control.New(control.Options{
			Service: f.svc, Limits: so.Memory, Faults: so.Faults, Journal: so.Journal, Dialects: server.Dialects(f.svc), Version: "v0",
		})
	}
	o.Control = so.Control
	so.MCP = mcp.New(o)
	s := httptest.NewServer(server.New(f.svc, so))
	t.Cleanup(s.Close)
	return s.URL
}

// bearer adds a token to requests.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// connect returns a client over HTTP.
func connect(t *testing.T, url, token string) client {
	t.Helper()
	transport := &sdk.StreamableClientTransport{Endpoint: url + "/mcp", HTTPClient: &http.Client{Transport: bearer(token)}, DisableStandaloneSSE: true}
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "v0"}, nil).Connect(t.Context(), transport, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return client{session}
}

// args are the arguments of a tool.
type args = map[string]any

// call calls a tool and returns its text.
func (c client) call(t *testing.T, tool string, a args) (text string, failed bool) {
	t.Helper()
	if a == nil {
		a = args{}
	}
	res, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: a})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	for _, part := range res.Content {
		text += part.(*sdk.TextContent).Text
	}
	return text, res.IsError
}

// ask calls a tool that must succeed and returns its answer.
func (c client) ask(t *testing.T, tool string, a args) string {
	t.Helper()
	text, failed := c.call(t, tool, a)
	if failed {
		t.Fatalf("%s: %s", tool, text)
	}
	return text
}

// want calls a tool whose answer must have some texts.
func (c client) want(t *testing.T, tool string, a args, parts ...string) string {
	t.Helper()
	text := c.ask(t, tool, a)
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s %v answers %s, without %s", tool, a, text, part)
		}
	}
	return text
}

// refuses calls a tool whose error must have some texts.
func (c client) refuses(t *testing.T, tool string, a args, parts ...string) {
	t.Helper()
	text, failed := c.call(t, tool, a)
	for _, part := range parts {
		if !failed || !strings.Contains(text, part) {
			t.Errorf("%s %v answers %q (error: %v), not an error with %q", tool, a, text, failed, part)
		}
	}
}

// confirm calls a tool twice: without and with the value that confirms it.
func (c client) confirm(t *testing.T, tool string, a args) (dry, done string) {
	t.Helper()
	dry = c.ask(t, tool, a)
	a["confirm"] = field(t, dry, "confirm")
	return dry, c.ask(t, tool, a)
}

// field returns a field of an answer.
func field(t *testing.T, answer, name string) any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(answer), &fields); err != nil {
		t.Fatal(err)
	}
	if fields[name] == nil {
		t.Fatalf("%s has no %s", answer, name)
	}
	return fields[name]
}

// names returns the tools that a client sees.
func (c client) names(t *testing.T) map[string]*sdk.Tool {
	t.Helper()
	list, err := c.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]*sdk.Tool{}
	for _, tool := range list.Tools {
		names[tool.Name] = tool
	}
	return names
}

func eachOwner(t *testing.T, o mcp.Options, fn func(t *testing.T, f *fixture, c client)) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		fn(t, f, f.owner(t, o))
	})
}
