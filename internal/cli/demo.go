package cli

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/wirescript"
)

// demoScript is the demo: a wire script, which also checks the responses.
//
//go:embed demo.txt
var demoScript string

type demoCommand struct{}

// demoTimeout bounds one request of the demo, and demoShutdownTimeout how long the
// demo's server takes to end.
const (
	demoTimeout         = 10 * time.Second
	demoShutdownTimeout = time.Second
)

// Run sends the requests of the demo to a real server with a temporary database,
// and prints them with their responses. It fails if a response is not what the script
// says.
func (demoCommand) Run(in *invocation) (err error) {
	script, err := wirescript.Parse("demo", demoScript)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cohort-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := demo{in: in, db: "sqlite:" + filepath.Join(dir, "cohort.db")}
	fmt.Fprintln(in.Out, "The demo sends requests to a real server. Its database is deleted at the end.")
	token, err := d.provision()
	if err != nil {
		return err
	}
	if err := d.play(script, token); err != nil {
		return err
	}
	fmt.Fprintf(in.Out, demoEnd, len(script.Cases))
	return nil
}

const demoEnd = `
You have seen %d requests, and every response was as documented:

  - customer groups with discounts, and a customer who joins the default group
  - the price for this customer, the rule that decides it, and the price after a move
  - the end of a group, and what a rejected request gets

Next:

  cohort serve --dev      serve an API on this machine to try your own client against
  cohort help serve       serve an API for production
  /openapi.yaml           on a running server: every operation, field and response
`

type demo struct {
	in *invocation
	db string
}

// provision makes a store and a token with the commands that a user types.
func (d *demo) provision() (token string, err error) {
	d.say("A store, and a token that can change its customers and its catalog.")
	if _, err := d.command("store", "create", "demo"); err != nil {
		return "", err
	}
	out, err := d.command("token", "create", "--store", "demo", "--scope", "store_v2_customers,store_v2_products")
	secret, _, _ := strings.Cut(out, "\n")
	return secret, err
}

// command shows and runs a command of this program, and returns its output.
func (d *demo) command(args ...string) (string, error) {
	fmt.Fprintf(d.in.Out, "$ cohort %s\n", strings.Join(args, " "))
	var out bytes.Buffer
	streams := Streams{In: strings.NewReader(""), Out: io.MultiWriter(&out, d.in.Out), Err: d.in.Out}
	// The variables of the environment are not meant for the demo's store.
	hidden := map[string][]string{
		"store": {"--db", d.db, "--plan", "unlimited", "--quota", "0", "--max-concurrent", "0"},
		"token": {"--db", d.db, "--name", ""},
	}
	if Run(d.in.ctx, append(args, hidden[args[0]]...), streams) != exitOK {
		return "", errors.New("the demo cannot continue")
	}
	return out.String(), nil
}

// play serves the database and runs the script against it.
func (d *demo) play(script *wirescript.Script, token string) (err error) {
	store, err := db.OpenExisting(d.in.ctx, d.db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	handler := server.New(service.New(store), server.Options{Log: log})
	srv := newHTTPServer(handler, log)
	ctx, stop := context.WithCancel(d.in.ctx)
	stopped := make(chan error, 1)
	go func() {
		stopped <- (&serveCommand{ShutdownTimeout: demoShutdownTimeout}).serve(ctx, srv, handler.CutOff, listener)
	}()
	defer func() { stop(); err = errors.Join(err, <-stopped) }()

	target := wirescript.Target{
		URL:    "http://" + listener.Addr().String(),
		Vars:   map[string]string{"store": "demo", "token": token},
		Client: &http.Client{Timeout: demoTimeout},
	}
	failures := 0
	if err := script.Run(d.in.ctx, target, func(x wirescript.Exchange) { d.show(x); failures += len(x.Failures) }); err != nil {
		return err
	}
	if failures > 0 {
		return fmt.Errorf("%d checks of the responses failed", failures)
	}
	return nil
}

// say prints a comment, if there is one, after an empty line.
func (d *demo) say(comment string) {
	fmt.Fprintln(d.in.Out)
	if comment != "" {
		fmt.Fprintf(d.in.Out, "# %s\n", strings.ReplaceAll(comment, "\n", "\n# "))
	}
}

// shown are the headers of a response that the demo prints.
var shown = []string{"Content-Type", "Location"}

// show prints a request as a curl command, and its response.
func (d *demo) show(x wirescript.Exchange) {
	d.say(x.Case.Comment)
	out := d.in.Out
	fmt.Fprintf(out, "$ curl -i%s '%s'", method(x), x.URL)
	for _, name := range []string{"X-Auth-Token", "Content-Type"} {
		if value := x.Sent.Header.Get(name); value != "" {
			fmt.Fprintf(out, " \\\n    -H '%s: %s'", name, value)
		}
	}
	if x.Body != "" {
		fmt.Fprintf(out, " \\\n    -d '%s'", x.Body)
	}
	fmt.Fprintf(out, "\nHTTP/1.1 %d %s\n", x.Status, http.StatusText(x.Status))
	for _, name := range shown {
		if value := x.Header.Get(name); value != "" {
			fmt.Fprintf(out, "%s: %s\n", name, value)
		}
	}
	if x.Response != "" {
		fmt.Fprintf(out, "\n%s\n", prettyJSON(x.Response))
	}
	for _, failure := range x.Failures {
		fmt.Fprintf(out, "UNEXPECTED RESPONSE: %s\n", failure)
	}
}

// method returns the option of curl that sets the method, unless curl sends that
// method by default.
func method(x wirescript.Exchange) string {
	if x.Case.Method == http.MethodGet || x.Case.Method == http.MethodPost && x.Body != "" {
		return ""
	}
	return " -X " + x.Case.Method
}
