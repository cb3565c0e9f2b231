package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

type healthcheckCommand struct {
	Addr    string `env:"COHORT_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the server listens (${default})."`
	TLSCert string `name:"tls-cert" env:"COHORT_TLS_CERT" placeholder:"FILE" help:"The certificate that it serves HTTPS with, if it does."`
}

// healthTimeout bounds how long the server may take to answer.
const healthTimeout = 5 * time.Second

// maxHealth is as much as is read of the answer, in bytes.
const maxHealth = 200

// Run asks the server on this machine whether it is ready.
func (c *healthcheckCommand) Run(in *invocation) error {
	url, err := c.url()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(in.ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{
		// The certificate is for the server's name, not for this machine's loopback
		// address, and nothing secret is said.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxHealth)) // what there is of it is enough
		return fmt.Errorf("not ready: %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	fmt.Fprintln(in.Out, "ready")
	return nil
}

// url is where the server answers. A server that listens everywhere listens on
// the loopback address too.
func (c *healthcheckCommand) url() (string, error) {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return "", usageError(fmt.Sprintf("--addr %s is not HOST:PORT", c.Addr))
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/readyz", nil
}
