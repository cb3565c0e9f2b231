package cli

import (
	"net/url"

	"cohort.example/cohort/internal/controlclient"
)

type exportCommand struct {
	testStoreFlags
	Format string `enum:"yaml,json" default:"yaml" placeholder:"FORMAT" help:"The format, yaml (the default) or json."`
	Output string `short:"o" default:"-" placeholder:"FILE" help:"The file to write; - is standard output (${default}). An existing file is replaced at the end."`
}

// Run writes the content of the store, and leaves no file behind if it fails.
func (c *exportCommand) Run(in *invocation) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	out, err := createOutput(in, c.Output)
	if err != nil {
		return err
	}
	return out.end(client.Copy(in.ctx, controlclient.Call{Method: "GET", Path: c.path("export"), Query: url.Values{"format": {c.Format}}}, out))
}
