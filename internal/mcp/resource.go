package mcp

import (
	"context"
	"strings"

	"cohort.example/cohort/docs"
	"cohort.example/cohort/internal/openapi"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	groupURIPrefix = "cohort://groups/"
	openAPIURI     = "cohort://openapi"
)

// addResources adds what a client can read without a tool.
func (c *caller) addResources(s *sdk.Server) {
	addPage(s, openAPIURI, "openapi", "The OpenAPI document of the REST API", "application/yaml", func() ([]byte, error) { return openapi.Document, nil })
	addPage(s, "cohort://docs/wire", "wire", "The contract of the REST API", "text/markdown", func() ([]byte, error) { return docs.Pages.ReadFile("wire.md") })
	addPage(s, "cohort://docs/prices", "prices", "How a price is computed", "text/markdown", func() ([]byte, error) { return docs.Pages.ReadFile("prices.md") })
	if c.allows("getGroup") {
		s.AddResourceTemplate(&sdk.ResourceTemplate{
			URITemplate: groupURIPrefix + "{id}", Name: "group", Description: "A customer group, as get_group answers it", MIMEType: "application/json",
		}, c.readGroup)
	}
}

func addPage(s *sdk.Server, uri, name, description, mimeType string, read func() ([]byte, error)) {
	text, err := read()
	if err != nil {
		panic(err) // it is embedded
	}
	s.AddResource(&sdk.Resource{URI: uri, Name: name, Description: description, MIMEType: mimeType, Size: int64(len(text))},
		func(context.Context, *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			return contents(uri, mimeType, string(text)), nil
		})
}

func contents(uri, mimeType, text string) *sdk.ReadResourceResult {
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: mimeType, Text: text}}}
}

func (c *caller) readGroup(ctx context.Context, r *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	uri := r.Params.URI
	id, ok := ref(strings.TrimPrefix(uri, groupURIPrefix)).id()
	if !ok {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	text, err := c.do(c.work(ctx, "resource group"), "getGroup", func(ctx context.Context) (any, error) {
		g, err := c.Service.Group(ctx, c.store.Key, id)
		if err != nil {
			return nil, err
		}
		return c.describeGroup(ctx, g)
	})
	if missing(err) {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	if err != nil {
		return nil, c.failure("resource group", err)
	}
	return contents(uri, "application/json", string(text)), nil
}
