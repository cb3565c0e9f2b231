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

// demoScript is the demo: a wire script, so that what is shown is also checked.
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

// Run shows the main job on a real server with a throwaway database. It fails
// if any answer is not what the script says.
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
	fmt.Fprintln(in.Out, "Cohort answers these requests for real, from a database that is thrown away at the end.")
	token, err := d.provision()
	if err != nil {
		return err
	}
	if err := d.play(script, token); err != nil {
		return err
	}
	fmt.Fprint(in.Out, demoEnd)
	return nil
}

const demoEnd = `
All answers were as the contract says. Where to go from here:

  cohort serve --dev      a server to try your own client against
  cohort serve --help     a server for real use
  /openapi.yaml           on a running server: every operation, field and answer
`

type demo struct {
	in *invocation
	db string
}

// provision makes a store and a token by the commands that anybody would type.
func (d *demo) provision() (token string, err error) {
	d.say("A store, and a token that may read and change its customers and its catalog.")
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
	// What the environment says about stores is not meant for this one.
	hidden := map[string][]string{
		"store": {"--db", d.db, "--plan", "unlimited", "--quota", "0", "--max-concurrent", "0"},
		"token": {"--db", d.db, "--name", ""},
	}
	if Run(d.in.ctx, append(args, hidden[args[0]]...), streams) != exitOK {
		return "", fmt.Errorf("the demo could not go on")
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
		stopped <- (&serveCommand{ShutdownTimeout: demoShutdownTimeout}).serve(ctx, srv, listener, handler.CutOff)
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
		return fmt.Errorf("%d answers were not what the contract says", failures)
	}
	return nil
}

func (d *demo) say(comment string) {
	fmt.Fprintf(d.in.Out, "\n# %s\n", strings.ReplaceAll(comment, "\n", "\n# "))
}

// shown are the answer's headers that tell something here.
var shown = []string{"Content-Type", "Location"}

// show prints a request as one would type it, and its answer.
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
	if x.Answer != "" {
		fmt.Fprintf(out, "\n%s\n", x.Answer)
	}
	for _, failure := range x.Failures {
		fmt.Fprintf(out, "NOT WHAT THE CONTRACT SAYS: %s\n", failure)
	}
}

// method is the option that curl needs where it would not guess the method.
func method(x wirescript.Exchange) string {
	if x.Case.Method == http.MethodGet || x.Case.Method == http.MethodPost && x.Body != "" {
		return ""
	}
	return " -X " + x.Case.Method
}
