package cli

import (
	"cohort.example/cohort/internal/mcp"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// addMCP adds the MCP server, if it is asked for. It has the tools for tests only where the
// control API needs no token, because its clients have none for that.
func (c *serveCommand) addMCP(o *server.Options, svc *service.Service) {
	if !c.MCP {
		return
	}
	version, _ := buildVersion()
	options := mcp.Options{Service: svc, Version: version, AllowWrites: c.MCPAllowWrites, NoPersonalData: c.MCPNoPersonal, Log: o.Log}
	if c.devIsLocal() && c.ControlToken == "" {
		options.Control = o.Control
	}
	o.MCP = mcp.New(options)
}
