package cli

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"cohort.example/cohort/internal/conformance"
	"cohort.example/cohort/internal/upstream"
)

type conformanceCommand struct {
	URL         string `name:"url" default:"https://api.bigcommerce.com" placeholder:"URL" help:"The API of the store (${default})."`
	Token       string `env:"COHORT_API_TOKEN" placeholder:"TEXT" help:"The token of the store. Use the variable, which does not show in the process list."`
	Store       string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	AllowWrites bool   `name:"allow-writes" help:"Create and delete a group and a customer too. Use this with a sandbox only."`
	JSON        bool   `name:"json" help:"Print the report as JSON."`
}

// Run prints which statements of the wire contract hold at a store.
func (c *conformanceCommand) Run(in *invocation) error {
	to, err := upstream.ParseURL(c.URL)
	if err != nil {
		return usageError("--url cannot be used: " + err.Error())
	}
	if c.Token == "" {
		return usageError("the store needs its token, in COHORT_API_TOKEN or --token")
	}
	client, err := clientOf(to.String())
	if err != nil {
		return err
	}
	report, err := conformance.Run(in.ctx, conformance.Options{
		URL: strings.TrimSuffix(to.String(), "/"), Store: c.Store, Token: c.Token, AllowWrites: c.AllowWrites, Client: client,
		Wait: pause, Run: strings.ToLower(rand.Text()[:8]), Now: time.Now(),
	})
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(in, report)
	} else {
		err = printConformance(in.Out, report)
	}
	if err == nil && report.Failed() > 0 {
		err = differError("")
	}
	return err
}

// printConformance prints the statements that do not hold, and how many do.
func printConformance(out io.Writer, r *conformance.Report) error {
	var b strings.Builder
	for _, s := range r.Statements {
		if s.Holds {
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", s.Page, s.Text)
		for _, p := range s.Problems {
			fmt.Fprintf(&b, "  %s: status %d\n", p.Request, p.Status)
			for _, want := range p.Want {
				fmt.Fprintf(&b, "    want %s\n", want)
			}
		}
	}
	failed := r.Failed()
	fmt.Fprintf(&b, "Statements that hold: %d. That do not: %d. Requests: %d.\n", len(r.Statements)-failed, failed, r.Requests)
	_, err := io.WriteString(out, b.String())
	return err
}
