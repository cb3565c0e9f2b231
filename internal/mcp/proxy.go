package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxProxied bounds one response of a server, in bytes.
	maxProxied = 8 << 20
	// proxyTimeout is how long a server may take for one response.
	proxyTimeout = 2 * time.Minute
)

// ProxyOptions are options of a Proxy.
type ProxyOptions struct {
	URL, Token string // of the server, such as http://127.0.0.1:8080, and of the store
	Version    string // of the program
	// AllowWrites passes on calls of tools that change something, if the server has them.
	AllowWrites bool
	Transport   http.RoundTripper // nil: that of net/http
}

// Proxy passes the requests of a client on to the MCP server of a running server. Both sides
// agree on a version of the protocol of their own.
type Proxy struct {
	options ProxyOptions
	remote  *sdk.ClientSession

	mu       sync.Mutex
	readOnly map[string]bool // the tools of the server by name; nil: not asked yet
}

// Connect connects to a server, or returns why it cannot.
func Connect(ctx context.Context, o ProxyOptions) (*Proxy, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not the URL of a server, such as http://127.0.0.1:8080", o.URL)
	}
	base := o.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	transport := &sdk.StreamableClientTransport{
		Endpoint: strings.TrimSuffix(strings.TrimRight(o.URL, "/"), "/mcp") + "/mcp", DisableStandaloneSSE: true, MaxRetries: -1,
		HTTPClient: &http.Client{
			Timeout: proxyTimeout, Transport: &authorized{base, o.Token},
			// A redirect could take the token to another server.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	client := sdk.NewClient(&sdk.Implementation{Name: "cohort-mcp", Version: o.Version}, nil)
	remote, err := client.Connect(ctx, transport, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot use the MCP server of %s, which needs serve --mcp and a valid token: %w", u.Host, err)
	}
	return &Proxy{options: o, remote: remote}, nil
}

// authorized adds the token to requests, and bounds responses.
type authorized struct {
	base  http.RoundTripper
	token string
}

func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+a.token)
	res, err := a.base.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxProxied)
	}
	return res, err
}

// Serve serves a client on a transport until it leaves or ctx ends, and then leaves the server.
func (p *Proxy) Serve(ctx context.Context, t sdk.Transport) error {
	said := ""
	if init := p.remote.InitializeResult(); init != nil {
		said = init.Instructions
	}
	s := sdk.NewServer(&sdk.Implementation{Name: "cohort", Title: "Cohort", Version: p.options.Version}, serverOptions(nil, said))
	s.AddReceivingMiddleware(p.forward)
	err := ended(ctx, s.Run(ctx, t))
	return errors.Join(err, p.remote.Close())
}

// forward passes on the requests that the server answers.
func (p *Proxy) forward(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, r sdk.Request) (sdk.Result, error) {
		switch r := r.(type) {
		case *sdk.ListToolsRequest:
			return p.listTools(ctx, r.Params)
		case *sdk.CallToolRequest:
			return p.callTool(ctx, r.Params)
		case *sdk.ListResourcesRequest:
			return p.remote.ListResources(ctx, r.Params)
		case *sdk.ListResourceTemplatesRequest:
			return p.remote.ListResourceTemplates(ctx, r.Params)
		case *sdk.ReadResourceRequest:
			return p.remote.ReadResource(ctx, &sdk.ReadResourceParams{URI: r.Params.URI})
		case *sdk.ListPromptsRequest:
			return p.remote.ListPrompts(ctx, r.Params)
		case *sdk.GetPromptRequest:
			return p.remote.GetPrompt(ctx, &sdk.GetPromptParams{Name: r.Params.Name, Arguments: r.Params.Arguments})
		}
		return next(ctx, method, r)
	}
}

// listTools lists the tools of the server, without those that the client must not use.
func (p *Proxy) listTools(ctx context.Context, params *sdk.ListToolsParams) (*sdk.ListToolsResult, error) {
	cursor := ""
	if params != nil {
		cursor = params.Cursor
	}
	list, err := p.remote.ListTools(ctx, &sdk.ListToolsParams{Cursor: cursor})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readOnly == nil {
		p.readOnly = map[string]bool{}
	}
	for _, t := range list.Tools {
		p.readOnly[t.Name] = t.Annotations != nil && t.Annotations.ReadOnlyHint
	}
	if !p.options.AllowWrites {
		list.Tools = slices.DeleteFunc(list.Tools, func(t *sdk.Tool) bool { return !p.readOnly[t.Name] })
	}
	return list, nil
}

// callTool calls a tool of the server, unless it changes something and the client must not.
func (p *Proxy) callTool(ctx context.Context, params *sdk.CallToolParamsRaw) (*sdk.CallToolResult, error) {
	if !p.options.AllowWrites {
		readOnly, err := p.isReadOnly(ctx, params.Name)
		if err != nil {
			return nil, err
		}
		if !readOnly {
			res := &sdk.CallToolResult{}
			res.SetError(fmt.Errorf("%s cannot be used: the server lists no tool of this name that only reads; others need cohort mcp --allow-writes", params.Name))
			return res, nil
		}
	}
	return p.remote.CallTool(ctx, &sdk.CallToolParams{Name: params.Name, Arguments: params.Arguments})
}

// isReadOnly reports whether the server says that a tool only reads.
func (p *Proxy) isReadOnly(ctx context.Context, name string) (bool, error) {
	p.mu.Lock()
	asked := p.readOnly != nil
	p.mu.Unlock()
	if !asked {
		if _, err := p.listTools(ctx, nil); err != nil {
			return false, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.readOnly[name], nil
}
