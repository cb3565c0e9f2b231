package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"cohort.example/cohort/internal/testca"
	"cohort.example/cohort/internal/tunnel"
)

// testTLSFlags are the flags for clients that have https://api.bigcommerce.com compiled in.
type testTLSFlags struct {
	TLS       string `name:"tls" env:"COHORT_TLS" enum:",auto" default:"" placeholder:"auto" help:"auto: with --dev, serve HTTPS for api.bigcommerce.com and this machine, with a certificate of the CA of \"cohort ca init\"."`
	CADir     string `name:"ca-dir" env:"COHORT_CA_DIR" placeholder:"DIR" help:"The folder of that CA (cohort/ca in the folder for your configuration files)."`
	ProxyAddr string `name:"proxy-addr" env:"COHORT_PROXY_ADDR" placeholder:"HOST:PORT" help:"With --tls auto, the address of a proxy that leads clients of https://api.bigcommerce.com to this server (none)."`
}

// autoTLS reports whether the server makes its own certificate.
func (f *testTLSFlags) autoTLS() bool { return f.TLS == "auto" }

// checkTestTLS checks the flags of testTLSFlags together with others.
func (c *serveCommand) checkTestTLS() error {
	switch {
	case c.autoTLS() && !c.Dev:
		return usageError("--tls auto goes with --dev; see --tls-cert for other servers")
	case c.autoTLS() && c.TLSCert != "":
		return usageError("--tls auto makes its own certificate, so it does not go with --tls-cert")
	case c.ProxyAddr != "" && !c.autoTLS():
		return usageError("--proxy-addr goes with --tls auto")
	case c.ProxyAddr != "":
		return c.checkAddr("--proxy-addr", c.ProxyAddr)
	}
	return nil
}

// secure reports whether the server serves HTTPS.
func (c *serveCommand) secure() bool { return c.TLSCert != "" || c.autoTLS() }

// testTLS is what --tls auto adds to a server. Without it, everything is nil.
type testTLS struct {
	ca       *testca.CA
	proxy    *tunnel.Proxy // nil: none
	listener net.Listener  // of the proxy
}

// openCA opens the CA of --tls auto, and creates it if there is none.
func (c *serveCommand) openCA(log *slog.Logger) (*testTLS, error) {
	if !c.autoTLS() {
		return &testTLS{}, nil
	}
	ca, isNew, err := testca.OpenOrCreate(c.CADir, nil, time.Now())
	if err != nil {
		return nil, err
	}
	if mode, open := ca.OpenToOthers(); open {
		log.Warn("other users can read or write the key of the CA for tests, and make certificates that your clients trust; chmod 600 prevents that",
			"file", ca.KeyFile(), "mode", fmt.Sprintf("%04o", mode))
	}
	if isNew {
		log.Info("created a CA for tests", "certificate", ca.CertFile(), "ends", ca.Ends().Format(time.DateOnly))
	}
	return &testTLS{ca: ca}, nil
}

// listen listens on the address of the proxy, if there is one.
func (t *testTLS) listen(c *serveCommand, log *slog.Logger) error {
	if c.ProxyAddr == "" {
		return nil
	}
	l, err := net.Listen("tcp", c.ProxyAddr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s for the proxy: %w", c.ProxyAddr, err)
	}
	if err := c.checkListener(l, c.ProxyAddr, log); err != nil {
		return errors.Join(err, l.Close())
	}
	t.listener, t.proxy = l, tunnel.New(testca.Host+":443", l.Addr(), log)
	log.Info("serving a proxy for "+testca.Host, "url", "http://"+l.Addr().String())
	return nil
}

// close ends the proxy if its server has not.
func (t *testTLS) close() {
	if t.listener != nil {
		_ = t.listener.Close() // the server has closed it already, unless it failed
	}
}

// hosts are the names that the server stands in for.
func (t *testTLS) hosts() []string {
	if t.ca == nil {
		return nil
	}
	return t.ca.Hosts()
}

// prepare makes a server use the certificates of the CA, and starts its proxy, which ends
// with it. It returns the listeners of the server: l, and the tunnels of the proxy.
func (t *testTLS) prepare(srv *http.Server, l net.Listener, log *slog.Logger) []net.Listener {
	if t.ca == nil {
		return []net.Listener{l}
	}
	srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: testca.NewIssuer(t.ca, nil).GetCertificate}
	if t.proxy == nil {
		return []net.Listener{l}
	}
	proxy := newHTTPServer(t.proxy, log)
	srv.RegisterOnShutdown(func() { _ = proxy.Close() }) // tunnels belong to srv
	go func() {
		if err := proxy.Serve(t.listener); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			log.Error("stopped serving the proxy", "error", err)
		}
	}()
	return slices.Concat([]net.Listener{l}, []net.Listener{t.proxy})
}

// trust returns the option by which curl trusts the certificate of the server.
func (t *testTLS) trust(c *serveCommand) string {
	switch {
	case t.ca != nil:
		return "--cacert " + shellQuote(t.ca.CertFile()) + " "
	case c.TLSCert != "":
		return "-k "
	}
	return ""
}

// hint returns the lines that greet has for the proxy.
func (t *testTLS) hint() string {
	if t.proxy == nil {
		return ""
	}
	return fmt.Sprintf("Clients of https://%s get here with HTTPS_PROXY=http://%s. \"cohort ca init\" prints how they trust the certificate.\n\n", testca.Host, t.listener.Addr())
}
