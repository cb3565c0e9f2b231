package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"cohort.example/cohort/internal/stub"
	"cohort.example/cohort/internal/upstream"
)

// maxUpstreamTokens bounds the file of --upstream-tokens, in bytes.
const maxUpstreamTokens = 1 << 20

func (c *serveCommand) checkUpstream() error {
	if (c.Upstream == "") != (c.UpstreamTokens == "") {
		return usageError("--upstream and --upstream-tokens go together")
	}
	if c.UpstreamWrites && c.Upstream == "" {
		return usageError("--upstream-allow-writes goes with --upstream")
	}
	if c.Upstream != "" && c.DevAnywhere {
		return usageError("--upstream does not go with --dev-listen-anywhere: every client that reaches the address could use the tokens of the upstream with the public token")
	}
	if c.Stub != "" && !c.Dev {
		return usageError("--stub goes with --dev, because its answers are made up")
	}
	if _, err := c.openStub(); err != nil {
		return err
	}
	_, err := c.openUpstream(nil)
	return err
}

// openStub returns the answers of an OpenAPI document, nil if there is none.
func (c *serveCommand) openStub() (_ *stub.Stub, err error) {
	if c.Stub == "" {
		return nil, nil
	}
	file, err := os.Open(c.Stub)
	if err != nil {
		return nil, fmt.Errorf("cannot read --stub: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err := io.ReadAll(io.LimitReader(file, stub.MaxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read --stub: %w", err)
	}
	answers, err := stub.Load(text)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", c.Stub, err)
	}
	return answers, nil
}

// openUpstream returns the proxy for paths that Cohort does not serve, nil if there is none.
func (c *serveCommand) openUpstream(log *slog.Logger) (*upstream.Proxy, error) {
	if c.Upstream == "" {
		return nil, nil
	}
	to, err := upstream.ParseURL(c.Upstream)
	if err != nil {
		return nil, usageError("--upstream cannot be used: " + err.Error())
	}
	stores, err := readUpstreamTokens(c.UpstreamTokens)
	if err != nil {
		return nil, err
	}
	if log != nil {
		log.Info("passing requests to other paths on", "upstream", to.Host, "stores", len(stores), "writes", c.UpstreamWrites)
	}
	return upstream.New(upstream.Options{To: to, Stores: stores, AllowWrites: c.UpstreamWrites, Log: log}), nil
}

func readUpstreamTokens(name string) (_ map[string]upstream.Store, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read --upstream-tokens: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	stores, err := upstream.ReadStores(io.LimitReader(file, maxUpstreamTokens), os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", name, err)
	}
	return stores, nil
}
