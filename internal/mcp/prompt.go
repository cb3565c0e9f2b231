package mcp

import (
	"context"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// prompt is a question that a user chooses. Its text has a place for each argument.
type prompt struct {
	name, title, description string
	arguments                []*sdk.PromptArgument
	text                     string
}

func argument(name, description string) *sdk.PromptArgument {
	return &sdk.PromptArgument{Name: name, Description: description, Required: true}
}

var prompts = []prompt{
	{
		"why_this_price", "Why does this customer pay this?", "Explains the price of a product for a customer.",
		[]*sdk.PromptArgument{argument("customer", "id or e-mail"), argument("product", "id, name or SKU")},
		"Why does the customer %q pay what she pays for the product %q? Call explain_price, and if needed check_access and get_group. " +
			"Say the price first, then the rule or the price list that decided it, then what lost against it and why. Keep to what the tools answer.",
	},
	{
		"wholesale_group", "Set up a wholesale group", "Creates a group with a discount for everything, step by step.",
		[]*sdk.PromptArgument{argument("name", "of the group"), argument("percent", "off everything")},
		"Set up a customer group named %q with %q per cent off everything. Look with list_groups whether there is such a group already. " +
			"Create it with create_group, show its fields, and compare a few prices with those of no group with compare_prices. " +
			"Then ask me which customers should move, and use move_members: first without confirm, and with it only after I have agreed.",
	},
	{
		"test_store", "Make a test store for my integration", "Fills the store of a development server with data for tests.",
		[]*sdk.PromptArgument{argument("integration", "what it does")},
		"I test an integration that does this: %q. Look with search_docs how seeds and faults work. Propose a small seed with groups, customers and products, " +
			"and load it with seed_store after I have agreed. Then propose faults that my integration must survive, and how verify_requests shows that it does. " +
			"If these tools are missing, say how to start a server that has them: cohort serve --dev --mcp --mcp-allow-writes.",
	},
}

// addPrompts adds all prompts.
func addPrompts(s *sdk.Server) {
	for _, p := range prompts {
		s.AddPrompt(&sdk.Prompt{Name: p.name, Title: p.title, Description: p.description, Arguments: p.arguments}, p.get)
	}
}

// maxArgument is how many runes of an argument a prompt takes.
const maxArgument = 500

func (p prompt) get(_ context.Context, r *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
	var values []any
	for _, a := range p.arguments {
		value := r.Params.Arguments[a.Name]
		if value == "" {
			return nil, fmt.Errorf("the prompt %s needs the argument %s: %s", p.name, a.Name, a.Description)
		}
		values = append(values, clip(value, maxArgument))
	}
	text := &sdk.TextContent{Text: fmt.Sprintf(p.text, values...)}
	return &sdk.GetPromptResult{Description: p.description, Messages: []*sdk.PromptMessage{{Role: "user", Content: text}}}, nil
}
