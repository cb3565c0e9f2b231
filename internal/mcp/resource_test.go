package mcp_test

import (
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/mcp"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestResources(t *testing.T) {
	eachOwner(t, mcp.Options{}, func(t *testing.T, f *fixture, c client) {
		list, err := c.ListResources(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var uris []string
		for _, r := range list.Resources {
			uris = append(uris, r.URI)
		}
		if want := []string{"cohort://docs/prices", "cohort://docs/wire", "cohort://openapi"}; !slices.Equal(slices.Sorted(slices.Values(uris)), want) {
			t.Errorf("the resources are %v, want %v", uris, want)
		}
		for uri, part := range map[string]string{
			"cohort://openapi": "openapi: 3.1", "cohort://docs/wire": "customer_groups", "cohort://docs/prices": "candidate", "cohort://groups/2": `"name":"Wholesale"`,
		} {
			res, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
			if err != nil || len(res.Contents) != 1 || res.Contents[0].URI != uri || !strings.Contains(res.Contents[0].Text, part) {
				t.Errorf("%s: %v, or a text without %q", uri, err, part)
			}
		}
		for _, uri := range []string{"cohort://groups/99", "cohort://groups/Wholesale", "cohort://groups/-1", "cohort://docs/secrets"} {
			if _, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri}); err == nil || !strings.Contains(err.Error(), "not found") {
				t.Errorf("%s: %v", uri, err)
			}
		}
		templates, err := c.ListResourceTemplates(t.Context(), nil)
		if err != nil || len(templates.ResourceTemplates) != 1 || templates.ResourceTemplates[0].URITemplate != "cohort://groups/{id}" {
			t.Errorf("the templates are %+v, %v", templates, err)
		}
	})
}

func TestPrompts(t *testing.T) {
	eachOwner(t, mcp.Options{}, func(t *testing.T, f *fixture, c client) {
		list, err := c.ListPrompts(t.Context(), nil)
		if err != nil || len(list.Prompts) != 3 {
			t.Fatalf("the prompts are %+v, %v", list, err)
		}
		tools := c.names(t)
		for _, p := range list.Prompts {
			values := map[string]string{}
			if _, err := c.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: p.Name}); err == nil || !strings.Contains(err.Error(), "needs the argument") {
				t.Errorf("%s without arguments: %v", p.Name, err)
			}
			for _, a := range p.Arguments {
				values[a.Name] = "the value of " + a.Name + "\"\n" + strings.Repeat("x", 1000)
			}
			got, err := c.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: p.Name, Arguments: values})
			if err != nil {
				t.Fatal(err)
			}
			text := got.Messages[0].Content.(*sdk.TextContent).Text
			for _, a := range p.Arguments {
				if !strings.Contains(text, `"the value of `+a.Name+`\"\n`) {
					t.Errorf("%s does not quote %s: %s", p.Name, a.Name, text)
				}
			}
			if len(text) > 2500 || strings.Contains(text, "%!") || len(tools) == 0 {
				t.Errorf("%s: %s", p.Name, text)
			}
		}
	})
}
