package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/pricing"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/sweeper"
	"cohort.example/cohort/internal/telemetry"
	"cohort.example/cohort/internal/tracing"
	"cohort.example/cohort/internal/webhook"
)

type serveCommand struct {
	Dev             bool          `env:"COHORT_DEV" help:"Development mode: create the store \"demo\" with the token \"demo-token\", and listen on a loopback address only."`
	DevAnywhere     bool          `name:"dev-listen-anywhere" env:"COHORT_DEV_LISTEN_ANYWHERE" help:"Let --dev listen beyond this machine, for a container. Every client that reaches the address can then use the public token."`
	Addr            string        `env:"COHORT_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"The address to listen on (${default})."`
	TLSCert         string        `name:"tls-cert" env:"COHORT_TLS_CERT" placeholder:"FILE" help:"The certificate chain for HTTPS, a PEM file."`
	TLSKey          string        `name:"tls-key" env:"COHORT_TLS_KEY" placeholder:"FILE" help:"The private key of the certificate, a PEM file."`
	Redis           string        `env:"COHORT_REDIS" placeholder:"URL" help:"The Redis in which nodes share limits, such as redis://HOST:PORT. Without it, each node counts for itself."`
	PricingURL      string        `name:"pricing-url" env:"COHORT_PRICING_URL" placeholder:"URL" help:"The pricing system that gets sitewide discounts, https://HOST/PATH (none)."`
	PricingSecret   string        `name:"pricing-secret" env:"COHORT_PRICING_SECRET" placeholder:"TEXT" help:"The key that signs the calls to --pricing-url, 16 bytes or more. Use the variable, which does not show in the process list."`
	ControlToken    string        `name:"control-token" env:"COHORT_CONTROL_TOKEN" placeholder:"TEXT" help:"The token for the control API at /_cohort/v1, 16 bytes or more. Without it only --dev has that API. Use the variable, which does not show in the process list."`
	HooksPrivate    bool          `name:"hooks-allow-private" env:"COHORT_HOOKS_ALLOW_PRIVATE" help:"Let webhooks have destinations in private networks and on this machine. --dev allows them anyway."`
	ConsoleAddr     string        `env:"COHORT_CONSOLE_ADDR" placeholder:"HOST:PORT" help:"The address for the console, pages on which operators work (none). See \"cohort console token create\". --dev has it at /console/ of --addr."`
	ConsoleHosts    []string      `env:"COHORT_CONSOLE_HOSTS" placeholder:"NAMES" help:"Names, such as that of a proxy, by which browsers reach a --console-addr on this machine, besides localhost and its addresses."`
	MCP             bool          `name:"mcp" env:"COHORT_MCP" help:"Serve clients of the Model Context Protocol, such as assistants, at /mcp. The token of a client decides the store and what it may do."`
	MCPAllowWrites  bool          `name:"mcp-allow-writes" env:"COHORT_MCP_ALLOW_WRITES" help:"Give these clients the tools that change something, if their token has the scope."`
	MCPNoPersonal   bool          `name:"mcp-no-personal-data" env:"COHORT_MCP_NO_PERSONAL_DATA" help:"Leave names, e-mails and companies of customers out of what these clients get."`
	MaxStaleness    time.Duration `env:"COHORT_MAX_STALENESS" default:"0s" placeholder:"TIME" help:"With several nodes on PostgreSQL: for how long a node may respond from its cache without asking for the writes of other nodes, at most 1m. By default a read shows every acknowledged write (${default})."`
	Upstream        string        `env:"COHORT_UPSTREAM" placeholder:"URL" help:"Pass requests to paths that Cohort does not serve on to this API, such as https://api.bigcommerce.com (none)."`
	UpstreamTokens  string        `env:"COHORT_UPSTREAM_TOKENS" placeholder:"FILE" help:"Which store of --upstream belongs to which store here: lines with the hash here, the hash there, and the name of the variable with its token."`
	UpstreamWrites  bool          `name:"upstream-allow-writes" env:"COHORT_UPSTREAM_ALLOW_WRITES" help:"Pass on requests that change something too. Without it, only GET and HEAD are passed on."`
	Stub            string        `env:"COHORT_STUB" placeholder:"FILE" help:"With --dev: answer requests to paths that Cohort does not serve with the examples of this OpenAPI document (none)."`
	MetricsAddr     string        `env:"COHORT_METRICS_ADDR" placeholder:"HOST:PORT" help:"The address for Prometheus metrics at /metrics (none)."`
	Pprof           bool          `name:"pprof" env:"COHORT_PPROF" help:"Serve profiles of the process at /debug/pprof/ of --metrics-addr. They slow it down while they run, and show parts of its memory."`
	TrustedProxies  string        `name:"trusted-proxies" env:"COHORT_TRUSTED_PROXIES" placeholder:"LIST" help:"Addresses and networks of proxies whose X-Forwarded-For names the client, such as 10.0.0.0/8,192.0.2.7 (none)."`
	LogFormat       string        `env:"COHORT_LOG_FORMAT" enum:"text,json" default:"text" help:"The format of the log on standard error: text or json."`
	ReadyFile       string        `name:"ready-file" env:"COHORT_READY_FILE" placeholder:"FILE" help:"A file to write when the server serves: JSON with its url and pid. It is removed at the end (none)."`
	ShutdownTimeout time.Duration `env:"COHORT_SHUTDOWN_TIMEOUT" default:"15s" placeholder:"TIME" help:"How long running requests may take to finish after SIGTERM (${default})."`
	testTLSFlags
	dbFlag
}

