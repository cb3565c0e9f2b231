package cli

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"cohort.example/cohort/internal/console"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// consoleOptions returns the options of the console, without those of its address.
func (c *serveCommand) consoleOptions(svc *service.Service, api *server.Server, o server.Options, l net.Listener) console.Options {
	version, _ := buildVersion()
	options := console.Options{
		Service: svc, API: api, APIURL: c.url(l), Dialects: server.Dialects(svc), Version: version, Address: o.TrustedProxies.Client, Log: o.Log,
		Expensive: api.Expensive(),
	}
	if o.Control != nil {
		options.Tests = &console.Tests{Journal: o.Journal, Faults: o.Faults, Limits: o.Memory, ControlToken: c.ControlToken}
		if c.Dev {
			options.Tests.Store, options.Tests.Secret = devStore, devSecret
		}
	}
	return options
}

// withDevConsole returns the handler of a development server for this machine, which has the
// console beside the API, and otherwise the API alone.
func (c *serveCommand) withDevConsole(svc *service.Service, api *server.Server, o server.Options, l net.Listener) http.Handler {
	if !c.devIsLocal() {
		return api
	}
	return console.New(c.consoleOptions(svc, api, o, l)).Beside(api)
}

// consoleHint says where the console of a development server is; "": it has none.
func (c *serveCommand) consoleHint(l net.Listener) string {
	if !c.devIsLocal() {
		return ""
	}
	return "To watch requests in a browser, open " + c.url(l) + "/\n"
}

// checkConsole checks the flags of the console.
func (c *serveCommand) checkConsole() error {
	switch {
	case c.ConsoleAddr == "" && len(c.ConsoleHosts) > 0:
		return usageError("--console-hosts goes with --console-addr")
	case c.ConsoleAddr == "":
		return nil
	case c.devIsLocal():
		return usageError("--dev has the console at /console/ of --addr, without a login, so it does not go with --console-addr")
	}
	return c.checkAddr("--console-addr", c.ConsoleAddr)
}

// listenForConsole listens on the address of the console, if it is given.
func (c *serveCommand) listenForConsole() (net.Listener, error) {
	if c.ConsoleAddr == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", c.ConsoleAddr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for the console: %w", c.ConsoleAddr, err)
	}
	return l, nil
}

// serveConsole serves the console with a login on a listener, if there is one.
func (c *serveCommand) serveConsole(l net.Listener, o console.Options) (stop func()) {
	if l == nil {
		return func() {}
	}
	o.Login = true
	for _, name := range c.ConsoleHosts {
		o.Hosts = append(o.Hosts, strings.ToLower(name))
	}
	if host, _, err := net.SplitHostPort(l.Addr().String()); err == nil && !isLoopback(host) {
		o.AnyHost = len(o.Hosts) == 0
		if !c.secure() {
			o.Log.Warn("serving the console beyond this machine without TLS: browsers can only log in through a proxy that adds it", "addr", c.ConsoleAddr)
		}
	}
	srv := newHTTPServer(console.New(o).Alone(), o.Log)
	go func() {
		serve := srv.Serve
		if c.secure() {
			serve = func(l net.Listener) error { return srv.ServeTLS(l, c.TLSCert, c.TLSKey) }
		}
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("stopped serving the console", "error", err)
		}
	}()
	o.Log.Info("serving the console", "url", c.url(l)+console.Prefix)
	return func() { _ = srv.Close() }
}
