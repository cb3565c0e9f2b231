package cli

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"

	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/server"
)

func (c *serveCommand) check() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return usageError("--tls-cert and --tls-key go together")
	}
	if c.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			return fmt.Errorf("cannot use the certificate: %w", err)
		}
	}
	if err := c.checkTestTLS(); err != nil {
		return err
	}
	if c.Redis != "" {
		if err := limit.CheckURL(c.Redis); err != nil {
			return usageError("--redis cannot be used: " + err.Error())
		}
	}
	if _, err := c.pricing(); err != nil {
		return err
	}
	if c.ControlToken != "" && len(c.ControlToken) < minControlToken {
		return usageError(fmt.Sprintf("--control-token must have at least %d bytes", minControlToken))
	}
	if _, err := server.ParseTrustedProxies(c.TrustedProxies); err != nil {
		return usageError("--trusted-proxies cannot be used: " + err.Error())
	}
	if c.ShutdownTimeout < 0 {
		return usageError("--shutdown-timeout must not be negative")
	}
	if c.MaxStaleness < 0 || c.MaxStaleness > time.Minute {
		return usageError("--max-staleness must be between 0s and 1m")
	}
	if err := c.checkAddr("--addr", c.Addr); err != nil {
		return err
	}
	if err := c.checkConsole(); err != nil {
		return err
	}
	if !c.MCP && (c.MCPAllowWrites || c.MCPNoPersonal) {
		return usageError("--mcp-allow-writes and --mcp-no-personal-data go with --mcp")
	}
	if c.Pprof && c.MetricsAddr == "" {
		return usageError("--pprof goes with --metrics-addr, which serves the profiles")
	}
	if err := c.checkUpstream(); err != nil {
		return err
	}
	if c.DevAnywhere && !c.Dev {
		return usageError("--dev-listen-anywhere goes with --dev")
	}
	return nil
}

// checkAddr checks the address of a flag.
func (c *serveCommand) checkAddr(flag, addr string) error {
	if host, _, err := net.SplitHostPort(addr); err != nil {
		return usageError(fmt.Sprintf("%s %s is not HOST:PORT", flag, addr))
	} else if c.devIsLocal() && host != "localhost" && !isLoopback(host) {
		return usageError(fmt.Sprintf("--dev serves loopback addresses only, not %s, because its token is public; in a container, see --dev-listen-anywhere", addr))
	}
	return nil
}

// devIsLocal reports whether the server is in development mode and for this machine only.
func (c *serveCommand) devIsLocal() bool { return c.Dev && !c.DevAnywhere }

// checkListener checks the address that the host name of addr resolved to.
func (c *serveCommand) checkListener(l net.Listener, addr string, log *slog.Logger) error {
	host, _, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	if isLoopback(host) {
		return nil
	}
	if c.devIsLocal() {
		return usageError(fmt.Sprintf("--dev serves loopback addresses only, and %s is %s", addr, host))
	}
	if c.Dev {
		log.Warn("development mode beyond this machine: every client that reaches this address can read and change all stores with the public token "+devSecret, "addr", addr)
	}
	if !c.secure() {
		log.Warn("serving plain HTTP beyond this machine: tokens can be read on the network unless a proxy in front adds TLS", "addr", addr)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
