package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"time"

	"cohort.example/cohort/internal/controlclient"
	"cohort.example/cohort/internal/exchange"
	"cohort.example/cohort/internal/replay"
	"cohort.example/cohort/internal/upstream"
)

type replayCommand struct {
	File        string   `arg:"" name:"file" help:"The recording, as \"cohort record\" has written it."`
	Store       string   `env:"COHORT_STORE" default:"demo" placeholder:"HASH" help:"The store (${default})."`
	Token       string   `env:"COHORT_TOKEN" placeholder:"TEXT" help:"The token of the store (that of demo). Use the variable, which does not show in the process list."`
	Value       []string `placeholder:"FIELD" help:"A field whose values must be equal: a name, or the end of a path such as discount_rules.amount. Can be repeated."`
	AllowWrites bool     `help:"Send requests that change something to a server that is not on this machine, too."`
	JSON        bool     `name:"json" help:"Print a JSON object."`
	serverFlag
}

// Run sends the requests of a recording to a server and prints what differs.
func (c *replayCommand) Run(in *invocation) error {
	server, err := c.url()
	if err != nil {
		return err
	}
	to, err := upstream.ParseURL(server)
	if err != nil {
		return usageError(err.Error())
	}
	token := c.Token
	if token == "" && c.Store == devStore {
		token = devSecret
	}
	if token == "" {
		return usageError("give the token of the store, in COHORT_TOKEN or --token")
	}
	client, err := clientOf(server)
	if err != nil {
		return err
	}
	return withRecording(c.File, func(recording iter.Seq2[*exchange.Exchange, error]) error {
		return reportResults(in, c.JSON, replay.Run(in.ctx, recording, replay.Options{
			URL: server, Store: c.Store, Token: token, Client: client, Values: c.Value, Writes: c.AllowWrites || upstream.IsHere(to), Wait: pause,
		}))
	})
}

// clientOf returns a client for a server, which may have a certificate of the user's CA.
func clientOf(server string) (*http.Client, error) {
	client := upstream.NewClient()
	file, ok := caOf(server)
	to, err := upstream.ParseURL(server)
	if err != nil || !ok || !upstream.IsHere(to) {
		return client, err
	}
	trusting, err := controlclient.Trusting(file)
	if err == nil {
		client.Transport = trusting
	}
	return client, err
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withRecording opens a recording for fn.
func withRecording(name string, fn func(iter.Seq2[*exchange.Exchange, error]) error) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("cannot read the recording: %w", err)
	}
	return errors.Join(fn(exchange.Read(name, file)), file.Close())
}

// differError is a difference that a command has found, in words, or "" if the command has
// printed it. The exit status is 3.
type differError string

func (e differError) Error() string { return string(e) }

// maxReported bounds the exchanges with differences that a report has in JSON.
const maxReported = 10_000

// comparison is the outcome of a replay.
type comparison struct {
	Compared int             `json:"compared"`
	Differ   int             `json:"differ"`
	Skipped  map[string]int  `json:"skipped"` // by reason
	Results  []replay.Result `json:"results"` // those with differences
}

// reportResults prints results: those with differences, and how many there are of all.
func reportResults(in *invocation, asJSON bool, results iter.Seq2[replay.Result, error]) error {
	all := comparison{Skipped: map[string]int{}, Results: []replay.Result{}}
	for r, err := range results {
		switch {
		case err != nil:
			return err
		case r.Skipped != "":
			all.Skipped[r.Skipped]++
			continue
		}
		if all.Compared++; len(r.Differences) == 0 {
			continue
		}
		if all.Differ++; !asJSON {
			printResult(in, r)
		} else if len(all.Results) < maxReported {
			all.Results = append(all.Results, r)
		}
	}
	if asJSON {
		if err := printJSON(in, all); err != nil {
			return err
		}
	}
	return all.conclude(in, asJSON)
}

// conclude prints the numbers, and returns the error that says that there are differences.
func (c comparison) conclude(in *invocation, asJSON bool) error {
	if !asJSON {
		fmt.Fprintf(in.Out, "%s compared.\n", counted(int64(c.Compared), "response"))
		for _, reason := range sortedKeys(c.Skipped) {
			fmt.Fprintf(in.Out, "%s skipped: %s.\n", counted(int64(c.Skipped[reason]), "exchange"), reason)
		}
	}
	if c.Differ > 0 {
		return differError(fmt.Sprintf("%d of %s differ", c.Differ, counted(int64(c.Compared), "response")))
	}
	return nil
}

// printResult prints the differences of an exchange.
func printResult(in *invocation, r replay.Result) {
	fmt.Fprintf(in.Out, "%d. %s %s\n", r.ID, visibleText(r.Method), visibleText(r.Target))
	for _, d := range r.Differences {
		field := d.Field
		if field != "" {
			field = " " + field
		}
		fmt.Fprintf(in.Out, "   %s%s: %s, now %s\n", d.What, visibleText(field), orNothing(d.Recorded), orNothing(d.Got))
	}
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return visibleText(text)
}
