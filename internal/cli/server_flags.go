package cli

import (
	"errors"
	"net"
	"net/url"
	"strings"

	"cohort.example/cohort/internal/controlclient"
	"cohort.example/cohort/internal/daemon"
)

// defaultServer is the server of commands if none runs in the background: that of "cohort
// serve" without --addr.
const defaultServer = "http://127.0.0.1:8080"

// serverFlag is the running server that a command asks.
type serverFlag struct {
	Server string `env:"COHORT_URL" placeholder:"URL" help:"The server (the one that \"cohort start\" has started, else http://127.0.0.1:8080)."`
}

// url returns the URL of the server.
func (f serverFlag) url() (string, error) {
	if f.Server != "" {
		return strings.TrimRight(f.Server, "/"), nil
	}
	running, err := background()
	if errors.Is(err, daemon.ErrNotRunning) || errors.Is(err, daemon.ErrStarting) {
		return defaultServer, nil
	}
	return running.URL, err
}

// background returns the server that "cohort start" has started.
func background() (daemon.Server, error) {
	folder, err := daemon.Default()
	if err != nil {
		return daemon.Server{}, daemon.ErrNotRunning // without a folder, none can have been started
	}
	return folder.Running()
}

// controlFlags are for commands that call the control API.
type controlFlags struct {
	serverFlag
	ControlToken string `name:"control-token" env:"COHORT_CONTROL_TOKEN" placeholder:"TEXT" help:"The token of the control API, if the server has one. Use the variable, which does not show in the process list."`
}

func (f controlFlags) client() (*controlclient.Client, error) {
	server, err := f.url()
	if err != nil {
		return nil, err
	}
	trusted, _ := caOf(server)
	client, err := controlclient.New(server, f.ControlToken, trusted)
	if err != nil {
		return nil, usageError(err.Error())
	}
	return client, nil
}

// testStoreFlags are for commands about one store of a running server.
type testStoreFlags struct {
	Store string `env:"COHORT_STORE" default:"demo" placeholder:"HASH" help:"The store (${default})."`
	controlFlags
}

// path returns the path of the store, and of what is below it.
func (f testStoreFlags) path(below ...string) string {
	return controlclient.StorePath(f.Store, below...)
}

// do sends a request about the store, and returns the body of the response.
func (f testStoreFlags) do(in *invocation, method string, body any, below ...string) ([]byte, error) {
	client, err := f.client()
	if err != nil {
		return nil, err
	}
	return client.Do(in.ctx, controlclient.Call{Method: method, Path: f.path(below...), Body: body})
}

// decode is do for a response in JSON.
func (f testStoreFlags) decode(in *invocation, into any, call controlclient.Call) error {
	client, err := f.client()
	if err != nil {
		return err
	}
	return client.Decode(in.ctx, call, into)
}

// reachable returns the URL of a listener for clients on this machine: a server that
// listens on all addresses listens on the loopback address too.
func reachable(server string, addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	u, err := url.Parse(server)
	if !ok || err != nil || !tcp.IP.IsUnspecified() {
		return server
	}
	u.Host = net.JoinHostPort("localhost", u.Port())
	return u.String()
}
