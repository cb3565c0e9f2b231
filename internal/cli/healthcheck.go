package cli

import (
	"fmt"
	"net"
	"time"
)

type healthcheckCommand struct {
	Addr    string `env:"COHORT_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"The address of the server (${default})."`
	TLSCert string `name:"tls-cert" env:"COHORT_TLS_CERT" placeholder:"FILE" help:"The certificate of the server. If it is given, the check uses HTTPS."`
	TLS     string `name:"tls" env:"COHORT_TLS" enum:",auto" default:"" placeholder:"auto" help:"auto: the server was started with --tls auto, so the check uses HTTPS."`
}

// healthTimeout bounds how long the server may take to respond.
const healthTimeout = 5 * time.Second

// maxHealth bounds how much of the response is read, in bytes.
const maxHealth = 200

// Run sends a request for /readyz to the server on this machine.
func (c *healthcheckCommand) Run(in *invocation) error {
	url, err := c.url()
	if err != nil {
		return err
	}
	if err := askReady(in.ctx, url); err != nil {
		return err
	}
	fmt.Fprintln(in.Out, "ready")
	return nil
}

// url returns the URL of /readyz. A server that listens on all addresses listens on the
// loopback address too.
func (c *healthcheckCommand) url() (string, error) {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return "", usageError(fmt.Sprintf("--addr %s is not HOST:PORT", c.Addr))
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http"
	if c.TLSCert != "" || c.TLS == "auto" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/readyz", nil
}
