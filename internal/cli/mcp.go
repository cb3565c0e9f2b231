package cli

import (
	"cohort.example/cohort/internal/controlclient"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/mcp"
	"cohort.example/cohort/internal/service"
)

type mcpCommand struct {
	Store          string `env:"COHORT_STORE" placeholder:"HASH" help:"The store, of the database --db."`
	URL            string `name:"url" env:"COHORT_MCP_URL" placeholder:"URL" help:"Instead of a database: a running server with --mcp, such as http://127.0.0.1:8080."`
	Token          string `env:"COHORT_MCP_TOKEN" placeholder:"TEXT" help:"The token of a store of --url. Use the variable, which does not show in the process list."`
	AllowWrites    bool   `env:"COHORT_MCP_ALLOW_WRITES" help:"Let the client use the tools that change something."`
	NoPersonalData bool   `env:"COHORT_MCP_NO_PERSONAL_DATA" help:"Leave names, e-mails and companies of customers out of what the client gets."`
	dbFlag
}

// Run serves the client until it closes standard input. Standard output has nothing but its
// messages.
func (c *mcpCommand) Run(in *invocation) error {
	if c.URL != "" {
		return c.proxy(in)
	}
	switch {
	case c.Store == "":
		return usageError("give --store, or --url and a token")
	case c.Token != "":
		return usageError("--token goes with --url; the owner of a database needs none")
	}
	log, flush := newLog(in.Err, "text")
	defer flush()
	version, _ := buildVersion()
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		h := mcp.New(mcp.Options{Service: svc, Version: version, AllowWrites: c.AllowWrites, NoPersonalData: c.NoPersonalData, Log: log})
		return h.Serve(in.ctx, st, mcp.Lines(in.In, in.Out))
	})
}

// proxy passes the messages of the client on to a running server.
func (c *mcpCommand) proxy(in *invocation) error {
	switch {
	case c.Store != "":
		return usageError("--store does not go with --url, where the token decides the store")
	case c.NoPersonalData:
		return usageError("--no-personal-data does not go with --url; start that server with --mcp-no-personal-data")
	case c.Token == "":
		return usageError("--url needs the token of a store, in COHORT_MCP_TOKEN or --token")
	}
	version, _ := buildVersion()
	options := mcp.ProxyOptions{URL: c.URL, Token: c.Token, Version: version, AllowWrites: c.AllowWrites}
	if file, ok := caOf(c.URL); ok {
		trusting, err := controlclient.Trusting(file)
		if err != nil {
			return err
		}
		options.Transport = trusting
	}
	p, err := mcp.Connect(in.ctx, options)
	if err != nil {
		return err
	}
	return p.Serve(in.ctx, mcp.Lines(in.In, in.Out))
}