// The store and the token of --dev. The token is public, so the server must not be
// reachable from another machine.
const (
	devStore  = "demo"
	devSecret = "demo-token"
	// devClientSecret signs what the webhooks of the token send.
	devClientSecret = "demo-client-secret" //nolint:gosec // it is public
)

// Run serves until the context of the invocation ends. Then it finishes running requests
// and closes the database.
func (c *serveCommand) Run(in *invocation) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	log, flush := newLog(in.Err, c.LogFormat)
	defer flush()
	setProcessors()
	metrics := server.NewMetrics()
	sent, err := startTelemetry(in.ctx, metrics, log)
	if err != nil {
		return err
	}
	defer sent.Stop()
	tests, err := c.openCA(log)
	if err != nil {
		return err
	}
	d, err := db.Open(in.ctx, c.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	d.AllowStaleness(c.MaxStaleness)
	svc, err := c.newService(in.ctx, d, log)
	if err != nil {
		return err
	}
	defer watchDatabase(in.ctx, d, svc.Outbox(), log)()
	if err := c.prepare(in.ctx, svc); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", c.Addr, err)
	}
	defer listener.Close()
	if err := c.checkListener(listener, c.Addr, log); err != nil {
		return err
	}
	if err := tests.listen(c, log); err != nil {
		return err
	}
	defer tests.close()
	limits, closeLimits, err := c.openLimits(in.ctx, log)
	if err != nil {
		return err
	}
	defer closeLimits()
	stopMetrics, err := c.serveMetrics(metrics, log)
	if err != nil {
		return err
	}
	defer stopMetrics()
	consoleListener, err := c.listenForConsole()
	if err != nil {
		return err
	}
	if err := warnWithoutStores(in.ctx, svc, log); err != nil {
		return err
	}
	tracer := tracing.Tracer(sent.Traces())
	defer startBackground(tracing.WithTracer(in.ctx, tracer), svc, log)()
	removeReady, err := c.writeReady(listener)
	if err != nil {
		return err
	}
	defer removeReady()
	c.greet(in, listener, tests)
	log.Info("serving", "url", c.url(listener), "db", db.Redact(c.DB))
	flush()
	options := c.options(svc, log, metrics, limits)
	options.Hosts, options.Tracer = tests.hosts(), tracer
	c.addMCP(&options, svc)
	if options.Upstream, err = c.openUpstream(log); err != nil {
		return err
	}
	if options.Stub, err = c.openStub(); err != nil {
		return err
	}
	handler := server.New(svc, options)
	defer inBackground(in.ctx, handler.Run)()
	srv := newHTTPServer(c.withDevConsole(svc, handler, options, listener), log)
	defer c.serveConsole(consoleListener, c.consoleOptions(svc, handler, options, listener))()
	srv.RegisterOnShutdown(handler.EndFaults)
	if options.Journal != nil {
		srv.RegisterOnShutdown(options.Journal.Close)
	}
	err = c.serve(in.ctx, srv, handler.CutOff, tests.prepare(srv, listener, log)...)
	log.Info("stopped")
	return err
}

