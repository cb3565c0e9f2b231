package cli

import (
	"net"
	"net/http"

	"cohort.example/cohort/internal/console"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// withConsole returns the handler of a development server, which has the console beside the
// API, and otherwise the API alone.
func (c *serveCommand) withConsole(svc *service.Service, api *server.Server, o server.Options, l net.Listener) http.Handler {
	if !c.devIsLocal() {
		return api
	}
	version, _ := buildVersion()
	return console.New(console.Options{
		Service: svc, API: api, Expensive: api.Expensive(), APIURL: c.url(l), Dialects: server.Dialects(svc), Version: version, Log: o.Log,
		Tests: &console.Tests{Journal: o.Journal, Faults: o.Faults, Limits: o.Memory, Store: devStore, Secret: devSecret},
	}).Beside(api)
}
