package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
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
)

type serveCommand struct {
	Dev             bool          `env:"COHORT_DEV" help:"For trying things on this machine: makes the store \"demo\" with the token \"demo-token\", and serves loopback addresses only."`
	Addr            string        `env:"COHORT_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen (${default})."`
	TLSCert         string        `name:"tls-cert" env:"COHORT_TLS_CERT" placeholder:"FILE" help:"Serve HTTPS with this certificate chain (PEM)."`
	TLSKey          string        `name:"tls-key" env:"COHORT_TLS_KEY" placeholder:"FILE" help:"The certificate's private key (PEM)."`
	Redis           string        `env:"COHORT_REDIS" placeholder:"URL" help:"The Redis in which several nodes share the limits, such as redis://HOST:PORT; each node counts for itself unless given."`
	PricingURL      string        `name:"pricing-url" env:"COHORT_PRICING_URL" placeholder:"URL" help:"Where to tell another pricing system of sitewide discounts, https://HOST/PATH; nobody is told unless given."`
	PricingSecret   string        `name:"pricing-secret" env:"COHORT_PRICING_SECRET" placeholder:"TEXT" help:"What signs the calls to --pricing-url, 16 bytes or more; best given as a variable."`
	MetricsAddr     string        `env:"COHORT_METRICS_ADDR" placeholder:"HOST:PORT" help:"Where to serve Prometheus metrics at /metrics; nowhere unless given."`
	TrustedProxies  string        `name:"trusted-proxies" env:"COHORT_TRUSTED_PROXIES" placeholder:"LIST" help:"Addresses and networks of proxies whose X-Forwarded-For tells a client's address, such as 10.0.0.0/8,192.0.2.7; none unless given."`
	LogFormat       string        `env:"COHORT_LOG_FORMAT" enum:"text,json" default:"text" help:"The form of the log lines on standard error: text or json."`
	ShutdownTimeout time.Duration `env:"COHORT_SHUTDOWN_TIMEOUT" default:"15s" placeholder:"TIME" help:"How long requests under way may take to finish after SIGTERM (${default})."`
	dbFlag
}

// The store and the token of --dev. The token is public, so it must never be
// let in from outside.
const (
	devStore  = "demo"
	devSecret = "demo-token"
)

// Run serves until the invocation's context ends, then finishes what is under
// way and closes the database.
func (c *serveCommand) Run(in *invocation) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	log, flush := newLog(in.Err, c.LogFormat)
	defer flush()
	setProcessors()
	d, err := db.Open(in.ctx, c.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	defer watchDatabase(d, log)()
	svc, err := c.newService(in.ctx, d, log)
	if err != nil {
		return err
	}
	if err := c.prepare(in.ctx, svc, log); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", c.Addr, err)
	}
	defer listener.Close()
	if err := c.checkListener(listener, log); err != nil {
		return err
	}
	limits, closeLimits, err := c.openLimits(in.ctx, log)
	if err != nil {
		return err
	}
	defer closeLimits()
	metrics := server.NewMetrics()
	stopMetrics, err := c.serveMetrics(metrics, log)
	if err != nil {
		return err
	}
	defer stopMetrics()
	defer startBackground(in.ctx, svc, log)()
	c.greet(in, listener)
	log.Info("serving", "url", c.url(listener), "db", db.Redact(c.DB))
	flush()
	handler := server.New(svc, c.options(log, metrics, limits))
	err = c.serve(in.ctx, newHTTPServer(handler, log), listener, handler.CutOff)
	log.Info("stopped")
	return err
}

// newService returns the service, which tells another pricing system of sitewide
// discounts if there is one.
func (c *serveCommand) newService(ctx context.Context, d *db.DB, log *slog.Logger) (*service.Service, error) {
	client, err := c.pricing()
	if err != nil {
		return nil, err
	}
	if client != nil {
		log.Info("telling another pricing system of sitewide discounts", "host", client.Host())
		return service.New(d, service.WithPusher(client)), nil
	}
	svc := service.New(d)
	counts, err := svc.Outbox().Counts(ctx)
	if err == nil && counts.Waiting > 0 {
		log.Warn("another pricing system waits to be told of sitewide discounts, and there is no --pricing-url; see \"cohort jobs\"", "jobs", counts.Waiting)
	}
	return svc, err
}

// options are those of the server, whose flags are checked.
func (c *serveCommand) options(log *slog.Logger, m *server.Metrics, limits *limit.Shared) server.Options {
	proxies, _ := server.ParseTrustedProxies(c.TrustedProxies)
	return server.Options{Log: log, Metrics: m, Limits: limits, TrustedProxies: proxies, LoopbackOnly: c.Dev}
}

// pricing returns the client of another pricing system, or nil if there is none.
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

// startBackground starts the sweeper and the outbox. They run until stop is called,
// which waits for them.
func startBackground(ctx context.Context, svc *service.Service, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { sweeper.Run(ctx, svc, log) })
	running.Go(func() { svc.Outbox().Run(ctx, log) })
	return func() {
		cancel()
		running.Wait()
	}
}

// setProcessors lets twice as many threads run as there are processors, unless
// the environment says how many. The one that writes does not have to wait then
// until a request's handler makes room for it, after each time that it has
// waited for the disk.
var setProcessors = sync.OnceFunc(raiseProcessors)

func raiseProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * limit.Processors())
	}
}