// newService returns the service, which sends webhooks, and pushes sitewide discounts to
// another pricing system if one is configured.
func (c *serveCommand) newService(ctx context.Context, d *db.DB, log *slog.Logger) (*service.Service, error) {
	client, err := c.pricing()
	if err != nil {
		return nil, err
	}
	hooks := service.WithHookSender(webhook.New(webhook.Options{Dev: c.Dev, AllowPrivate: c.HooksPrivate}))
	if client != nil {
		log.Info("pushing sitewide discounts to another pricing system", "host", client.Host())
		return service.New(d, hooks, service.WithPusher(client)), nil
	}
	svc := service.New(d, hooks)
	waiting, err := svc.Outbox().Waiting(ctx, service.SitewideKind)
	if err == nil && waiting > 0 {
		log.Warn("sitewide discounts wait for delivery to another pricing system, but --pricing-url is not given; see \"cohort jobs list\"", "jobs", waiting)
	}
	return svc, err
}

// pricing returns the client of another pricing system, or nil if none is configured.
func (c *serveCommand) pricing() (*pricing.Client, error) {
	if (c.PricingURL == "") != (c.PricingSecret == "") {
		return nil, usageError("--pricing-url and --pricing-secret go together")
	}
	if c.PricingURL == "" {
		return nil, nil
	}
	client, err := pricing.New(pricing.Options{URL: c.PricingURL, Secret: c.PricingSecret})
	if err != nil {
		return nil, usageError(err.Error())
	}
	return client, nil
}

// startTelemetry sends traces and metrics, if the environment asks for it.
func startTelemetry(ctx context.Context, m *server.Metrics, log *slog.Logger) (*telemetry.Telemetry, error) {
	version, _ := buildVersion()
	return telemetry.Start(ctx, telemetry.Options{Version: version, Metrics: m.Registry(), Log: log})
}

// startBackground runs the background jobs of the service until stop is called. stop waits
// for them.
func startBackground(ctx context.Context, svc *service.Service, log *slog.Logger) (stop func()) {
	return inBackground(ctx,
		func(ctx context.Context) { sweeper.Run(ctx, svc, log) },
		func(ctx context.Context) { svc.Outbox().Run(ctx, log) },
		func(ctx context.Context) { svc.RunHooks(ctx, log) },
	)
}

