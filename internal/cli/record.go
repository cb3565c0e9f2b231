package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/exchange"
	"cohort.example/cohort/internal/recorder"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/upstream"
)

type recordCommand struct {
	File        string `arg:"" name:"file" help:"The recording to write. It must not exist."`
	To          string `default:"https://api.bigcommerce.com" placeholder:"URL" help:"The API to pass requests on to (${default})."`
	Addr        string `default:"127.0.0.1:8090" placeholder:"HOST:PORT" help:"The address of this machine to listen on (${default})."`
	AllowWrites bool   `help:"Pass on requests that change something too. Without it, only GET and HEAD reach the API."`
}

// recordGrace is how long running requests may take to finish at the end of a recording.
const recordGrace = 10 * time.Second

// Run passes requests on and records them until the context of the invocation ends.
func (c *recordCommand) Run(in *invocation) (err error) {
	to, err := upstream.ParseURL(c.To)
	if err != nil {
		return usageError("--to cannot be used: " + err.Error())
	}
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return usageError(fmt.Sprintf("--addr %s is not HOST:PORT", c.Addr))
	}
	if host != "localhost" && !isLoopback(host) {
		return usageError(fmt.Sprintf("--addr must be an address of this machine, such as 127.0.0.1:8090, not %s: clients send it tokens in plain HTTP", c.Addr))
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", c.Addr, err)
	}
	defer listener.Close()
	file, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write the recording: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	log, flush := newLog(in.Err, "text")
	defer flush()
	return c.record(in, to, listener, file, log)
}

func (c *recordCommand) record(in *invocation, to *url.URL, l net.Listener, file *os.File, log *slog.Logger) error {
	w, err := exchange.NewWriter(file, time.Now())
	if err != nil {
		return fmt.Errorf("cannot write the recording: %w", err)
	}
	p := recorder.New(recorder.Options{To: to, Writer: w, AllowWrites: c.AllowWrites, Failed: func(err error) {
		log.Error("cannot record", "error", err)
	}})
	defer p.Close()
	srv := newHTTPServer(withReady(p), log)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(server.Listen(l)) }()
	fmt.Fprintf(in.Out, "Requests to http://%s reach %s, and %s records them without secrets and personal data. Ctrl-C ends the recording.\n", l.Addr(), to, c.File)
	select {
	case err := <-failed:
		return err
	case <-in.ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(in.ctx), recordGrace)
	defer cancel()
	err = srv.Shutdown(grace)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were still running after %s and are not recorded", recordGrace), srv.Close())
	}
	fmt.Fprintf(in.Out, "%s has %s.\n", c.File, counted(int64(w.Count()), "exchange"))
	return err
}

// withReady adds the path that "cohort wait" asks.
func withReady(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			api.WriteText(w, http.StatusOK, "ok")
			return
		}
		h.ServeHTTP(w, r)
	})
}