func (c *serveCommand) check() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return usageError("--tls-cert and --tls-key go together")
	}
	if c.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			return fmt.Errorf("cannot use the certificate: %w", err)
		}
	}
	if c.Redis != "" {
		if err := limit.CheckURL(c.Redis); err != nil {
			return usageError("--redis cannot be used: " + err.Error())
		}
	}
	if _, err := c.pricing(); err != nil {
		return err
	}
	if _, err := server.ParseTrustedProxies(c.TrustedProxies); err != nil {
		return usageError("--trusted-proxies cannot be used: " + err.Error())
	}
	if c.ShutdownTimeout < 0 {
		return usageError("--shutdown-timeout must not be negative")
	}
	if host, _, err := net.SplitHostPort(c.Addr); err != nil {
		return usageError(fmt.Sprintf("--addr %s is not HOST:PORT", c.Addr))
	} else if c.Dev && host != "localhost" && !isLoopback(host) {
		return usageError(fmt.Sprintf("--dev serves loopback addresses only, not %s: its token is known to everybody", c.Addr))
	}
	return nil
}

// checkListener looks at the address that a name led to.
func (c *serveCommand) checkListener(l net.Listener, log *slog.Logger) error {
	host, _, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	if isLoopback(host) {
		return nil
	}
	if c.Dev {
		return usageError(fmt.Sprintf("--dev serves loopback addresses only, and %s is %s", c.Addr, host))
	}
	if c.TLSCert == "" {
		log.Warn("serving plain HTTP beyond this machine: tokens can be read on the way unless a proxy in front adds TLS", "addr", c.Addr)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// prepare makes the development store and token, or makes sure that a database
// which has them is not served for real.
func (c *serveCommand) prepare(ctx context.Context, svc *service.Service, log *slog.Logger) error {
	token, known, err := svc.KnowsSecret(ctx, devSecret)
	if err != nil {
		return err
	}
	if !c.Dev {
		if known {
			return fmt.Errorf("this database has the token %q, which everybody knows; revoke it with \"cohort token revoke %s\", use another --db, or serve with --dev", devSecret, token.ID)
		}
		return warnWithoutStores(ctx, svc, log)
	}
	if _, err := svc.CreateStore(ctx, cohort.Store{Hash: devStore}); err != nil && cohort.KindOf(err) != cohort.KindConflict {
		return err
	}
	if known {
		return nil
	}
	st, err := svc.Store(ctx, devStore)
	if err != nil {
		return err
	}
	_, err = svc.CreateTokenWithSecret(ctx, cohort.Token{StoreHash: st.Key, Name: "serve --dev", Scopes: cohort.Scopes()}, devSecret)
	return err
}

// warnWithoutStores logs how to make a store if there is none.
func warnWithoutStores(ctx context.Context, svc *service.Service, log *slog.Logger) error {
	stores, err := svc.ListStores(ctx)
	if err == nil && len(stores) == 0 {
		log.Warn("there is no store yet, so every API request is rejected; make one with \"cohort store create HASH\" " +
			"and a token with \"cohort token create --store HASH --scope store_v2_customers\"")
	}
	return err
}

func (c *serveCommand) url(l net.Listener) string {
	if c.TLSCert != "" {
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}

// greet prints what somebody who tries Cohort types next.
func (c *serveCommand) greet(in *invocation, l net.Listener) {
	if !c.Dev {
		return
	}
	insecure := ""
	if c.TLSCert != "" {
		insecure = "-k "
	}
	fmt.Fprintf(in.Out, `Cohort serves the store %q, kept in %s. In another terminal:

curl -i %s-H 'X-Auth-Token: %s' -H 'Content-Type: application/json' -d '{"name":"Wholesale"}' %s/stores/%s/v2/customer_groups

`, devStore, db.Redact(strings.TrimPrefix(c.DB, "sqlite:")), insecure, devSecret, c.url(l), devStore)
}

// openLimits returns the limits that are shared with other nodes, if there are.
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

// serve runs the HTTP server until ctx ends or it fails. Then it refuses new
// requests and waits for those under way, up to the shutdown timeout. After that
// it cuts them off.
func (c *serveCommand) serve(ctx context.Context, srv *http.Server, l net.Listener, cutOff func()) error {
	l = server.Listen(l)
	failed := make(chan error, 1)
	go func() {
		if c.TLSCert != "" {
			failed <- srv.ServeTLS(l, c.TLSCert, c.TLSKey)
			return
		}
		failed <- srv.Serve(l)
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ShutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		cutOff()
		return errors.Join(fmt.Errorf("requests were still under way after %s and were cut off", c.ShutdownTimeout), srv.Close())
	}
	return nil
}

// serveMetrics serves the metrics on their own address, if there is one.
func (c *serveCommand) serveMetrics(m *server.Metrics, log *slog.Logger) (stop func(), err error) {
	if c.MetricsAddr == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", c.MetricsAddr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for metrics: %w", c.MetricsAddr, err)
	}
	if host, _, err := net.SplitHostPort(l.Addr().String()); err == nil && !isLoopback(host) {
		log.Warn("serving metrics beyond this machine: whoever reaches the address can read them, without a token", "addr", c.MetricsAddr)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	srv := newHTTPServer(mux, log)
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are not served any more", "error", err)
		}
	}()
	log.Info("serving metrics", "url", "http://"+l.Addr().String()+"/metrics")
	return func() { _ = srv.Close() }, nil
}

// newHTTPServer returns a server whose limits keep a slow or idle client from
// holding on to it.
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
		// The answer to OPTIONS * is the handler's, as all others are.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	srv.RegisterOnShutdown(silent.close)
	return srv
}

// silentConns are the connections on which nothing has come yet. A shutdown
// would wait five seconds for each, as if there were a request under way.
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
		_ = c.Close() // nobody waits for anything on it
	}
}