// inBackground runs jobs until stop is called. stop waits for them.
func inBackground(ctx context.Context, jobs ...func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	for _, run := range jobs {
		running.Go(func() { run(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// setProcessors sets GOMAXPROCS to twice the number of processors, unless the
// environment sets it. The writer goroutine blocks on the disk for each commit. With
// spare threads it continues at once, and does not wait for a handler to yield.
var setProcessors = sync.OnceFunc(raiseProcessors)

func raiseProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * limit.Processors())
	}
}

// prepare creates the development store and token with --dev. Without --dev it rejects a
// database that has this token.
func (c *serveCommand) prepare(ctx context.Context, svc *service.Service) error {
	token, known, err := svc.KnowsSecret(ctx, devSecret)
	if err != nil {
		return err
	}
	if !c.Dev {
		if known && !token.Expired(svc.Now(token.StoreKey)) {
			return fmt.Errorf("this database has the token %q, which is public; revoke it with \"cohort token revoke %s\", use another --db, or serve with --dev", devSecret, token.ID)
		}
		return nil
	}
	if _, err := svc.CreateStore(ctx, cohort.Store{Hash: devStore}); err != nil && cohort.KindOf(err) != cohort.KindConflict {
		return err
	}
	if known && hasAll(token) && token.DateExpires.IsZero() {
		return giveDevClientSecret(ctx, svc, token)
	}
	// An older version created it with fewer scopes, or it has got another secret.
	if err := svc.RevokeToken(ctx, cohort.NewToken(devSecret).ID); err != nil && cohort.KindOf(err) != cohort.KindNotFound {
		return err
	}
	st, err := svc.Store(ctx, devStore)
	if err != nil {
		return err
	}
	token, err = svc.CreateTokenWithSecret(ctx, cohort.Token{StoreKey: st.Key, Name: "serve --dev", Scopes: cohort.Scopes()}, devSecret)
	if err != nil {
		return err
	}
	return svc.SetClientSecret(ctx, token.ID, devClientSecret, 0)
}

// giveDevClientSecret gives the development token its client secret, if an older version has
// created it without one.
func giveDevClientSecret(ctx context.Context, svc *service.Service, token cohort.Token) error {
	secrets, err := svc.ClientSecrets(ctx, token.StoreKey, token.ID)
	if err != nil || len(secrets) > 0 {
		return err
	}
	return svc.SetClientSecret(ctx, token.ID, devClientSecret, 0)
}

// hasAll reports whether a token has all scopes.
func hasAll(token cohort.Token) bool {
	return !slices.ContainsFunc(cohort.Scopes(), func(s cohort.Scope) bool { return !token.Allows(s) })
}

// warnWithoutStores logs how to create a store if there is none.
func warnWithoutStores(ctx context.Context, svc *service.Service, log *slog.Logger) error {
	has, err := svc.HasStores(ctx)
	if err == nil && !has {
		log.Warn("there is no store yet, so every API request is rejected; create one with \"cohort store create HASH\" " +
			"and a token with \"cohort token create --store HASH --scope store_v2_customers\"")
	}
	return err
}

func (c *serveCommand) url(l net.Listener) string {
	if c.secure() {
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}

// greet prints a request to start with. It creates a group with a name that the store
// does not have yet, because names are unique.
func (c *serveCommand) greet(in *invocation, l net.Listener, tests *testTLS) {
	if !c.Dev {
		return
	}
	fmt.Fprintf(in.Out, `Cohort serves the store %q, kept in %s. In another terminal:

curl -i %s-H 'X-Auth-Token: %s' -H 'Content-Type: application/json' -d '{"name":"Wholesale %s"}' %s/stores/%s/v2/customer_groups

Webhooks of this token are signed with the client secret %s.
%s%s`, devStore, db.Redact(strings.TrimPrefix(c.DB, "sqlite:")), tests.trust(c), devSecret, rand.Text()[:6], c.url(l), devStore, devClientSecret, c.consoleHint(l), tests.hint())
}

// openLimits returns the limits that nodes share, or nil if --redis is not given.
func (c *serveCommand) openLimits(ctx context.Context, log *slog.Logger) (l *limit.Shared, stop func(), err error) {
	if c.Redis == "" {
		return nil, func() {}, nil
	}
	l, err = limit.Open(ctx, c.Redis, limit.Options{Log: log})
	if err != nil {
		return nil, nil, err
	}
	return l, func() { _ = l.Close() }, nil
}

// serve runs the HTTP server on listeners until ctx ends or it fails. Then it rejects new
// requests and waits for running ones, up to the shutdown timeout. After the timeout it
// closes their connections.
func (c *serveCommand) serve(ctx context.Context, srv *http.Server, cutOff func(), listeners ...net.Listener) error {
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() {
			if c.secure() {
				failed <- srv.ServeTLS(server.Listen(l), c.TLSCert, c.TLSKey)
				return
			}
			failed <- srv.Serve(server.Listen(l))
		}()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ShutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		cutOff()
		return errors.Join(fmt.Errorf("requests were still running after %s and were cut off", c.ShutdownTimeout), srv.Close())
	}
	return nil
}

// serveMetrics serves the metrics on their own address, if it is given.
func (c *serveCommand) serveMetrics(m *server.Metrics, log *slog.Logger) (stop func(), err error) {
	if c.MetricsAddr == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", c.MetricsAddr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for metrics: %w", c.MetricsAddr, err)
	}
	if host, _, err := net.SplitHostPort(l.Addr().String()); err == nil && !isLoopback(host) {
		log.Warn("serving metrics beyond this machine: they can be read without a token", "addr", c.MetricsAddr)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	if c.Pprof {
		addProfiles(mux)
	}
	srv := newHTTPServer(mux, log)
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("stopped serving metrics", "error", err)
		}
	}()
	log.Info("serving metrics", "url", "http://"+l.Addr().String()+"/metrics")
	return func() { _ = srv.Close() }, nil
}

// newHTTPServer returns a server with timeouts for slow and idle clients.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	silent := &silentConns{conns: map[net.Conn]bool{}}
	srv := &http.Server{
		Handler:           h,
		ConnState:         silent.track,
		ConnContext:       server.ConnContext,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// The handler responds to OPTIONS * too.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	srv.RegisterOnShutdown(silent.close)
	return srv
}

// silentConns are the connections that have received nothing yet. Shutdown would wait
// five seconds for each of them.
type silentConns struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (s *silentConns) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.conns[c] = true
		return
	}
	delete(s.conns, c)
}

func (s *silentConns) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close() // no request is running on it
	}
}
