package mcp_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/mcp"
	"cohort.example/cohort/internal/server"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// proxy returns a client of a proxy.
func proxy(t *testing.T, o mcp.ProxyOptions) client {
	t.Helper()
	p, err := mcp.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return inMemory(t, p.Serve)
}

func TestProxy(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		url, token := f.serve(t, mcp.Options{AllowWrites: true}, server.Options{}), f.token(t, writeScopes...)
		reading := proxy(t, mcp.ProxyOptions{URL: url, Token: token})
		reading.refuses(t, "create_group", args{"name": "X"}, "cohort mcp --allow-writes")
		reading.refuses(t, "nothing", nil, "the server lists no tool of this name")
		reading.want(t, "get_group", args{"group": 2}, `"name":"Wholesale"`)
		reading.refuses(t, "get_group", args{"group": "Wholesal"}, "near: Wholesale (2)")
		for name, tool := range reading.names(t) {
			if !tool.Annotations.ReadOnlyHint {
				t.Errorf("a client that must only read sees %s", name)
			}
		}
		if got := reading.InitializeResult().Instructions; !strings.Contains(got, "customer groups") {
			t.Errorf("the instructions are %q", got)
		}
		writing := proxy(t, mcp.ProxyOptions{URL: url + "/mcp", Token: token, AllowWrites: true})
		writing.want(t, "create_group", args{"name": "X"}, `"id":4`)
		res, err := writing.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "cohort://groups/4"})
		if err != nil || !strings.Contains(res.Contents[0].Text, `"name":"X"`) {
			t.Errorf("a group: %v", err)
		}
		prompt, err := writing.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "wholesale_group", Arguments: map[string]string{"name": "N", "percent": "5"}})
		if err != nil || len(prompt.Messages) != 1 {
			t.Errorf("a prompt: %v", err)
		}
		if list, err := writing.ListPrompts(t.Context(), nil); err != nil || len(list.Prompts) != 3 {
			t.Errorf("the prompts: %v", err)
		}
		if list, err := writing.ListResources(t.Context(), nil); err != nil || len(list.Resources) != 3 {
			t.Errorf("the resources: %v", err)
		}
		if list, err := writing.ListResourceTemplates(t.Context(), nil); err != nil || len(list.ResourceTemplates) != 1 {
			t.Errorf("the templates: %v", err)
		}
		for text, o := range map[string]mcp.ProxyOptions{
			"Unauthorized": {URL: url, Token: "wrong"}, "is not the URL of a server": {URL: "demo", Token: token},
		} {
			if _, err := mcp.Connect(t.Context(), o); err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %s", o.URL, err, text)
			}
		}
	})
}

// A server that answers without end, with something else, or with a redirect, is an error.
func TestProxyToAnotherServer(t *testing.T) {
	stolen := make(chan string, 10)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { stolen <- r.Header.Get("Authorization") }))
	t.Cleanup(thief.Close)
	for name, answer := range map[string]http.HandlerFunc{
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<20))); err != nil {
					return
				}
			}
		},
		"a page": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
		},
	} {
		s := httptest.NewServer(answer)
		if _, err := mcp.Connect(t.Context(), mcp.ProxyOptions{URL: s.URL, Token: "secret"}); err == nil {
			t.Errorf("%s: connected", name)
		}
		s.Close()
	}
	select {
	case token := <-stolen:
		t.Errorf("another server got %q", token)
	default:
	}
}

// Over standard input and output each message is a line, and a line that is too long ends the
// service.
func TestLines(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		serve := func(in io.Reader, out io.Writer) error {
			return mcp.New(mcp.Options{Service: f.svc}).Serve(t.Context(), f.store, mcp.Lines(in, out))
		}
		in, write := io.Pipe()
		read, out := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- serve(in, out) }()
		if _, err := io.WriteString(write, initialize+"\n"); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(read).ReadString('\n')
		if err != nil || !strings.Contains(line, `"protocolVersion":"2025-06-18"`) {
			t.Errorf("the answer is %s, %v", line, err)
		}
		write.Close()
		if err := <-ended; err != nil {
			t.Errorf("the end of the input: %v", err)
		}
		if err := serve(strings.NewReader(strings.Repeat("[", 2<<20)), io.Discard); err == nil {
			t.Error("a line of 2 MiB was read")
		}
		if err := serve(strings.NewReader("{broken\n"), io.Discard); err == nil {
			t.Error("a line that is no JSON was read")
		}
	})
}
